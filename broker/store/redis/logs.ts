/** The logs: the newest entries of those in use are in memory, all others are read. */
import { StoreError } from '../changes.js'
import { EXPIRED, isExpired, remains } from '../gone.js'
import type { LogName } from '../log-name.js'
import {
  type AppendListener,
  type Followed,
  type GoneEntries,
  type GrowthListener,
  growthOf,
  type LogEntry,
  type LogGrowth,
  type LogInfo,
  type LogReader,
} from '../logs.js'
import { type EntryView, Page } from '../page.js'
import type { UpkeepOp } from './commit-words.js'
import type { LogEvent } from './events.js'
import { type KnownLog, LogMemory } from './log-memory.js'
import { PAGE } from './reader.js'
import type { StoredLogs } from './stored-logs.js'

export interface LogUpkeep {
  /** Commits ops of the adapter itself. */
  commit(ops: readonly UpkeepOp[]): Promise<void>
  sweep(): Promise<void>
  now(): number
  onFault(error: unknown): void
}

export class RedisLogs implements LogReader {
  readonly #stored: StoredLogs
  readonly #memory: LogMemory
  readonly #upkeep: LogUpkeep

  /** @param cacheBytes Memory for entries */
  constructor(stored: StoredLogs, cacheBytes: number, upkeep: LogUpkeep) {
    this.#stored = stored
    this.#memory = new LogMemory(stored, cacheBytes, upkeep.onFault)
    this.#upkeep = upkeep
  }

  async open(name: LogName): Promise<LogGrowth> {
    return growthOf(await this.#memory.load(name))
  }

  async openAll(names: readonly LogName[]): Promise<LogGrowth[]> {
    const found: LogGrowth[] = []
    for (let i = 0; i < names.length; i += PAGE)
      for (const log of await Promise.all(names.slice(i, i + PAGE).map((name) => this.#memory.load(name))))
        found.push(growthOf(log))
    return found
  }

  /** The present life of a log; 0: it is empty. */
  incarnationOf(name: LogName): number | Promise<number> {
    const known = this.#memory.get(name)
    return known ? known.incarnation : this.#memory.load(name).then(({ incarnation }) => incarnation)
  }

  follow(name: LogName, listener: AppendListener): Followed | Promise<Followed> {
    return this.#memory.follow(name, listener)
  }

  onGrowth(listener: GrowthListener): () => void {
    return this.#memory.onGrowth(listener)
  }

  /** What is in memory of logs with entries. */
  known(): Iterable<LogInfo> {
    return this.#memory.withEntries()
  }

  /** Follows a commit, whose number is given. */
  apply(events: readonly LogEvent[], commit: number): void {
    this.#memory.apply(events, commit)
  }

  /** Hints that these logs have grown. */
  tellGrowth(names: readonly LogName[]): Promise<void> {
    return this.#memory.tellGrowth(names)
  }

  /** What was told of logs since is lost. */
  repair(): Promise<void> {
    return this.#memory.repair()
  }

  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    shown?: GoneEntries,
  ): LogEntry[] | Promise<LogEntry[]> {
    const log = this.#memory.get(name)
    if (!log) return this.#memory.load(name).then(() => this.read(name, after, limit, maxBytes, shown))
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
      const block = (await this.#stored.block(log, page.next)).filter(({ seq }) => seq <= log.head)
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
    const log = await this.#memory.load(name)
    const { incarnation } = log
    const page = new Page(Math.min(before - 1, log.head), limit, maxBytes, this.#viewFor(shown))
    while (!page.full && page.next >= log.tail && log.incarnation === incarnation) {
      const isRecent = page.next >= log.firstRecent
      const entries = isRecent ? log.recent : await this.#stored.block(log, page.next)
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
    const info = await this.#stored.info(log.name)
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
      const block = await this.#stored.block(info, seq)
      if (block.length === 0 || block.some(({ ts }) => ts >= before)) break
      seq = block[block.length - 1]!.seq + 1
    }
    return seq
  }

  sweep(): Promise<void> {
    return this.#upkeep.sweep()
  }

  names(): AsyncIterable<LogName> {
    return this.#stored.names()
  }
}
