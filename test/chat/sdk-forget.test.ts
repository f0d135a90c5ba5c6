/** What a device keeps of a user who logs out: nothing. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { createChat } from '../../client/index.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { Store, Table } from '../../client/store/store.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { webSocket } from '../helpers/web-socket.js'

const TABLES: readonly Table[] = ['meta', 'rooms', 'messages', 'drafts', 'outbox']

/** Stores of a device by user, which stay when they are closed. */
class Device {
  readonly #kept = new Map<string, ConstructorParameters<typeof MemoryStore>[0] & object>()

  readonly open = ({ user }: { readonly user: string }): Store => {
    const tables = this.#kept.get(user) ?? new Map()
    this.#kept.set(user, tables)
    return new MemoryStore(tables)
  }

  /** Rows that are kept of this user. */
  async rows(user: string): Promise<number> {
    const found = await Promise.all(TABLES.map((table) => this.open({ user }).range(table)))
    return found.flat().length
  }
}

t.test('a client that forgets leaves nothing of its user, and all of others', async (t) => {
  const broker = await startTestBroker(t)
  const device = new Device()
  const chatOf = (user: string) => {
    const auth = { getToken: () => broker.token(user) }
    const chat = createChat({ url: httpUrl(broker), auth, user, store: device.open }, { socket: webSocket })
    t.teardown(() => chat.close())
    return chat
  }
  const [ann, bob] = [chatOf('ann'), chatOf('bob')]
  await Promise.all([ann.connect(), bob.connect()])
  await ann.ask.rooms.create({ room: 'tea' })
  await ann.send('tea', 'hello').sent
  await bob.ask.rooms.join({ room: 'tea' })
  await bob.send('tea', 'hello').sent
  t.ok((await device.rows('ann')) > 0)
  await ann.forget()
  t.equal(ann.status.current.state, 'closed')
  t.equal(await device.rows('ann'), 0)
  t.ok((await device.rows('bob')) > 0)

  await ann.connect()
  t.equal((await ann.ask.history({ room: 'tea' })).messages.length, 2, 'it may connect again')
  t.ok((await device.rows('ann')) > 0)
  await ann.close()
  await chatOf('ann').forget()
  t.equal(await device.rows('ann'), 0, 'also one that was never connected')
})

t.test('a device that does not delete it is an error, after which the client connects again', async (t) => {
  const broker = await startTestBroker(t)
  class Stubborn extends MemoryStore {
    override async destroy(): Promise<void> {
      await this.close()
      throw new ChatError('storage', 'it is held')
    }
  }
  const auth = { getToken: () => broker.token('ann') }
  const chat = createChat({ url: httpUrl(broker), auth, store: () => new Stubborn() }, { socket: webSocket })
  t.teardown(() => chat.close())
  await chat.connect()
  await t.rejects(chat.forget(), { code: 'storage', message: 'it is held' })
  t.equal(chat.status.current.state, 'closed')
  await chat.connect()
  t.equal(chat.user, 'ann')
})
