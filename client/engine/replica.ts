/** What the client knows of the broker: its rooms in memory, their messages in the store, and each change as one transaction. */
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { ChatError } from '../base/chat-error.js'
import type { Change, Store } from '../store/store.js'
import { rootsAround } from './folding.js'
import type { RoomState } from './room-state.js'
import { WHOLE } from './spans.js'

/** The row `['sync']` of the table `meta`. */
interface Kept {
  readonly user: string
  /** What `sync` gave to go on from; null: the client was not up to date yet. */
  readonly since: string | null
}

/** Rooms that have changed, or are gone. */
export type Listener = (rooms: ReadonlySet<string>) => void

const META = ['sync'] as const

export class Replica {
  /** Null: it was not opened yet. */
  #store: Store | null = null
  readonly #rooms = new Map<string, RoomState>()
  #user: string | null = null
  #since: string | null = null
  /** The last transaction. */
  #last: Promise<unknown> = Promise.resolve()
  readonly #listeners = new Set<Listener>()
  readonly #watchers = new Set<{ readonly room: string }>()

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

  /** From now on it is in this store: what was kept there of the user is read, what is of another one is dropped. */
  open(user: string, store: Store): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#store === store && this.#user === user) return
      const [kept] = (await store.get('meta', [META])) as [Kept | undefined]
      const isOwn = kept?.user === user
      if (!isOwn)
        await store.write([
          { clear: 'rooms', prefix: [] },
          { clear: 'messages', prefix: [] },
        ])
      const touched = new Set(this.#rooms.keys())
      this.#rooms.clear()
      for (const { value } of isOwn ? await store.range('rooms') : []) this.#setRoom(value as RoomState)
      this.#store = store
      this.#user = user
      this.#since = isOwn ? kept.since : null
      this.#tell(new Set([...touched, ...this.#rooms.keys()]))
    })
  }

  /**
   * Runs after those before it. What `work` has changed is written at once when it resolves, and seen by all after that; if it rejects, or the write
   * does, nothing has changed.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const tx = new Transaction(this.#opened(), this.#rooms)
      const result = await work(tx)
      await tx.write()
      if (tx.isCleared) for (const room of this.#rooms.keys()) this.#rooms.delete(room)
      for (const [room, state] of tx.states) {
        if (state) this.#setRoom(state)
        else this.#rooms.delete(room)
      }
      if (tx.kept) ({ user: this.#user, since: this.#since } = tx.kept)
      this.#tell(tx.touched)
      return result
    })
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
    return [...this.#watchers].some((watcher) => watcher.room === room)
  }

  /** `listener` must not throw. */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #setRoom(state: RoomState): void {
    this.#rooms.set(state.room, state)
  }

  #tell(rooms: ReadonlySet<string>): void {
    if (rooms.size > 0) for (const listener of [...this.#listeners]) listener(rooms)
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
  put(state: RoomState, messages: readonly LoggedMessage[] = []): void {
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

  setSince(since: string | null, user: string): void {
    this.kept = { user, since }
    this.#changes.push({ put: 'meta', key: META, value: this.kept })
  }

  write(): Promise<void> {
    return this.#changes.length > 0 ? this.#store.write(this.#changes) : Promise.resolve()
  }
}
