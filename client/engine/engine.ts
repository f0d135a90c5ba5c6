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
import { MemoryStore } from '../store/memory-store.js'
import type { Store } from '../store/store.js'
import type { Incoming, Subscription, Wire } from '../wire/wire.js'
import { CatchUp } from './catch-up.js'
import { Fetches } from './fetches.js'
import { itemOf, LiveInbox } from './inbox.js'
import { LiveItems } from './live-items.js'
import { Replica } from './replica.js'

const REFUSED = 0x80
/** Ms until a `sync` that failed is tried again on the same connection, and at most. */
const RETRY = 1000
const LONGEST_RETRY = 60_000

export interface EngineOptions {
  /** On the connection as it is: they do not wait for it to be online. */
  readonly ask: Methods
  readonly clock: Pick<Clock, 'timer'>
}

export class Engine {
  readonly replica: Replica
  readonly #clock: Pick<Clock, 'timer'>
  readonly #inbox = new LiveInbox()
  readonly #fetches: Fetches
  readonly #catchUp: CatchUp
  readonly #live: LiveItems
  /** The store that `open` was given last. */
  #store: Store | null = null
  /** What was read of it could not be written: nothing is kept in it any more. */
  #unwritable: Store | null = null
  /** In place of a store; null: it was not needed. */
  #memory: MemoryStore | null = null
  /** What comes live waits. */
  #isHeld = true
  #isDraining = false
  /** Of the present connection. */
  #connection: { readonly signal: Signal } | null = null
  /** Something was missed that only `sync` can tell. */
  #isBehind = false
  #retries = 0
  #stopRetry: Stop = () => {}
  readonly #whenUpToDate = new Set<() => void>()

  constructor({ ask, clock }: EngineOptions) {
    this.#clock = clock
    this.replica = new Replica()
    this.#fetches = new Fetches(ask, this.replica)
    this.#catchUp = new CatchUp(ask, this.replica, this.#fetches)
    this.#live = new LiveItems({ ask, replica: this.replica, fetches: this.#fetches, catchUp: this.#catchUp })
  }

  /**
   * What is kept in `store` is there from now on. It is of the user alone. Of one that could not be written memory takes the place until another
   * one is opened, so that what is shown does not go back and forth.
   */
  open(user: string, store: Store): Promise<void> {
    this.#store = store
    return store === this.#unwritable ? this.openInMemory(user) : this.replica.open(user, store)
  }

  /** For a device that keeps nothing. */
  openInMemory(user: string): Promise<void> {
    return this.replica.open(user, (this.#memory ??= new MemoryStore()))
  }

  /**
   * Subscribes, and brings the client up to date on this connection, on which it stays so until `ended`.
   * @throws ChatError
   */
  async begin(wire: Wire, user: string, signal: Signal, progress: (rooms: number) => void): Promise<void> {
    mustLast(signal)
    this.#connection = { signal }
    this.#isHeld = true
    this.#isBehind = false
    const reasons = await wire.subscribe(subscriptions(user), signal)
    if (reasons.some((reason) => reason >= REFUSED))
      throw new ChatError('forbidden', 'the broker refused the subscription to the rooms of this login')
    await this.#bringUpToDate(signal, progress)
    // It may have ended while the last of it was written.
    mustLast(signal)
    this.#retries = 0
    this.#release()
  }

  /** If the device cannot keep it, it is kept in memory from now on, and told anew. */
  async #bringUpToDate(signal: Signal, progress: (rooms: number) => void = () => {}): Promise<void> {
    try {
      await this.#catchUp.run(signal, progress)
    } catch (error) {
      if ((error as ChatError).code !== 'storage') throw error
      mustLast(signal)
      this.#unwritable = this.#store
      await this.openInMemory(this.replica.user!)
      await this.#catchUp.run(signal, progress)
    }
  }

  /** Nothing comes on that connection any more. */
  ended(): void {
    this.#connection = null
    this.#isHeld = true
    this.#stopRetry()
    this.#inbox.take()
  }

  /** False: it is not for the engine. */
  take(incoming: Incoming): boolean {
    const item = itemOf(incoming)
    if (!item) return false
    if (!this.#inbox.push(item, incoming.payload.length)) this.#isBehind = true
    void this.#drain()
    return true
  }

  /** See `Fetches.history`. */
  readonly history: Fetches['history'] = (room, params) => this.#fetches.history(room, params)

  /** Asks the broker for the counts of a room. */
  count(room: string): void {
    this.#live.count(room)
  }

  /** Calls `listener`, which must not throw, each time that the client has been brought up to date: then the broker can be asked. */
  onUpToDate(listener: () => void): Stop {
    this.#whenUpToDate.add(listener)
    return () => void this.#whenUpToDate.delete(listener)
  }

  #release(): void {
    this.#isHeld = false
    this.#live.countAll()
    this.#fetches.refreshAll()
    for (const listener of [...this.#whenUpToDate]) listener()
    void this.#drain()
  }

  /** Applies what has come. */
  async #drain(): Promise<void> {
    if (this.#isDraining) return
    this.#isDraining = true
    while (!this.#isHeld && !this.#inbox.isEmpty) {
      const isWhole = await this.#live.apply(this.#inbox.take()).catch(failed)
      if (!isWhole) this.#isBehind = true
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
      await this.#bringUpToDate(connection.signal)
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
