/**
 * Keeps what the client knows up to date: after the subscriptions `sync` tells what was missed, and what comes live meanwhile waits; then that is
 * applied, message by message in the order of each room. A number that is missing is asked for with `sync` again.
 */
import { topics } from '../../schemas/topics.js'
import { ChatError } from '../base/chat-error.js'
import { reportLater } from '../base/live.js'
import type { Clock, Signal, Stop } from '../base/platform.js'
import { mustLast } from '../base/scope.js'
import type { Methods } from '../requests/methods.js'
import { REFUSED } from '../requests/wire-calls.js'
import { MemoryStore } from '../store/memory-store.js'
import type { Store } from '../store/store.js'
import { utf8 } from '../wire/utf8.js'
import type { Incoming, Subscription, Wire } from '../wire/wire.js'
import { BrokerClock } from './broker-clock.js'
import { CatchUp, type TakeMe } from './catch-up.js'
import { Chores, type MakeChores } from './chores.js'
import { Ends } from './ends.js'
import { Fetches } from './fetches.js'
import { type Item, itemOf, LiveInbox } from './inbox.js'
import { LiveItems } from './live-items.js'
import { Replica } from './replica.js'
import { type Keep, Trim } from './trim.js'

/** Ms until a `sync` that failed is tried again on the same connection, and at most. */
const RETRY = 1000
const LONGEST_RETRY = 60_000

export interface EngineOptions {
  /** On the connection as it is: they do not wait for it to be online. */
  readonly ask: Methods
  readonly clock: Clock
  /** Gets what `sync` says of the user, before that counts as told. Never rejects. */
  readonly takeMe: TakeMe
  readonly keep: Keep
}

export class Engine {
  readonly replica: Replica
  readonly #clock: Pick<Clock, 'timer'>
  readonly #inbox = new LiveInbox()
  readonly #fetches: Fetches
  readonly #catchUp: CatchUp
  readonly #live: LiveItems
  readonly #ends: Ends
  readonly #trim: Trim
  /** In place of a store; null: it was not needed. */
  #memory: MemoryStore | null = null
  /** What comes live waits. */
  #isHeld = true
  #isDraining = false
  /** Of the present connection. */
  #connection: { readonly wire: Wire; readonly signal: Signal } | null = null
  /** Something was missed that only `sync` can tell. */
  #isBehind = false
  #retries = 0
  #stopRetry: Stop = () => {}
  readonly #chores: Chores[] = []
  /** What views have to fetch, by room. */
  readonly #fillers = new Map<string, Set<() => Promise<void>>>()
  readonly #fills: Chores
  readonly #whenUpToDate = new Set<() => void>()
  readonly #itemListeners = new Set<(items: readonly Item[]) => void>()

  constructor({ ask, clock, takeMe, keep }: EngineOptions) {
    this.#clock = clock
    this.replica = new Replica(new BrokerClock(clock))
    this.#fetches = new Fetches(ask, this.replica, this.chores)
    this.#fills = this.chores((room) => Promise.all(Array.from(this.#fillers.get(room) ?? [], (fill) => fill())))
    const receipts = this.chores((room) => this.#tellDelivered(room))
    this.#catchUp = new CatchUp(ask, this.replica, this.#fetches, { takeMe, received: (room) => receipts.add(room) })
    this.#trim = new Trim(this.replica, keep)
    this.#live = new LiveItems({
      ask,
      replica: this.replica,
      fetches: this.#fetches,
      catchUp: this.#catchUp,
      chores: this.chores,
      trim: this.#trim,
    })
    this.#ends = new Ends(this.replica, clock, (...asked) => this.#live.ask(...asked))
  }

  /**
   * What is kept in `store` is there from now on. It is of the user alone. Of one that cannot be read or written memory takes the place until another
   * one is opened, so that what is shown does not go back and forth.
   */
  open(user: string, store: Store): Promise<void> {
    this.#ends.start()
    return this.replica.open(user, store, (tx) => this.#ends.apply(tx))
  }

  /** For a device that keeps nothing. */
  openInMemory(user: string): Promise<void> {
    return this.open(user, (this.#memory ??= new MemoryStore()))
  }

  /** `store` was kept by another client, which is gone. What this one has by now, if anything, takes the place of that. */
  takeOver(user: string, store: Store): Promise<void> {
    return this.#connection || this.replica.since !== null ? this.replica.moveTo(store) : this.open(user, store)
  }

  /** No timer is left, until it is opened again. */
  close(): void {
    this.#ends.stop()
  }

  /**
   * Subscribes, and brings the client up to date on this connection, on which it stays so until `ended`.
   * @throws ChatError
   */
  async begin(wire: Wire, user: string, signal: Signal, progress: (rooms: number) => void): Promise<void> {
    mustLast(signal)
    this.#connection = { wire, signal }
    this.#isHeld = true
    this.#isBehind = false
    this.replica.clock.begin()
    const reasons = await wire.subscribe(subscriptions(user), signal)
    if (reasons.some((reason) => reason >= REFUSED))
      throw new ChatError('forbidden', 'the broker refused the subscription to rooms')
    await this.#catchUp.run(signal, progress)
    // It may have ended while the last of it was written.
    mustLast(signal)
    this.#retries = 0
    this.#release()
  }

  /** Nothing comes on that connection any more. */
  ended(): void {
    this.#connection = null
    this.#isHeld = true
    this.#stopRetry()
    for (const chores of this.#chores) chores.down()
    this.#inbox.take()
  }

  /** False: it is not for the engine. */
  take(incoming: Incoming): boolean {
    const item = itemOf(incoming)
    if (!item) return false
    if (item.kind === 'message') this.replica.clock.told(item.message.ts)
    if (!this.#inbox.push(item, incoming.payload.length)) this.#isBehind = true
    void this.#drain()
    return true
  }

  /** See `Fetches.history`. */
  readonly history: Fetches['history'] = (room, params) => this.#fetches.history(room, params)

  /**
   * `fill` fetches what a view of the room has to show; it runs when `ask` was called, once at a time, and again when the broker did not answer
   * for a moment.
   */
  filler(room: string, fill: () => Promise<void>): { ask(): void; stop: Stop } {
    const fillers = this.#fillers.get(room) ?? new Set()
    this.#fillers.set(room, fillers.add(fill))
    const stop = (): void => {
      fillers.delete(fill)
      if (fillers.size === 0 && this.#fillers.get(room) === fillers) this.#fillers.delete(room)
    }
    return { ask: () => this.#fills.add(room), stop }
  }

  /** They are done when the client is up to date, for as long as it lasts. */
  readonly chores: MakeChores = (act) => {
    const chores = new Chores(act, this.#clock)
    this.#chores.push(chores)
    return chores
  }

  /** Asks the broker for the counts of a room. */
  count(room: string): void {
    this.#live.count(room)
  }

  /** Calls `listener`, which must not throw, each time that the client has been brought up to date: then the broker can be asked. */
  onUpToDate(listener: () => void): Stop {
    this.#whenUpToDate.add(listener)
    return () => void this.#whenUpToDate.delete(listener)
  }

  /** Calls `listener`, which must not throw, with what came live, once it is applied, or was too early to be. */
  onItems(listener: (items: readonly Item[]) => void): Stop {
    this.#itemListeners.add(listener)
    return () => void this.#itemListeners.delete(listener)
  }

  /** What came by `sync` was not acknowledged as what comes live is. */
  async #tellDelivered(room: string): Promise<void> {
    const delivered = this.replica.rooms.get(room)?.seq
    const topic = topics.room(room, 'receipts')
    try {
      await this.#connection!.wire.publish({ topic, payload: utf8(JSON.stringify({ delivered })), qos: 1 })
    } catch (cause) {
      throw new ChatError('offline', 'the connection has ended', { cause })
    }
  }

  #release(): void {
    this.#isHeld = false
    this.#trim.all().catch(() => {})
    for (const chores of this.#chores) chores.up()
    this.#fetches.begin()
    for (const listener of [...this.#whenUpToDate]) listener()
    void this.#drain()
  }

  /** Applies what has come. */
  async #drain(): Promise<void> {
    if (this.#isDraining) return
    this.#isDraining = true
    while (!this.#isHeld && !this.#inbox.isEmpty) {
      const items = this.#inbox.take()
      const isWhole = await this.#live.apply(items).catch(failed)
      if (!isWhole) this.#isBehind = true
      // Of a connection that has ended nobody wants to hear.
      if (!this.#isHeld) for (const listener of [...this.#itemListeners]) listener(items)
    }
    this.#isDraining = false
    if (this.#isBehind && !this.#isHeld) void this.#resync()
  }

  /** Asks for what was missed, while what comes live waits. */
  async #resync(): Promise<void> {
    const connection = this.#connection
    if (!connection) return
    this.#isHeld = true
    this.#isBehind = false
    try {
      await this.#catchUp.run(connection.signal, () => {})
      this.#retries = 0
    } catch (error) {
      this.#isBehind = !failed(error)
    }
    if (this.#connection !== connection) return
    if (!this.#isBehind) return this.#release()
    const delay = Math.min(RETRY * 2 ** this.#retries++, LONGEST_RETRY)
    this.#stopRetry = this.#clock.timer(delay, () => void this.#resync())
  }
}

/** What was not applied has to be asked for again, in time. Anything but a `ChatError` is a fault of ours. */
function failed(error: unknown): false {
  if (!(error instanceof ChatError)) reportLater(error)
  return false
}

function subscriptions(user: string): Subscription[] {
  const logged = [
    topics.anyRoom('messages'),
    topics.anyRoom('events'),
    topics.user(user, 'messages'),
    topics.user(user, 'events'),
  ]
  return [
    ...logged.map((filter): Subscription => ({ filter, qos: 1 })),
    { filter: topics.anyRoom('receipts'), qos: 0 },
    // `sync` tells what rooms are like; here only changes are.
    { filter: topics.anyRoom('info'), qos: 0, retainHandling: 2 },
  ]
}
