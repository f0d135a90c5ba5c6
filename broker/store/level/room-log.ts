/** One log in memory: where it begins and ends, and the entries that are not yet in chunks. */
import type { Gone, LogEntry, LogInfo } from '../logs.js'
import type { Chunk } from './chunk.js'
import { EXPIRED, isExpired, isNameless, remains } from './gone.js'
import { keys } from './keys.js'
import type { WriteBatch } from './operation.js'
import { holding, type Run } from './run.js'

/** What the disk knows of a log without a scan; written with every fold and trim. */
export interface HeadRecord {
  /** Number of the last entry that is in a chunk. */
  folded: number
  tail: number
  /** The newest chunk: small ones are merged with what comes next. */
  newest: { first: number; count: number; bytes: number } | null
}

/** By number. */
export type Erasures = ReadonlyMap<number, Gone>

export class RoomLog implements LogInfo {
  readonly name: string
  head = 0
  tail = 1
  folded = 0
  newest: HeadRecord['newest'] = null
  /** Entries folded + 1 … head. */
  recent: Run[] = []
  /** Chunks in memory, ascending. */
  cached: Chunk[] = []
  /** Entries whose payload is erased, and still lies in a chunk or in the journal. */
  readonly erasing = new Map<number, Gone>()
  /** Times a chunk was written anew: without payloads it had, or with more entries. */
  rewritten = 0
  /** Changes when the log is dropped or read anew: what was read from disk before is void. */
  epoch = 0

  constructor(name: string, record: Buffer | undefined) {
    this.name = name
    this.reset(record)
  }

  reset(record: Buffer | undefined): void {
    const head: HeadRecord = record ? JSON.parse(record.toString()) : { folded: 0, tail: 1, newest: null }
    this.head = this.folded = head.folded
    this.tail = head.tail
    this.newest = head.newest
    this.recent = []
    this.cached = []
    this.erasing.clear()
    this.epoch++
  }

  /** Its head record once the entries up to `newest` are in chunks. */
  record(folded: number, newest: HeadRecord['newest']): string {
    return JSON.stringify({ folded, tail: this.tail, newest } satisfies HeadRecord)
  }

  goneAt(entry: LogEntry, now: number): Gone | undefined {
    const erased = this.erasing.get(entry.seq)
    if (isNameless(erased)) return erased
    return entry.gone ?? erased ?? (isExpired(entry, now) ? EXPIRED : undefined)
  }

  /** The entry as it is to be kept from now on. */
  keptAt(entry: LogEntry, now: number): LogEntry {
    const gone = this.goneAt(entry, now)
    if (!gone || gone === entry.gone || (isNameless(gone) && isNameless(entry.gone))) return entry
    return remains(entry, gone)
  }

  /** Whether an erasure says anything new: who was first to erase an entry stays, until no name is to be left of it. */
  isNews(seq: number, gone: Gone): boolean {
    const known = this.erasing.get(seq)
    return !known || (isNameless(gone) && !isNameless(known))
  }

  /** Erasures of entries as they are known now: `batch`, which makes the disk follow them, lets them go there. */
  stageErased(seqs: readonly number[], batch: WriteBatch): Erasures {
    const known = new Map<number, Gone>()
    for (const seq of seqs) {
      const gone = this.erasing.get(seq)
      if (!gone) continue
      known.set(seq, gone)
      batch.del(keys.erased(this.name, seq, false))
      // Or one that is being committed meanwhile would be lost.
      if (isNameless(gone)) batch.del(keys.erased(this.name, seq, true))
    }
    return known
  }

  /**
   * Forgets erasures that the disk has followed, unless they say more by now. Not at once: who has just read the chunk as it was
   * before still has to be told.
   */
  erasedOnDisk(erasures: Erasures): void {
    if (erasures.size === 0) return
    const { epoch } = this
    setImmediate(() => {
      if (this.epoch !== epoch) return
      for (const [seq, gone] of erasures) if (this.erasing.get(seq) === gone) this.erasing.delete(seq)
    })
  }

  append(runs: readonly Run[]): void {
    for (const run of runs) {
      this.recent.push(run)
      this.head += run.count
    }
  }

  /** The run that holds `seq`, which is not in a chunk. */
  recentRun(seq: number): Run {
    return holding(this.recent, seq)!
  }

  /** Enough of them for so many entries, where there are. */
  firstRuns(entries: number): Run[] {
    let taken = 0
    for (let left = entries; left > 0 && taken < this.recent.length; ) left -= this.recent[taken++]!.count
    return this.recent.slice(0, taken)
  }

  /** What is in chunks up to `seq` is not recent any more. */
  foldedTo(seq: number): void {
    this.folded = seq
    const kept = this.recent.findIndex(({ last }) => last > seq)
    this.recent = kept < 0 ? [] : this.recent.slice(kept)
    const [first] = this.recent
    if (first && first.first <= seq) this.recent[0] = first.after(seq)
  }

  /** The chunk in memory that holds `seq`. */
  cachedChunk(seq: number): Chunk | undefined {
    return holding(this.cached, seq)
  }
}
