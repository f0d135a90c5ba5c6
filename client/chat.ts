/** A client of the broker that stays connected by itself. */

import { directRoom } from '../schemas/ids.js'
import { ChatError } from './base/chat-error.js'
import type { Live } from './base/live.js'
import { type Env, onAbort, type PlatformSignal, type Socket } from './base/platform.js'
import { Scope } from './base/scope.js'
import { becomesOnline, Connection } from './connection/connection.js'
import type { Credentials } from './connection/credentials.js'
import { brokerOf, socketUrl } from './connection/socket-url.js'
import type { Status } from './connection/status.js'
import { Engine } from './engine/engine.js'
import type { Session } from './outbox/dispatcher.js'
import { Outbox } from './outbox/outbox.js'
import type { Outgoing, SendInput } from './outbox/outgoing.js'
import { CALL_TIMEOUT, type Call } from './requests/calls.js'
import { type Methods, methods } from './requests/methods.js'
import { WireCalls } from './requests/wire-calls.js'
import { Reading } from './rooms/reading.js'
import { Room } from './rooms/room.js'
import { RoomList, type RoomSummary, type Unread } from './rooms/room-list.js'
import { Keeper } from './store/keeper.js'
import type { Lock } from './store/lock.js'
import { memoryStores } from './store/memory-store.js'
import type { OpenStore, Store } from './store/store.js'
import { UserStore } from './store/user-store.js'
import { mqttOverWebSocket } from './wire/mqtt/mqtt-wire.js'

export interface ChatOptions {
  /** Of the broker, such as `https://chat.example.com`; or of its WebSocket, such as `wss://chat.example.com/mqtt`. */
  readonly url: string
  readonly auth: Credentials
  /** Begins the client id, by which operators tell sessions apart: letters, digits, `-`, `_`, 1 to 40 of them. */
  readonly device?: string
  /**
   * Where it keeps what has to survive: `memory` keeps it as long as the program, `auto` where the platform does it best (IndexedDB in browsers).
   * Left out: `memory`.
   */
  readonly store?: 'memory' | 'auto' | OpenStore
  /** Who is going to be logged in, if `auth` does not say: then what was kept is there before the first connection is. */
  readonly user?: string
}

/** What a client needs of the platform. */
export interface ChatPlatform extends Env {
  /** Makes a WebSocket of the subprotocol `mqtt`, which begins to connect by itself. */
  socket(url: string): Socket
  /** The store `auto`. Absent: memory. */
  readonly store?: OpenStore
  /** Absent: no other tab can have the same store. */
  readonly lock?: Lock
}

/** Ms for an answer to a message; what the broker reads more slowly, because there is much of it, takes longer. */
const SEND_TIMEOUT = 30_000

/** States in which nobody is logged in, or about to be. */
const RESTING: ReadonlySet<Status['state']> = /* @__PURE__ */ new Set(['idle', 'signedOut', 'closed'])

const DEVICE = /^[\w-]{1,40}$/

export class Chat {
  readonly #connection: Connection
  readonly #calls: WireCalls
  readonly #platform: ChatPlatform
  readonly #broker: string
  readonly #stores: UserStore
  readonly #outbox: Outbox
  readonly #keeper: Keeper
  readonly #engine: Engine
  readonly #reading: Reading
  readonly #list: RoomList
  readonly #rooms = new Map<string, Room>()
  /** Who is expected to be logged in: whoever was last. */
  #expected: string | undefined
  /** Resolves when nothing is left of the time before the last `close`. */
  #left: Promise<unknown> = Promise.resolve()
  /**
   * Every command of the broker. While the client connects, requests wait for that, within their `timeout`; they are never sent twice. Each
   * rejects with a `ChatError`.
   */
  readonly ask: Methods

  /**
   * Does not connect yet.
   * @throws ChatError `bad_request`: an option is not valid
   */
  constructor({ url, auth, device = 'sdk', store = 'memory', user }: ChatOptions, platform: ChatPlatform) {
    const at = socketUrl(url)
    if (!DEVICE.test(device))
      throw new ChatError('bad_request', 'device: 1 to 40 letters, digits, - and _', { field: 'device' })
    this.#platform = platform
    this.#broker = brokerOf(at)
    this.#calls = new WireCalls(platform)
    this.#expected = user ?? ('password' in auth ? auth.user : undefined)
    const openStore = store === 'auto' ? platform.store : store
    this.#stores = new UserStore(typeof openStore === 'function' ? openStore : memoryStores(), this.#broker)
    const lock = platform.lock ?? ((_name, _options, act) => act({}))
    this.#outbox = new Outbox({ env: platform, lock })
    this.#keeper = new Keeper(lock)
    const ask = methods(this.#calls.call)
    this.#engine = new Engine({ ask, clock: platform })
    this.#reading = new Reading(this.#engine, ask, platform)
    this.#list = new RoomList(this.#engine.replica)
    this.#connection = new Connection({
      open: mqttOverWebSocket({ socket: () => platform.socket(at), clock: platform }),
      credentials: auth,
      device,
      env: platform,
      message: (message) => void (this.#calls.take(message) || this.#engine.take(message)),
      sync: async (wire, { signal, progress }) => {
        onAbort(signal, () => {
          this.#calls.ended()
          this.#engine.ended()
        })
        await this.#calls.begin(wire, signal)
        const user = this.#calls.user!
        if (this.#expected !== undefined && this.#expected !== user) this.#reading.forget()
        this.#expected = user
        await this.#openStore(user)
        await this.#engine.begin(wire, user, signal, progress)
        this.#reading.flush()
        this.#outbox.begin({ signal, deliver: this.#deliver })
      },
    })
    this.ask = methods(this.#call)
  }

  get status(): Live<Status> {
    return this.#connection.status
  }

  /** Who is logged in, as the broker says; null: there is no connection. */
  get user(): string | null {
    return this.#calls.user
  }

  /**
   * Connects, and stays connected until `close`; a second call changes nothing. Resolves when the client is online. Rejects with a `ChatError`
   * when it is signed out or closed before that, or `signal` is aborted, which ends the waiting and not the connection.
   */
  connect(options: { readonly signal?: PlatformSignal } = {}): Promise<void> {
    if (RESTING.has(this.status.current.state)) this.#openExpected()
    return this.#connection.connect(options)
  }

  /** The rooms of the user, the most active one first. */
  get rooms(): Live<readonly RoomSummary[]> {
    return this.#list.rooms
  }

  /** What is unread, in all rooms. */
  get unread(): Live<Unread> {
    return this.#list.unread
  }

  /** A room, or the conversation `dm:{a}:{b}`. The same object each time. */
  room(id: string): Room {
    let room = this.#rooms.get(id)
    if (!room) this.#rooms.set(id, (room = new Room(id, this.#engine, this.#reading)))
    return room
  }

  /**
   * The conversation with this user.
   * @throws ChatError `offline`: it is not known yet who is logged in
   */
  direct(user: string): Room {
    const me = this.#engine.replica.user
    if (me === null) throw new ChatError('offline', 'it is not known yet who is logged in')
    return this.room(directRoom(me, user))
  }

  /** If the client waits for its next attempt, that is made now. */
  retryNow(): void {
    this.#connection.retryNow()
  }

  /**
   * Sends a message to a room, `@user`, or the conversation `dm:{a}:{b}`: as soon as it can be, in the order of the room, stored once. Also
   * without a connection, and before `connect`.
   * @throws ChatError `bad_request`: it cannot be a message; `not_found`: no message with the cid `target` is on its way; `storage`: more than 1000
   * messages, or 4 MB, are on their way
   */
  send(room: string, message: string | SendInput): Outgoing {
    if (this.status.current.state === 'idle') this.#openExpected()
    return this.#outbox.send(room, typeof message === 'string' ? { text: message } : message)
  }

  /** The messages that are not sent yet, also from before a reload, in their order, and those that have failed. */
  get outbox(): Live<readonly Outgoing[]> {
    return this.#outbox.items
  }

  /**
   * Resolves when nothing of the connection is left: no socket, no timer, and the store is closed. Messages that were not sent stay. After that
   * `connect` may be called again.
   */
  async close(): Promise<void> {
    this.#reading.stop()
    const left = this.#connection
      .close()
      .then(() => this.#outbox.close())
      .then(() => this.#stores.close())
      .then(() => this.#keeper.release())
    this.#left = Promise.all([this.#left, left])
    await this.#left
  }

  /** What is kept is there without a connection, if it is known whose it is. */
  #openExpected(): void {
    if (this.#expected !== undefined) this.#openStore(this.#expected).catch(() => {})
  }

  async #openStore(user: string): Promise<void> {
    const left = this.#left
    await left
    if (this.#left !== left) return
    const store = await this.#stores.of(user)
    // Unless the client was closed meanwhile, and the store with it.
    if (this.#left !== left) return
    await this.#outbox.open(user, store)
    const isKeeper = await this.#keeper.claim(`${this.#broker}:${user}`)
    if (this.#left !== left) return
    await (isKeeper ? this.#openEngine(user, store) : this.#engine.openInMemory(user))
  }

  /** What the device cannot keep is still shown; the outbox says of each message that it is not stored. */
  async #openEngine(user: string, store: Store): Promise<void> {
    const left = this.#left
    await this.#engine.open(user, store).catch((error: unknown) => {
      if (this.#left !== left) throw error
      return this.#engine.openInMemory(user)
    })
  }

  readonly #deliver: Session['deliver'] = (room, message, alone) => {
    const options = { timeout: SEND_TIMEOUT }
    return alone
      ? this.#calls.call('send', { ...message, room }, null, options)
      : this.#calls.send(room, message, options)
  }

  readonly #call: Call = async (name, params, route, { signal, timeout = CALL_TIMEOUT } = {}) => {
    const platform = this.#platform
    const began = platform.now()
    if (this.status.current.state === 'idle') throw new ChatError('offline', 'not connected: call connect() first')
    const scope = new Scope(signal)
    const late = (): void => scope.end(new ChatError('offline', `there was no connection within ${timeout} ms`))
    const stopTimer = platform.timer(timeout, late)
    try {
      await scope.race(becomesOnline(this.status, scope.signal))
    } finally {
      stopTimer()
      scope.end(null)
    }
    const rest = Math.max(0, timeout - (platform.now() - began))
    return this.#calls.call(name, params, route, { ...(signal && { signal }), timeout: rest })
  }
}
