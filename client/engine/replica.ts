/** What the client knows of the broker: its rooms in memory, their messages in the store, and each change as one transaction. */
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { ChatError } from '../base/chat-error.js'
import { LiveValue } from '../base/live.js'
import { MemoryStore } from '../store/memory-store.js'
import type { Change, Store } from '../store/store.js'
import type { BrokerClock } from './broker-clock.js'
import { rootsAround } from './folding.js'
import { type RoomState, withMessages } from './room-state.js'
import { WHOLE } from './spans.js'

/** The row `['sync']` of the table `meta`. */
interface Kept {
  readonly user: string
  /** What `sync` gave to go on from; null: the client was not up to date yet. */
  readonly since: string | null
  /** See `BrokerClock`. */
  readonly ahead?: number
}

/** Rooms that have changed, or are gone. */
export type Listener = (rooms: ReadonlySet<string>) => void

const META = ['sync'] as const

export class Replica {
  readonly clock: BrokerClock
  /** Null: it was not opened yet. */
  #store: Store | null = null
  readonly #rooms = new Map<string, RoomState>()
  /** Why nothing is kept in the store that was opened last; null: it is. */
  readonly storageError = new LiveValue<ChatError | null>(null)
  #unusable: Store | null = null
  #user: string | null = null
  #since: string | null = null
  /** The last transaction. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #listeners = new Set<Listener>()
  readonly #watchers = new Set<{ readonly room: string }>()

  constructor(clock: BrokerClock) {
    this.clock = clock
  }

  get rooms(): ReadonlyMap<string, RoomState> {
    return this.#rooms
  }

  /** Whose it is; null: nobody's yet. */
  get user(): string | null {
    return this.#user
  }

  /** What `sync` goes on from; null: it begins. */
  get since(): string | null {
    return this.#since
  }

  /** From now on it is in this store: what was kept there of the user is read, what is of another one is dropped. `first` runs before it is seen. */
  open(user: string, store: Store, first: (tx: Transaction) => Promise<void>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#user === user && (store === this.#store || store === this.#unusable)) return
      this.storageError.set(null)
      const touched = new Set(this.#rooms.keys())
      await this.#read(user, store, first).catch((error: ChatError) => {
        this.#giveUp(store, error)
        return this.#read(user, new MemoryStore(), first)
      })
      // Also if there are none: it is known whose it is.
      this.#tell(new Set([...touched, ...this.#rooms.keys()]), true)
    })
  }

  async #read(user: string, store: Store, first: (tx: Transaction) => Promise<void>): Promise<void> {
    const [kept] = (await store.get('meta', [META])) as [Kept | undefined]
    const isOwn = kept?.user === user
    if (!isOwn)
      await store.write([
        { clear: 'rooms', prefix: [] },
        { clear: 'messages', prefix: [] },
      ])
    this.#rooms.clear()
    for (const { value } of isOwn ? await store.range('rooms') : []) this.#setRoom(value as RoomState)
    this.#store = store
    this.#user = user
    this.#since = isOwn ? kept.since : null
    if (isOwn) this.clock.ahead = kept.ahead ?? 0
    await this.#commit(first)
  }

  /** From now on it is in this store, in place of what was there. */
  moveTo(store: Store): Promise<void> {
    return this.#inTurn(() => this.#move(store).catch((error: ChatError) => this.#giveUp(store, error)))
  }

  async #move(store: Store): Promise<void> {
    const value: Kept = { user: this.#user!, since: this.#since, ahead: this.clock.ahead }
    const changes: Change[] = [{ put: 'meta', key: META, value }]
    for (const table of ['rooms', 'messages'] as const) {
      const rows = await this.#opened().range(table)
      changes.push({ clear: table, prefix: [] }, ...rows.map((row): Change => ({ put: table, ...row })))
    }
    await store.write(changes)
    this.#store = store
  }

  /** Nothing is kept in it any more, but in memory. @throws ChatError if that is not why the device failed */
  #giveUp(store: Store, error: ChatError): void {
    if (error.code !== 'storage') throw error
    this.#unusable = store
    this.storageError.set(error)
  }

  /** What the device could not keep is kept in memory, with all that is known. */
  async #toMemory(error: ChatError): Promise<void> {
    this.#giveUp(this.#opened(), error)
    const memory = new MemoryStore()
    // Of what cannot be read, either, nothing is known any more.
    await this.#move(memory).catch(() => {
      this.#rooms.clear()
      this.#since = null
    })
    this.#store = memory
  }

  /**
   * Runs after those before it. What `work` has changed is written at once when it resolves, and seen by all after that; if it rejects, nothing has
   * changed. If the device cannot keep it, it runs once more, in memory.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const { touched, result } = await this.#commit(work).catch(async (error: ChatError) => {
        await this.#toMemory(error)
        return this.#commit(work)
      })
      this.#tell(touched)
      return result
    })
  }

  async #commit<T>(work: (tx: Transaction) => Promise<T>): Promise<{ touched: ReadonlySet<string>; result: T }> {
    const tx = new Transaction(this.#opened(), this.#rooms)
    const result = await work(tx)
    await tx.write()
    if (tx.isCleared) for (const room of this.#rooms.keys()) this.#rooms.delete(room)
    for (const [room, state] of tx.states) {
      if (state) this.#setRoom(state)
      else this.#rooms.delete(room)
    }
    if (tx.kept) ({ user: this.#user, since: this.#since } = tx.kept)
    return { touched: tx.touched, result }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act)
    this.#last = next.catch(() => {})
    return next
  }

  #opened(): Store {
    if (this.#store) return this.#store
    throw new ChatError('offline', 'it is not known yet who is logged in')
  }

  /** Messages of the room from `first` to `last`, ascending; of more than `limit` the first ones, or if `reverse` the last ones. */
  async messages(
    room: string,
    [first, last]: readonly [number, number],
    { limit, reverse = false }: { readonly limit?: number; readonly reverse?: boolean } = {},
  ): Promise<LoggedMessage[]> {
    const range = { prefix: [room], after: [room, first - 1], before: [room, last + 1], reverse }
    const rows = await this.#opened().range('messages', limit === undefined ? range : { ...range, limit })
    const messages = rows.map(({ value }) => value as LoggedMessage)
    return reverse ? messages.reverse() : messages
  }

  /** Messages that began a thread to which one of these may have belonged, of which nothing else is known. */
  async rootsAround(room: string, seqs: readonly number[]): Promise<number[]> {
    return seqs.length === 0 ? [] : rootsAround(await this.messages(room, WHOLE), seqs)
  }

  /** Until the function that is returned is called, old messages of the room are not dropped. */
  watch(room: string): () => void {
    const watcher = { room }
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  isWatched(room: string): boolean {
    return this.watchersOf(room) > 0
  }

  watchersOf(room: string): number {
    return [...this.#watchers].filter((watcher) => watcher.room === room).length
  }

  /** `listener` must not throw. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #setRoom(state: RoomState): void {
    this.#rooms.set(state.room, state)
  }

  #tell(rooms: ReadonlySet<string>, isAnew = false): void {
    if (rooms.size > 0 || isAnew) for (const listener of [...this.#listeners]) listener(rooms)
  }
}

/** What one transaction reads and changes. Rooms are seen as it has changed them, messages as they were. */
export class Transaction {
  readonly #store: Store
  readonly #rooms: ReadonlyMap<string, RoomState>
  readonly #changes: Change[] = []
  readonly states = new Map<string, RoomState | null>()
  readonly touched = new Set<string>()
  isCleared = false
  kept: Kept | null = null

  constructor(store: Store, rooms: ReadonlyMap<string, RoomState>) {
    this.#store = store
    this.#rooms = rooms
  }

  room(id: string): RoomState | null {
    const changed = this.states.get(id)
    if (changed !== undefined) return changed
    return this.isCleared ? null : (this.#rooms.get(id) ?? null)
  }

  /** Those that the store has, by seq. */
  async messages(room: string, seqs: readonly number[]): Promise<Map<number, LoggedMessage>> {
    if (seqs.length === 0) return new Map()
    const rows = await this.#store.get(
      'messages',
      seqs.map((seq) => [room, seq]),
    )
    return new Map(rows.flatMap((row) => (row ? [[(row as LoggedMessage).seq, row as LoggedMessage]] : [])))
  }

  /** Puts the state of a room, with those of its messages that have changed. */
  put(before: RoomState, messages: readonly LoggedMessage[] = []): void {
    const state = withMessages(before, messages)
    const { room, seq: asOf } = state
    this.states.set(room, state)
    this.touched.add(room)
    this.#changes.push({ put: 'rooms', key: [room], value: state })
    for (const message of messages)
      this.#changes.push({ put: 'messages', key: [room, message.seq], value: message, asOf })
  }

  /** Drops messages of a room outside of `first` to `last`. */
  async keepMessages(room: string, [first, last]: readonly [number, number]): Promise<void> {
    const below = await this.#store.range('messages', { prefix: [room], before: [room, first] })
    const above = await this.#store.range('messages', { prefix: [room], after: [room, last] })
    for (const { key } of [...below, ...above]) this.#changes.push({ delete: 'messages', key })
  }

  remove(room: string): void {
    this.states.set(room, null)
    this.touched.add(room)
    this.#changes.push({ delete: 'rooms', key: [room] }, { clear: 'messages', prefix: [room] })
  }

  /** All of it is void. Comes before any other change. */
  clear(): void {
    this.isCleared = true
    for (const room of this.#rooms.keys()) this.touched.add(room)
    this.#changes.push({ clear: 'rooms', prefix: [] }, { clear: 'messages', prefix: [] })
  }

  setSince(since: string | null, user: string, ahead: number): void {
    this.kept = { user, since, ahead }
    this.#changes.push({ put: 'meta', key: META, value: this.kept })
  }

  write(): Promise<void> {
    return this.#changes.length > 0 ? this.#store.write(this.#changes) : Promise.resolve()
  }
}
