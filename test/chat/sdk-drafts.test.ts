/** Drafts of the SDK, on its stores, with a real broker. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { draftsOf } from '../../client/index.js'
import { directoryStore } from '../../client/node/index.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { Store } from '../../client/store/store.js'
import { startTestBroker } from '../helpers/broker.js'
import '../helpers/http.js'
import { chatAt, proxyOf, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'

async function start(t: Test) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  return { broker, proxy, open: (user: string, options = {}) => chatAt(t, broker, proxy.port, user, options) }
}

/** What one of several tabs has open of a store. */
function tabOf(store: MemoryStore): Store {
  const { get, range, write, destroy } = store
  return {
    get: get.bind(store),
    range: range.bind(store),
    write: write.bind(store),
    destroy: destroy.bind(store),
    close: async () => {},
  }
}

t.test('drafts are there after a reload, by room and thread, also without a connection', async (t) => {
  const { open, proxy } = await start(t)
  const store = directoryStore(join(t.testdir(), 'kept'))
  const first = open('alice', { store })
  const drafts = draftsOf(first)
  drafts.set('tea', 'written before it is known who is logged in')
  await first.connect()
  drafts.set('tea', 'hel')
  drafts.set('tea', 'hello')
  drafts.set('tea', 'in the thread', { thread: 7 })
  drafts.set('milk', 'not for long')
  t.equal(drafts.of('tea').current, 'hello')
  drafts.set('milk', '')
  t.equal(drafts.of('tea'), drafts.of('tea'))
  await drafts.dispose()
  await first.close()
  proxy.refuse()
  const second = open('alice', { store })
  const again = draftsOf(second)
  second.connect().catch(() => {})
  await answered(
    'the draft',
    when(again.of('tea'), (text) => text === 'hello'),
  )
  t.equal(again.of('tea', { thread: 7 }).current, 'in the thread')
  t.equal(again.of('milk').current, '')
})

t.test('a draft that is sent is none any more, another one stays', async (t) => {
  const { open } = await start(t)
  const chat = open('alice')
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea' })
  const drafts = draftsOf(chat)
  drafts.set('tea', 'hello ')
  drafts.set('tea', 'hello', { thread: 1 })
  const { seq } = await chat.room('tea').send('something else').sent
  t.equal(drafts.of('tea').current, 'hello ')
  chat.room('tea').send('hello')
  t.equal(drafts.of('tea').current, '')
  t.equal(drafts.of('tea', { thread: 1 }).current, 'hello')
  await chat.send('tea', { text: 'hello', thread: seq }).sent
  t.equal(drafts.of('tea', { thread: 1 }).current, '')
  drafts.set('tea', 'hello')
  await chat.room('tea').send('later').sent
  t.equal(drafts.of('tea').current, 'hello', 'what was sent before is not this one')
})

t.test('tabs see what was written last', async (t) => {
  const { open } = await start(t)
  const store = new MemoryStore()
  const [one, two] = [open('alice', { store: () => tabOf(store) }), open('alice', { store: () => tabOf(store) })]
  await Promise.all([one.connect(), two.connect()])
  const [first, second] = [draftsOf(one), draftsOf(two)]
  first.set('tea', 'of the first')
  first.set('milk', 'milk')
  await until('it is kept', async () => (await store.range('drafts')).length === 2)
  await second.refresh()
  t.equal(second.of('tea').current, 'of the first')
  second.set('tea', 'of the second')
  second.set('milk', '')
  const changing = second.refresh()
  second.set('cake', 'written meanwhile')
  await changing
  t.equal(second.of('cake').current, 'written meanwhile')
  await until('that is kept', async () => (await store.range('drafts')).length === 2)
  await first.refresh()
  t.same([first.of('tea').current, first.of('milk').current], ['of the second', ''])
})

t.test(
  'what is written before it is known who is logged in stays, also if it is kept while the others are read',
  async (t) => {
    const { open } = await start(t)
    const memory = new MemoryStore()
    let wrote = (): void => {}
    const written = new Promise<void>((resolve) => (wrote = resolve))
    const store: Store = {
      ...tabOf(memory),
      // As it was when it was asked for, and told late.
      async range(table, range) {
        const rows = await memory.range(table, range)
        if (table === 'drafts') await written
        return rows
      },
      async write(changes) {
        await memory.write(changes)
        if (changes.some((one) => 'put' in one && one.put === 'drafts')) wrote()
      },
    }
    const chat = open('alice', { store: () => store })
    const drafts = draftsOf(chat)
    drafts.set('tea', 'hello')
    const shown: string[] = []
    drafts.of('tea').subscribe((text) => shown.push(text))
    await chat.connect()
    await drafts.refresh()
    t.same(shown, [], 'it did not go for a moment, either')
    t.equal(drafts.of('tea').current, 'hello')
  },
)

t.test('another user sees nothing of them', async (t) => {
  const { broker, open } = await start(t)
  const stores = new Map<string, MemoryStore>()
  const store = ({ user }: { user: string }): Store => {
    if (!stores.has(user)) stores.set(user, new MemoryStore())
    return tabOf(stores.get(user)!)
  }
  let user = 'alice'
  const chat = open('alice', { store, auth: { getToken: () => broker.token(user) } })
  await chat.connect()
  const drafts = draftsOf(chat)
  drafts.set('tea', 'secret')
  await until('it is kept', async () => (await stores.get('alice')!.range('drafts')).length === 1)
  await chat.close()
  user = 'bob'
  await chat.connect()
  t.equal(drafts.of('tea').current, '')
  drafts.set('milk', 'of bob')
  await until('it is kept', async () => (await stores.get('bob')!.range('drafts')).length === 1)
  t.match(await stores.get('bob')!.range('drafts'), [{ key: ['milk'] }])
  await chat.close()
  user = 'alice'
  await chat.connect()
  await answered(
    'hers is back',
    when(drafts.of('tea'), (text) => text === 'secret'),
  )
  t.equal(drafts.of('milk').current, '')
})

t.test('200 are kept, the last ones', async (t) => {
  const { open } = await start(t)
  const store = new MemoryStore()
  const chat = open('alice', { store: () => tabOf(store) })
  await chat.connect()
  const drafts = draftsOf(chat)
  for (let i = 1; i <= 203; i++) drafts.set(`room-${i}`, 'x'.repeat(20_010))
  await drafts.dispose()
  const rows = await store.range('drafts')
  t.equal(rows.length, 200)
  t.ok(rows.every(({ key, value }) => key[0] !== 'room-3' && (value as { text: string }).text.length === 20_000))
  t.same([drafts.of('room-3').current, drafts.of('room-4').current.length], ['', 20_010])
})

t.test('what is longer than what is kept is not cut while it is written', async (t) => {
  const { open } = await start(t)
  const store = new MemoryStore()
  const chat = open('alice', { store: () => tabOf(store) })
  await chat.connect()
  const drafts = draftsOf(chat)
  const text = 'x'.repeat(20_010)
  drafts.set('tea', text)
  await until('it is kept', async () => (await store.range('drafts')).length === 1)
  await drafts.refresh()
  t.equal(drafts.of('tea').current, text)
  const [row] = await store.range('drafts')
  t.equal((row!.value as { text: string }).text.length, 20_000)
})
