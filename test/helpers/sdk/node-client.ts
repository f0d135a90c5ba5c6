/** A client of the SDK in Node whose store is a directory, and which may be begun anew. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ChatError } from '../../../client/base/chat-error.js'
import { type Chat, type ChatOptions, createChat } from '../../../client/index.js'
import { directoryStore } from '../../../client/node/index.js'
import type { Store } from '../../../client/store/store.js'
import { Random } from '../random.js'
import { webSocket } from '../web-socket.js'
import type { CheckedClient } from './checker.js'
import {
  cancel,
  edit,
  type Known,
  knowledge,
  move,
  openTimelines,
  send,
  type Timelines,
  watchOwn,
} from './knowledge.js'
import type { OwnRows } from './own-rows.js'

type Options = Pick<ChatOptions, 'url' | 'auth' | 'fallback'>

export class NodeClient implements CheckedClient {
  readonly #options: Options
  readonly #directory: string
  #chat!: Chat
  #timelines!: Timelines
  #rows!: OwnRows
  #store: Store | null = null
  /** The device takes nothing more. */
  #isFull = false

  /** It is logged in as alice, and connects. Closed with the test. */
  static async start(t: Test, options: Options): Promise<NodeClient> {
    const directory = mkdtempSync(join(tmpdir(), 'topictalk-'))
    const client = new NodeClient(options, directory)
    t.teardown(async () => {
      await client.#chat.close()
      rmSync(directory, { recursive: true, force: true })
    })
    client.#begin()
    return client
  }

  private constructor(options: Options, directory: string) {
    this.#options = options
    this.#directory = directory
  }

  get chat(): Chat {
    return this.#chat
  }

  /** As after a reload: what it kept is all that it has. */
  async beginAnew(): Promise<void> {
    for (const timeline of this.#timelines.values()) timeline.dispose()
    await this.#chat.close()
    this.#begin()
  }

  setFull(isFull: boolean): void {
    this.#isFull = isFull
  }

  /** What could not be kept first is in memory since, until the client is begun anew. */
  know(): Promise<Known> {
    const store = this.#chat.storageError.current ? null : this.#store
    return knowledge(this.#chat, this.#timelines, this.#rows, store)
  }

  async retryNow(): Promise<void> {
    this.#chat.retryNow()
  }

  async move(seed: number): Promise<void> {
    await move(this.#timelines, new Random(seed))
  }

  send(room: string, text: string): Promise<void> {
    return send(this.#chat, room, text)
  }

  /** Not on a full device: what it has kept would be sent again as it was before. */
  async edit(text: string): Promise<boolean> {
    return !this.#isFull && edit(this.#chat, text)
  }

  cancel(text: string): Promise<boolean> {
    return cancel(this.#chat, text)
  }

  #filling(store: Store): Store {
    const write = store.write.bind(store)
    store.write = async (changes, options) => {
      if (this.#isFull && changes.some((change) => 'put' in change))
        throw new ChatError('storage', 'the device is full')
      await write(changes, options)
    }
    return store
  }

  #begin(): void {
    const kept = directoryStore(this.#directory)
    const store: ChatOptions['store'] = (owner) => (this.#store = this.#filling(kept(owner)))
    this.#chat = createChat({ ...this.#options, user: 'alice', store }, { socket: webSocket })
    this.#timelines = openTimelines(this.#chat)
    this.#rows = watchOwn(this.#chat)
    this.#chat.connect().catch(() => {})
  }
}
