/** Logs in memory: head and tail of those in use, their newest entries, and who follows them. */
import { type AppendedTo, type FollowedLog, type Follower, Followers } from '../followers.js'
import type { LogName } from '../log-name.js'
import type { AppendListener, Followed, GrowthListener, LogEntry, LogGrowth, LogInfo } from '../logs.js'
import { messageSize } from '../message-size.js'
import { BLOCK_ENTRIES } from './entry-codec.js'
import type { Appended, LogEvent } from './events.js'
import { PAGE } from './reader.js'
import type { StoredLogs } from './stored-logs.js'

/** Newest entries of a log that are kept in memory. */
const MOST_RECENT = 128
/** What an entry counts beside its bytes. */
const OVERHEAD = 200
/** Entries of a log that its followers are told of after a gap; those before are read by who needs them. */
const TOLD_AFTER_GAP = BLOCK_ENTRIES
const NOBODY: readonly Follower[] = []
/** A log without entries. */
const EMPTY = { head: 0, tail: 1, incarnation: 0, grownIn: 0, spokenIn: 0 }

/** A log in memory. */
export class KnownLog implements FollowedLog, LogGrowth {
  readonly name: LogName
  head: number
  tail: number
  incarnation: number
  grownIn: number
  spokenIn: number
  followers = NOBODY
  /** The newest entries: the last one has number `head`. */
  recent: LogEntry[] = []
  bytes = 0

  constructor({ name, head, tail, incarnation, grownIn, spokenIn }: LogGrowth) {
    this.name = name
    this.head = head
    this.tail = tail
    this.incarnation = incarnation
    this.grownIn = grownIn
    this.spokenIn = spokenIn
  }

  get firstRecent(): number {
    return this.head - this.recent.length + 1
  }
}

export class LogMemory {
  readonly #stored: StoredLogs
  /** Of the logs without followers those that grew last come last. */
  readonly #logs = new Map<LogName, KnownLog>()
  readonly #loading = new Map<LogName, Promise<KnownLog>>()
  /** Logs that changed while they were being loaded, in a way that does not say all about them. */
  readonly #changed = new Set<LogName>()
  readonly #followers: Followers
  readonly #most: number
  #bytes = 0

  /** @param most Bytes of entries */
  constructor(stored: StoredLogs, most: number, onFault: (error: unknown) => void) {
    this.#stored = stored
    this.#most = most
    this.#followers = new Followers(onFault)
  }

  get(name: LogName): KnownLog | undefined {
    return this.#logs.get(name)
  }

  follow(name: LogName, listener: AppendListener): Followed | Promise<Followed> {
    const known = this.#logs.get(name)
    return known ? this.#followers.add(known, listener) : this.load(name).then(() => this.follow(name, listener))
  }

  onGrowth(listener: GrowthListener): () => void {
    return this.#followers.onGrowth(listener)
  }

  /** What is in memory of logs with entries. */
  *withEntries(): Generator<LogInfo> {
    for (const log of this.#logs.values()) if (log.head > 0) yield log
  }

  load(name: LogName): Promise<KnownLog> {
    const known = this.#logs.get(name)
    if (known) return Promise.resolve(known)
    let loading = this.#loading.get(name)
    if (!loading) {
      loading = this.#read(name)
      this.#loading.set(name, loading)
      const done = (): void => {
        if (this.#loading.get(name) === loading) this.#loading.delete(name)
      }
      loading.then(done, done)
    }
    return loading
  }

  async #read(name: LogName): Promise<KnownLog> {
    for (;;) {
      this.#changed.delete(name)
      const info = await this.#stored.info(name)
      // An append told all there is to know.
      const known = this.#logs.get(name)
      if (known) return known
      if (this.#changed.delete(name)) continue
      const log = new KnownLog(info)
      this.#logs.set(name, log)
      this.#forgetOldest()
      return log
    }
  }

  /** Follows what a commit did to logs, and tells the followers; those of logs that it dropped last. */
  apply(events: readonly LogEvent[], commit: number): void {
    const batches: AppendedTo[] = []
    for (const event of events) if (event.type === 'appended') this.#append(event, commit, batches)
    for (const event of events) if (event.type === 'erased' || event.type === 'trimmed') this.#change(event)
    if (batches.length > 0) this.#followers.appended(batches)
    for (const event of events) if (event.type === 'dropped') this.#drop(event.log, event.incarnation)
  }

  #append(event: Appended, commit: number, batches: AppendedTo[]): void {
    const { log: name, incarnation, tail, first, count, ends, own } = event
    const known = this.#logs.get(name)
    if (!known && !own) return this.#grow(name, first + count - 1, incarnation)
    const log = known ?? this.#begin(name, { ...EMPTY, name, head: first - 1, tail, incarnation })
    // It was read from the store, or told, before.
    if (log.incarnation === incarnation && log.head >= first) return
    const entries = event.entries()
    if (log.head !== first - 1) this.#forgetEntries(log)
    log.incarnation = incarnation
    log.tail = tail
    log.head = first + count - 1
    log.grownIn = commit
    if (entries.some(({ isChange }) => !isChange)) log.spokenIn = commit
    this.#keep(log, entries)
    batches.push({ log: name, entries, target: log, ...(ends ? { ends } : {}) })
  }

  /** Nobody here reads the log. */
  #grow(name: LogName, head: number, incarnation: number): void {
    this.#noteChange(name)
    this.#followers.grew(name, head, incarnation)
  }

  /** Of a log that is not in memory. */
  #noteChange(name: LogName): void {
    if (this.#loading.has(name)) this.#changed.add(name)
  }

  #begin(name: LogName, info: LogGrowth): KnownLog {
    const log = new KnownLog(info)
    this.#logs.set(name, log)
    return log
  }

  #keep(log: KnownLog, entries: readonly LogEntry[]): void {
    const bytes = entries.reduce((sum, entry) => sum + messageSize(entry) + OVERHEAD, 0)
    for (const entry of entries) log.recent.push(entry)
    log.bytes += bytes
    this.#bytes += bytes
    while (log.recent.length > MOST_RECENT) {
      const size = messageSize(log.recent.shift()!) + OVERHEAD
      log.bytes -= size
      this.#bytes -= size
    }
    // It is the last now.
    this.#logs.delete(log.name)
    this.#logs.set(log.name, log)
    this.#forgetOldest()
  }

  #forgetEntries(log: KnownLog): void {
    this.#bytes -= log.bytes
    log.bytes = 0
    log.recent = []
  }

  /** Entries of the logs that have not grown for longest; logs without followers as a whole. */
  #forgetOldest(): void {
    if (this.#bytes + this.#logs.size * OVERHEAD <= this.#most) return
    let last: KnownLog | null = null
    for (const log of this.#logs.values()) {
      if (last && log.followers.length === 0) this.#logs.delete(last.name)
      this.#forgetEntries(log)
      last = log.followers.length === 0 ? log : last
      if (this.#bytes <= this.#most / 2) return
    }
  }

  #change(event: Extract<LogEvent, { type: 'erased' | 'trimmed' }>): void {
    const log = this.#logs.get(event.log)
    if (!log) return this.#noteChange(event.log)
    if (log.incarnation !== event.incarnation) return
    if (event.type === 'erased') this.#forgetEntries(log)
    else if (event.tail > log.tail) {
      log.tail = event.tail
      if (log.firstRecent < event.tail) this.#forgetEntries(log)
    }
  }

  #drop(name: LogName, incarnation: number): void {
    const log = this.#logs.get(name)
    if (!log) this.#noteChange(name)
    // One that was made anew since.
    if (log && log.incarnation > incarnation) return
    if (log) this.#reset(log, { ...EMPTY, name })
    this.#followers.dropped(name, incarnation)
  }

  #reset(log: KnownLog, { head, tail, incarnation, grownIn, spokenIn }: LogGrowth): void {
    this.#forgetEntries(log)
    log.grownIn = grownIn
    log.spokenIn = spokenIn
    log.head = head
    log.tail = tail
    log.incarnation = incarnation
  }

  /** What was told of the logs since is lost: reads how far each is, and tells their followers of their newest entries. */
  async repair(): Promise<void> {
    for (const log of [...this.#logs.values()]) if (log.followers.length === 0) this.#forget(log)
    const logs = [...this.#logs.values()]
    for (let i = 0; i < logs.length; i += PAGE)
      await Promise.all(logs.slice(i, i + PAGE).map((log) => this.#repair(log)))
  }

  async tellGrowth(names: readonly LogName[]): Promise<void> {
    for (let i = 0; i < names.length; i += PAGE)
      for (const { name, head, incarnation } of await Promise.all(
        names.slice(i, i + PAGE).map((one) => this.load(one)),
      ))
        if (head > 0) this.#followers.grew(name, head, incarnation)
  }

  #forget(log: KnownLog): void {
    this.#forgetEntries(log)
    this.#logs.delete(log.name)
  }

  async #repair(log: KnownLog): Promise<void> {
    const info = await this.#stored.info(log.name)
    if (info.incarnation === log.incarnation && info.head <= log.head) {
      log.tail = Math.max(log.tail, info.tail)
      this.#forgetEntries(log)
      return
    }
    const isSame = info.incarnation === log.incarnation
    const first = Math.max(info.tail, isSame ? log.head + 1 : 1, info.head - TOLD_AFTER_GAP + 1)
    const found = info.head > 0 ? await this.#stored.range(info, first, info.head) : []
    if (!isSame && log.head > 0) this.#drop(log.name, log.incarnation)
    this.#reset(log, info)
    this.#keep(log, found)
    if (found.length > 0) this.#followers.appended([{ log: log.name, entries: found, target: log }])
  }
}
