/** A client of the broker that stays connected by itself. */

import { directRoom } from '../schemas/ids.js'
import { ChatError } from './base/chat-error.js'
import type { Live } from './base/live.js'
import { type Env, onAbort, type PlatformSignal, type Socket } from './base/platform.js'
import { Scope } from './base/scope.js'
import { becomesOnline, Connection } from './connection/connection.js'
import type { Credentials } from './connection/credentials.js'
import { brokerOf, httpUrl, socketUrl } from './connection/socket-url.js'
import type { Status } from './connection/status.js'
import { Engine } from './engine/engine.js'
import type { Keep } from './engine/trim.js'
import type { Files, FileTransfers, OpenFiles } from './files/port.js'
import type { Session } from './outbox/dispatcher.js'
import { Outbox } from './outbox/outbox.js'
import type { Outgoing, SendInput, SendOptions } from './outbox/outgoing.js'
import { noFiles } from './outbox/uploads.js'
import type { ChatEvents } from './people/events.js'
import {
  type Account,
  type Block,
  type Contact,
  type Invitation,
  LISTS,
  type Me,
  noPeople,
  type OpenPeople,
  type People,
  type Users,
} from './people/port.js'
import { Signs } from './people/signs.js'
import { CALL_TIMEOUT, type Call } from './requests/calls.js'
import { type Methods, methods } from './requests/methods.js'
import { WireCalls } from './requests/wire-calls.js'
import type { Core } from './rooms/core.js'
import { Reading } from './rooms/reading.js'
import { inputOf, Room, type RoomDeps } from './rooms/room.js'
import { RoomList, type RoomSummary, type Unread } from './rooms/room-list.js'
import { Keeper } from './store/keeper.js'
import type { Lock } from './store/lock.js'
import { memoryStores } from './store/memory-store.js'
import type { OpenStore } from './store/store.js'
import { UserStore } from './store/user-store.js'
import { mqttOverSocket } from './wire/mqtt/mqtt-wire.js'
import type { Fallback } from './wire/wire.js'

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
  /** Bounds of the rooms and messages that stay on the device. */
  readonly keep?: Keep
  /** Where WebSockets do not pass: `eventStream`. Left out: they are tried again and again. */
  readonly fallback?: Fallback
  /** Who is going to be logged in, if `auth` does not say: then what was kept is there before the first connection is. */
  readonly user?: string
  /** `fileTransfers()`. Left out: the client can neither send files nor show those of messages. */
  readonly files?: OpenFiles
  /** `people()`. Left out: the client shows no members, profiles, presence, contacts, invitations, blocks and private data. */
  readonly people?: OpenPeople
}

/** What a client needs of the platform. */
export interface ChatPlatform extends Env {
  /** Where `socket` connects to, of the option `url`; throws a `ChatError` `bad_request`. Absent: the WebSocket of that broker. */
  address?(url: string): string
  /** Makes a socket to this address, which begins to connect by itself; a WebSocket is of the subprotocol `mqtt`. */
  socket(address: string): Socket
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
  readonly #files: FileTransfers | undefined
  readonly #outbox: Outbox
  readonly #keeper: Keeper
  readonly #engine: Engine
  readonly #reading: Reading
  readonly #list: RoomList
  readonly #signs: Signs
  readonly #people: People | undefined
  readonly #roomDeps: RoomDeps
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
  /** For functions such as `messagesOf`. */
  readonly core: Core

  /**
   * Does not connect yet.
   * @throws ChatError `bad_request`: an option is not valid
   */
  constructor(
    { url, auth, device = 'sdk', store = 'memory', user, keep = {}, fallback, files, people }: ChatOptions,
    platform: ChatPlatform,
  ) {
    const at = (platform.address ?? socketUrl)(url)
    if (!DEVICE.test(device))
      throw new ChatError('bad_request', 'device: 1 to 40 letters, digits, - and _', { field: 'device' })
    this.#platform = platform
    this.#broker = brokerOf(at)
    this.#calls = new WireCalls(platform)
    this.#expected = user ?? ('password' in auth ? auth.user : undefined)
    const openStore = store === 'auto' ? platform.store : store
    this.#stores = new UserStore(typeof openStore === 'function' ? openStore : memoryStores(), this.#broker)
    const { lock = null } = platform
    this.ask = methods(this.#call)
    this.#files = files?.({
      url: httpUrl(at),
      env: platform,
      login: () => this.#connection.login(),
      refused: () => this.#connection.loginRefused(),
      ask: this.ask,
    })
    this.#keeper = new Keeper(lock)
    const ask = methods(this.#calls.call)
    this.#engine = new Engine({ ask, clock: platform, keep, takeMe: (me) => this.#takeMe(me) })
    const { replica } = this.#engine
    this.#outbox = new Outbox({
      env: platform,
      lock,
      headOf: (room) => replica.rooms.get(room)?.seq ?? 0,
      uploads: this.#files?.uploads,
    })
    replica.subscribe(() => this.#outbox.heard())
    this.#reading = new Reading(this.#engine, ask, platform)
    this.#list = new RoomList(this.#engine.replica)
    this.#signs = new Signs({ engine: this.#engine, ask, clock: platform })
    const { link } = this.#signs
    this.#people = people?.(link, this.#stores)
    const open = mqttOverSocket({ socket: () => platform.socket(at), clock: platform })
    this.#connection = new Connection({
      open: fallback ? fallback(open, { url: httpUrl(at), clock: platform }) : open,
      credentials: auth,
      device,
      env: platform,
      message: (message) =>
        void (this.#calls.take(message) || link.subscriptions.take(message) || this.#engine.take(message)),
      sync: async (wire, { signal, progress }) => {
        onAbort(signal, () => {
          this.#calls.ended()
          this.#engine.ended()
          link.ended()
        })
        await this.#calls.begin(wire, signal)
        const user = this.#calls.user!
        if (this.#expected !== undefined && this.#expected !== user) {
          this.#reading.forget()
          link.forget()
        }
        this.#expected = user
        await this.#openStore(user)
        link.begin(wire)
        await this.#engine.begin(wire, user, signal, progress)
        this.#reading.begin()
        this.#outbox.heard(true)
        this.#files?.began(user)
        this.#outbox.begin({ signal, deliver: this.#deliver })
      },
    })
    const { ask: asking, status, outbox } = this
    const storeOf: Core['storeOf'] = (owner) => this.#stores.ownedBy(owner)
    this.core = { ask: asking, replica, status, outbox, clock: platform, subscriptions: link.subscriptions, storeOf }
    this.status.subscribe((status) => {
      if (status.state === 'signedOut') this.#signs.events.emit('signedOut', status)
    })
    const send: RoomDeps['send'] = (room, message, options) => this.send(room, message, options)
    this.#roomDeps = {
      engine: this.#engine,
      reading: this.#reading,
      signs: this.#signs,
      people: () => this.#known,
      pending: { items: this.#outbox.pending, me: () => replica.user ?? this.#expected ?? '' },
      core: this.core,
      ask: this.ask,
      send,
    }
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

  /** Why the device keeps nothing of rooms and messages any more, until `close`, but the client in memory; null: it does. See `isFull`. */
  get storageError(): Live<ChatError | null> {
    return this.#engine.replica.storageError
  }

  /** A room, or the conversation `dm:{a}:{b}`. The same object each time. */
  room(id: string): Room {
    let room = this.#rooms.get(id)
    if (!room) this.#rooms.set(id, (room = new Room(id, this.#roomDeps)))
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

  /** Profiles and presence. */
  get users(): Users {
    return this.#known.users
  }

  /** Contacts, and requests to be one in both directions. */
  get contacts(): Live<readonly Contact[]> {
    return this.#known.contacts
  }

  /** The user's pending invitations into rooms. */
  get invitations(): Live<readonly Invitation[]> {
    return this.#known.invitations
  }

  /** Whom the user blocks; asked for while somebody subscribes. */
  get blocks(): Live<readonly Block[]> {
    return this.#known.blocks
  }

  /** Private data of the user. */
  get account(): Account {
    return this.#known.account
  }

  /**
   * Calls `listener` when that happens, from now on: what happened without a connection is not told. What a listener throws is reported as
   * an uncaught error. Returns a function that ends it.
   */
  on<E extends keyof ChatEvents>(event: E, listener: (event: ChatEvents[E]) => void): () => void {
    return this.#signs.events.on(event, listener)
  }

  /** If the client waits for its next attempt, that is made now. */
  retryNow(): void {
    this.#connection.retryNow()
  }

  /**
   * Sends a message to a room, `@user`, or the conversation `dm:{a}:{b}`: as soon as it can be, in the order of the room, stored once. Also
   * without a connection, and before `connect`.
   * @throws ChatError `bad_request`: it cannot be a message; `not_found`: no message with the cid `target` is on its way; `storage`: more than 1000
   * messages, or 4 MB, or as many bytes of files as `fileTransfers` allows, are on their way; `not_implemented`: the client was made without `files`
   */
  send(room: string, message: string | SendInput, { attach = [] }: SendOptions = {}): Outgoing {
    if (this.status.current.state === 'idle') this.#openExpected()
    this.#signs.sent(room)
    return this.#outbox.send(room, inputOf(message), attach)
  }

  /**
   * Files of messages.
   * @throws ChatError `not_implemented`: the client was made without `files`
   */
  get files(): Files {
    if (!this.#files) throw noFiles()
    return this.#files.files
  }

  /** The messages that are not sent yet, also from before a reload, in their order, and those that have failed. */
  get outbox(): Live<readonly Outgoing[]> {
    return this.#outbox.items
  }

  /**
   * Resolves when nothing of the connection is left: no socket, no timer, and the store is closed. Messages that were not sent stay. After that
   * `connect` may be called again.
   */
  close(): Promise<void> {
    return this.#end(() => this.#stores.close())
  }

  /**
   * As `close`, and deletes what the device keeps of the user, with messages that were not sent: for who logs out. Rejects with a `ChatError` `storage`
   * if the device did not delete it.
   */
  forget(): Promise<void> {
    this.#reading.forget()
    return this.#end(() => this.#stores.destroy(this.#expected))
  }

  async #end(endStore: () => Promise<void>): Promise<void> {
    this.#reading.flush()
    this.#engine.close()
    this.#files?.ended()
    const left = this.#connection
      .close()
      .then(() => this.#outbox.close())
      .then(endStore)
      .finally(() => this.#keeper.release())
    // Who connects again does not hear of what failed here.
    this.#left = Promise.all([this.#left, left.catch(() => {})])
    await this.#left
    await left
  }

  /** @throws ChatError `not_implemented`: the client was made without `people` */
  get #known(): People {
    if (!this.#people) throw noPeople()
    return this.#people
  }

  async #takeMe(me: Me): Promise<void> {
    if (this.#people) await this.#people.told(me)
    // A client of the same store that shows them has to ask.
    else if (me.contacts || me.invitations)
      await this.#stores.write([{ clear: 'meta', prefix: [LISTS] }]).catch(() => {})
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
    if (this.#left !== left) return
    this.#people?.open()
    const taken = (): void => {
      if (this.#left === left) this.#engine.takeOver(user, store).catch(() => {})
    }
    const isKeeper = await this.#keeper.claim(`${this.#broker}:${user}`, taken)
    if (this.#left !== left) return
    await (isKeeper ? this.#engine.open(user, store) : this.#engine.openInMemory(user))
  }

  readonly #deliver: Session['deliver'] = (room, message, alone) => {
    const options = { timeout: SEND_TIMEOUT }
    return alone ? this.#calls.call('send', { ...message, room }, options) : this.#calls.send(room, message, options)
  }

  readonly #call: Call = async (name, params, { signal, timeout = CALL_TIMEOUT } = {}) => {
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
    const result = await this.#calls.call(name, params, { ...(signal && { signal }), timeout: rest })
    this.#people?.asked(name)
    return result
  }
}
