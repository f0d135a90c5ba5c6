/** One log in memory: head, tail, and the entries that are not in chunks yet. */
import { LazyMap } from '../../util/lazy.js'
import type { FollowedLog, Follower } from '../followers.js'
import { EXPIRED, isExpired, isNameless, remains } from '../gone.js'
import type { Gone, LogEntry, LogGrowth } from '../logs.js'
import type { Chunk } from './chunk.js'
import { keys } from './keys.js'
import type { WriteBatch } from './operation.js'
import { holding, type Run } from './run.js'

/** What is stored of a log, so that opening it needs no scan; written with every fold and trim. */
export interface HeadRecord {
  /** Number of the last entry in a chunk. */
  folded: number
  tail: number
  /** The newest chunk; a small one is merged with the following entries. */
  newest: { first: number; count: number; bytes: number } | null
  /** Absent in records of logs from before it was kept. */
  made?: number
  /** `grownIn` and `spokenIn`; absent as `made`. */
  grown?: number
  spoken?: number
  /** The incarnation before, in a store that was moved: records of client-chosen ids may name it. Absent: there was none. */
  former?: number
}

/** Without what is 0. */
export function headRecord({ folded, tail, newest, ...numbers }: HeadRecord): string {
  const known = Object.entries(numbers).filter(([, value]) => value !== 0)
  return JSON.stringify({ folded, tail, newest, ...Object.fromEntries(known) })
}

const NOBODY: readonly Follower[] = []

/** By number. */
export type Erasures = ReadonlyMap<number, Gone>

export class RoomLog implements FollowedLog, LogGrowth {
  readonly name: string
  head = 0
  tail = 1
  folded = 0
  /** Number of the commit that appended the first entry; until that is folded, the journal says it. */
  incarnation = 0
  /** The incarnation before, with the same entries; 0: none. */
  former = 0
  grownIn = 0
  spokenIn = 0
  newest: HeadRecord['newest'] = null
  /** Entries folded + 1 … head. */
  recent: Run[] = []
  /** Cached chunks, ascending. */
  cached: Chunk[] = []
  followers = NOBODY
  /** Entries whose payload is erased, but still in a chunk or in the journal on disk. */
  erasing = new LazyMap<number, Gone>()
  /** Number of chunks rewritten: without payloads they had, or with more entries. */
  rewritten = 0
  /** Changes when the log is dropped or reloaded: results of earlier disk reads are then void. */
  epoch = 0
  /** Position of the commit that dropped it last. */
  droppedAt = 0

  constructor(name: string, record: Buffer | undefined) {
    this.name = name
    this.reset(record)
  }

  reset(record: Buffer | undefined): void {
    const head: HeadRecord = record ? JSON.parse(record.toString()) : { folded: 0, tail: 1, newest: null }
    this.head = this.folded = head.folded
    this.tail = head.tail
    this.newest = head.newest
    this.incarnation = head.made ?? 0
    this.former = head.former ?? 0
    this.grownIn = head.grown ?? 0
    this.spokenIn = head.spoken ?? 0
    this.recent = []
    this.cached = []
    this.erasing = new LazyMap()
    this.epoch++
  }

  /** The head record after the entries up to `newest` went into chunks. */
  record(folded: number, newest: HeadRecord['newest']): string {
    const { tail, incarnation, former, grownIn, spokenIn } = this
    return headRecord({ folded, tail, newest, made: incarnation, former, grown: grownIn, spoken: spokenIn })
  }

  goneAt(entry: LogEntry, now: number): Gone | undefined {
    const erased = this.erasing.get(entry.seq)
    if (isNameless(erased)) return erased
    return entry.gone ?? erased ?? (isExpired(entry, now) ? EXPIRED : undefined)
  }

  /** The entry as it is to be stored from now on. */
  keptAt(entry: LogEntry, now: number): LogEntry {
    const gone = this.goneAt(entry, now)
    if (!gone || gone === entry.gone || (isNameless(gone) && isNameless(entry.gone))) return entry
    return remains(entry, gone)
  }

  /** Whether an erasure changes anything: the first one of an entry counts, unless a later one removes the author's name too. */
  changesErasure(seq: number, gone: Gone): boolean {
    const known = this.erasing.get(seq)
    return !known || (isNameless(gone) && !isNameless(known))
  }

  /** Deletes the records of erasures in `batch`, which also applies them. Returns the erasures as they are now. */
  stageErased(seqs: readonly number[], batch: WriteBatch): Erasures {
    const known = new Map<number, Gone>()
    for (const seq of seqs) {
      const gone = this.erasing.get(seq)
      if (!gone) continue
      known.set(seq, gone)
      batch.del(keys.erased(this.name, seq, false))
      // Otherwise one that is being committed meanwhile would be lost.
      if (isNameless(gone)) batch.del(keys.erased(this.name, seq, true))
    }
    return known
  }

  /**
   * Drops erasures that are applied on disk, unless they have changed since. Delayed, as a reader may just have read
   * the chunk in its former version.
   */
  erasedOnDisk(erasures: Erasures): void {
    if (erasures.size === 0) return
    const { epoch } = this
    setImmediate(() => {
      if (this.epoch !== epoch) return
      for (const [seq, gone] of erasures) if (this.erasing.get(seq) === gone) this.erasing.delete(seq)
    })
  }

  /** `commit`: its number, which no other commit has. */
  append(runs: readonly Run[], commit: number): void {
    if (this.head === 0) this.incarnation = commit
    this.grownIn = commit
    for (const run of runs) {
      this.recent.push(run)
      this.head += run.count
      if (run.speaks) this.spokenIn = commit
    }
  }

  /** The run that holds `seq`, which is not in a chunk. */
  recentRun(seq: number): Run {
    return holding(this.recent, seq)!
  }

  /** Enough of the recent runs to contain so many entries, if there are that many. */
  firstRuns(entries: number): Run[] {
    let taken = 0
    for (let left = entries; left > 0 && taken < this.recent.length; ) left -= this.recent[taken++]!.count
    return this.recent.slice(0, taken)
  }

  /** Drops recent runs up to `seq`, which are in chunks now. */
  foldedTo(seq: number): void {
    this.folded = seq
    const kept = this.recent.findIndex(({ last }) => last > seq)
    this.recent = kept < 0 ? [] : this.recent.slice(kept)
    const [first] = this.recent
    if (first && first.first <= seq) this.recent[0] = first.after(seq)
  }

  /** The cached chunk that holds `seq`. */
  cachedChunk(seq: number): Chunk | undefined {
    return holding(this.cached, seq)
  }
}
