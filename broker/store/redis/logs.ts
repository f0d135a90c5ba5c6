/** The logs: head and tail of those in use in memory with their newest entries; all others, and older entries, are read. */
import { StoreError } from '../changes.js'
import { type AppendedTo, type FollowedLog, type Follower, Followers } from '../followers.js'
import { EXPIRED, isExpired, remains } from '../gone.js'
import type { LogName } from '../log-name.js'
import type { AppendListener, Followed, GoneEntries, GrowthListener, LogEntry, LogInfo, LogReader } from '../logs.js'
import { messageSize } from '../message-size.js'
import { type EntryView, Page } from '../page.js'
import type { UpkeepOp } from './commit-words.js'
import { BLOCK_ENTRIES, decodeEntry } from './entry-codec.js'
import type { Appended, LogEvent } from './events.js'
import type { Keys } from './keys.js'
import { PAGE, type Reader } from './reader.js'

/** Newest entries of a log that are kept in memory. */
const MOST_RECENT = 128
/** What an entry counts beside its bytes. */
const OVERHEAD = 200
/** Entries of a log that its followers are told of after a gap; those before are read by who needs them. */
const TOLD_AFTER_GAP = BLOCK_ENTRIES
const NOBODY: readonly Follower[] = []

/** A log in memory. */
class KnownLog implements FollowedLog {
  readonly name: LogName
  head: number
  tail: number
  incarnation: number
  followers = NOBODY
  /** The newest entries: the last one has number `head`. */
  recent: LogEntry[] = []
  bytes = 0

  constructor({ name, head, tail, incarnation }: LogInfo) {
    this.name = name
    this.head = head
    this.tail = tail
    this.incarnation = incarnation
  }

  get firstRecent(): number {
    return this.head - this.recent.length + 1
  }
}

export interface LogUpkeep {
  /** Commits ops of the adapter itself. */
  commit(ops: readonly UpkeepOp[]): Promise<void>
  sweep(): Promise<void>
  now(): number
  onFault(error: unknown): void
}

export class RedisLogs implements LogReader {
  readonly #reader: Reader
  readonly #keys: Keys
  readonly #upkeep: LogUpkeep
  /** Of the logs without followers those that grew last come last. */
  readonly #logs = new Map<LogName, KnownLog>()
  readonly #loading = new Map<LogName, Promise<KnownLog>>()
  /** Logs that changed while they were being loaded, in a way that does not say all about them. */
  readonly #changed = new Set<LogName>()
  readonly #followers: Followers
  readonly #most: number
  #bytes = 0

  /** @param cacheBytes Memory for entries */
  constructor(reader: Reader, keys: Keys, cacheBytes: number, upkeep: LogUpkeep) {
    this.#reader = reader
    this.#keys = keys
    this.#most = cacheBytes
    this.#upkeep = upkeep
    this.#followers = new Followers(upkeep.onFault)
  }

  async open(name: LogName): Promise<LogInfo> {
    const { head, tail, incarnation } = await this.#load(name)
    return { name, head, tail, incarnation }
  }

  /** The present life of a log; 0: it is empty. */
  incarnationOf(name: LogName): number | Promise<number> {
    const known = this.#logs.get(name)
    return known ? known.incarnation : this.#load(name).then(({ incarnation }) => incarnation)
  }

  follow(name: LogName, listener: AppendListener): Followed | Promise<Followed> {
    const known = this.#logs.get(name)
    return known ? this.#followers.add(known, listener) : this.#load(name).then(() => this.follow(name, listener))
  }

  onGrowth(listener: GrowthListener): () => void {
    return this.#followers.onGrowth(listener)
  }

  /** What is in memory of logs with entries. */
  *known(): Generator<LogInfo> {
    for (const log of this.#logs.values()) if (log.head > 0) yield log
  }

  #load(name: LogName): Promise<KnownLog> {
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
      const info = await this.#readInfo(name)
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

  async #readInfo(name: LogName): Promise<LogInfo> {
    const [head, tail, life] = await this.#reader.hashFields(this.#keys.head(name), ['head', 'tail', 'life'])
    return { name, head: Number(head ?? 0), tail: Number(tail ?? 1), incarnation: Number(life ?? 0) }
  }

  /** Follows what a commit did to logs, and tells the followers; those of logs that it dropped last. */
  apply(events: readonly LogEvent[]): void {
    const batches: AppendedTo[] = []
    for (const event of events) if (event.type === 'appended') this.#append(event, batches)
    for (const event of events) if (event.type === 'erased' || event.type === 'trimmed') this.#change(event)
    if (batches.length > 0) this.#followers.appended(batches)
    for (const event of events) if (event.type === 'dropped') this.#drop(event.log, event.incarnation)
  }

  #append(event: Appended, batches: AppendedTo[]): void {
    const { log: name, incarnation, tail, first, count, ends, own } = event
    const known = this.#logs.get(name)
    if (!known && !own) return this.#grow(name, first + count - 1, incarnation)
    const log = known ?? this.#begin(name, { name, head: first - 1, tail, incarnation })
    // It was read from the store, or told, before.
    if (log.incarnation === incarnation && log.head >= first) return
    const entries = event.entries()
    if (log.head !== first - 1) this.#forgetEntries(log)
    log.incarnation = incarnation
    log.tail = tail
    log.head = first + count - 1
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

  #begin(name: LogName, info: LogInfo): KnownLog {
    const log = new KnownLog(info)
    this.#logs.set(name, log)
    return log
  }

  #keep(log: KnownLog, entries: readonly LogEntry[]): void {
    const bytes = entries.reduce((sum, entry) => sum + messageSize(entry) + OVERHEAD, 0)
    log.recent = [...log.recent, ...entries]
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
    if (log) this.#reset(log, { name, head: 0, tail: 1, incarnation: 0 })
    this.#followers.dropped(name, incarnation)
  }

  #reset(log: KnownLog, { head, tail, incarnation }: LogInfo): void {
    this.#forgetEntries(log)
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

  #forget(log: KnownLog): void {
    this.#forgetEntries(log)
    this.#logs.delete(log.name)
  }

  async #repair(log: KnownLog): Promise<void> {
    const info = await this.#readInfo(log.name)
    if (info.incarnation === log.incarnation && info.head <= log.head) {
      log.tail = Math.max(log.tail, info.tail)
      this.#forgetEntries(log)
      return
    }
    const isSame = info.incarnation === log.incarnation
    const first = Math.max(info.tail, isSame ? log.head + 1 : 1, info.head - TOLD_AFTER_GAP + 1)
    const found = info.head > 0 ? await this.#readRange(info, first, info.head) : []
    if (!isSame && log.head > 0) this.#drop(log.name, log.incarnation)
    this.#reset(log, info)
    this.#keep(log, found)
    if (found.length > 0) this.#followers.appended([{ log: log.name, entries: found, target: log }])
  }

  async #readRange(info: LogInfo, first: number, last: number): Promise<LogEntry[]> {
    const entries: LogEntry[] = []
    for (let seq = first; seq <= last; ) {
      const block = await this.#block(info, seq)
      if (block.length === 0) return entries
      for (const entry of block) if (entry.seq >= seq && entry.seq <= last) entries.push(entry)
      seq = block[block.length - 1]!.seq + 1
    }
    return entries
  }

  /** The entries beside `seq` in the store; none: the log was trimmed or dropped. */
  async #block({ name, incarnation }: LogInfo, seq: number): Promise<LogEntry[]> {
    const number = Math.floor((seq - 1) / BLOCK_ENTRIES)
    const found = await this.#reader.list(this.#keys.block(name, incarnation, number), 0, -1)
    return found.map((value, i) => decodeEntry(value, number * BLOCK_ENTRIES + 1 + i))
  }

  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    shown?: GoneEntries,
  ): LogEntry[] | Promise<LogEntry[]> {
    const log = this.#logs.get(name)
    if (!log) return this.#load(name).then(() => this.read(name, after, limit, maxBytes, shown))
    const page = new Page(Math.max(after + 1, log.tail), limit, maxBytes, this.#viewFor(shown))
    if (page.next >= log.firstRecent) page.take(log.recent, log.firstRecent)
    return page.full || page.next > log.head ? page.entries : this.#takeStored(log, page)
  }

  async #takeStored(log: KnownLog, page: Page): Promise<LogEntry[]> {
    const { incarnation } = log
    while (!page.full && page.next <= log.head && log.incarnation === incarnation) {
      if (page.next >= log.firstRecent) {
        page.take(log.recent, log.firstRecent)
        continue
      }
      const block = (await this.#block(log, page.next)).filter(({ seq }) => seq <= log.head)
      if (block.length > 0) page.take(block, block[0]!.seq)
      else if (!(await this.#hasMoved(log, page.next))) return page.entries
      else page.skipTo(log.tail)
    }
    return page.entries
  }

  async readBefore(
    name: LogName,
    before: number,
    limit: number,
    maxBytes: number,
    shown?: GoneEntries,
  ): Promise<LogEntry[]> {
    const log = await this.#load(name)
    const { incarnation } = log
    const page = new Page(Math.min(before - 1, log.head), limit, maxBytes, this.#viewFor(shown))
    while (!page.full && page.next >= log.tail && log.incarnation === incarnation) {
      const isRecent = page.next >= log.firstRecent
      const entries = isRecent ? log.recent : await this.#block(log, page.next)
      if (entries.length > 0) page.takeBackwards(entries, entries[0]!.seq, log.tail)
      else if (!(await this.#hasMoved(log, page.next))) break
    }
    return page.entries.reverse()
  }

  /**
   * An entry is not stored. Returns whether the log was trimmed, which is taken over here. False: it was dropped.
   * @throws StoreError if it should be there
   */
  async #hasMoved(log: KnownLog, seq: number): Promise<boolean> {
    const info = await this.#readInfo(log.name)
    if (info.incarnation !== log.incarnation) return false
    if (info.tail <= seq) throw new StoreError(`log ${log.name} is damaged: entry ${seq} is missing`)
    log.tail = Math.max(log.tail, info.tail)
    return true
  }

  #viewFor(shown: GoneEntries | undefined): EntryView {
    const now = this.#upkeep.now()
    return (entry) => {
      const gone = entry.gone ?? (isExpired(entry, now) ? EXPIRED : undefined)
      if (!gone || (gone === EXPIRED && shown === 'expired too')) return entry
      return shown === 'shown' ? remains(entry, gone) : null
    }
  }

  trim(name: LogName, upTo: number): Promise<void> {
    return this.#upkeep.commit([{ type: 'trim', log: name, upTo }])
  }

  async retain(name: LogName, { before, keep }: { before: number; keep: number }): Promise<void> {
    const info = await this.open(name)
    let upTo = keep > 0 ? info.head - keep : 0
    if (before > 0) upTo = Math.max(upTo, (await this.#firstSince(info, before)) - 1)
    if (upTo >= info.tail) await this.trim(name, upTo)
  }

  /** First number of the oldest block that has an entry not older than `before`. */
  async #firstSince(info: LogInfo, before: number): Promise<number> {
    let seq = info.tail
    while (seq <= info.head) {
      const block = await this.#block(info, seq)
      if (block.length === 0 || block.some(({ ts }) => ts >= before)) break
      seq = block[block.length - 1]!.seq + 1
    }
    return seq
  }

  sweep(): Promise<void> {
    return this.#upkeep.sweep()
  }

  async *names(): AsyncGenerator<LogName> {
    const seen = new Set<LogName>()
    for await (const page of this.#reader.setPages(this.#keys.logs))
      for (const name of page) if (!seen.has(name) && seen.add(name)) yield name
  }
}
