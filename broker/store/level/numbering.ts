/** Numbers the drafts of one commit from the heads in memory, which change only after the commit is durable. */
import type { AppendResult, Draft } from '../changes.js'
import { cidHash } from '../cid-digest.js'
import type { Effect } from '../effect.js'
import type { LogName } from '../log-name.js'
import type { AppendedBatch, LogEntry } from '../logs.js'
import type { CommitEncoder, DedupeRecord } from './commit-codec.js'
import type { Dedupe } from './dedupe.js'
import type { HashedRecord } from './dedupe-records.js'
import type { LevelLogs } from './level-logs.js'
import type { RoomLog } from './room-log.js'
import { Run } from './run.js'

/** What a commit adds to one log. */
export interface NumberedBatch extends AppendedBatch {
  readonly target: RoomLog
  /** The entries in their encoded form. */
  readonly runs: readonly Run[]
}

interface NumberedLog extends NumberedBatch {
  readonly place: number
  readonly first: number
  count: number
  entries: LogEntry[]
  runs: Run[]
}

const ABSENT: AppendResult = { outcome: 'absent', id: '', seq: 0, ts: 0 }

export class Numbering {
  readonly #logs: LevelLogs
  readonly #dedupe: Dedupe
  readonly #encoder: CommitEncoder
  /** Dedupe names of the drafts that have one, in order. */
  readonly #names: readonly string[]
  #nextName = 0
  readonly #numbered = new Map<string, NumberedLog>()
  /** The accepted drafts, in order. */
  readonly #drafts: Draft[] = []
  /** Effects of the accepted drafts on other entries. */
  readonly effects: { readonly log: RoomLog; readonly seq: number; readonly effect: Effect }[] = []
  /** Client-chosen ids used for the first time in this commit. */
  readonly records = new Map<string, DedupeRecord>()
  duplicates = 0

  constructor(logs: LevelLogs, dedupe: Dedupe, encoder: CommitEncoder, names: readonly string[]) {
    this.#logs = logs
    this.#dedupe = dedupe
    this.#encoder = encoder
    this.#names = names
    encoder.begin()
  }

  get count(): number {
    return this.#drafts.length
  }

  /** The log must be in memory. */
  add(draft: Draft): AppendResult {
    const name = draft.dedupe && this.#names[this.#nextName++]!
    const known = name && (this.records.get(name) ?? this.#find(draft.log, name))
    if (known) return this.#repeated(draft, known)
    if (draft.retryOnly) return ABSENT
    let log = this.#numbered.get(draft.log)
    if (!log) this.#numbered.set(draft.log, (log = this.#begin(draft.log)))
    const seq = log.first + log.count++
    this.#encoder.add(log.place, draft, seq)
    this.#drafts.push(draft)
    if (draft.effect) this.effects.push({ log: log.target, seq, effect: draft.effect })
    if (name) this.records.set(name, { hash: draft.dedupe!.hash, id: draft.id, seq, ts: draft.ts })
    return { outcome: 'appended', id: draft.id, seq, ts: draft.ts }
  }

  /** With what the commit has added so far; 0: the log is empty, or not in memory. */
  headOf(log: LogName): number {
    const begun = this.#numbered.get(log)
    return begun ? begun.first + begun.count - 1 : (this.#logs.peek(log)?.head ?? 0)
  }

  /** Passes over a draft that is not committed. */
  leaveOut(draft: Draft): void {
    if (draft.dedupe) this.#nextName++
  }

  /** The journal value, and what each log gets. */
  finish(): { value: Buffer; batches: NumberedBatch[] } {
    const batches = [...this.#numbered.values()]
    const { value, runs, payloads } = this.#encoder.finish(batches)
    let next = 0
    for (const { log, at, count } of runs) {
      const batch = batches[log]!
      const first = batch.runs.at(-1)?.last ?? batch.first - 1
      const run = new Run(value, at, first + 1, count)
      const entries: LogEntry[] = new Array(count)
      for (let i = 0; i < count; i++, next++) {
        const payload = value.subarray(payloads[2 * next]!, payloads[2 * next + 1]!)
        entries[i] = toEntry(this.#drafts[next]!, run.first + i, payload)
      }
      if (batch.runs.length === 0) {
        batch.runs = [run]
        batch.entries = entries
      } else {
        batch.runs.push(run)
        for (const entry of entries) batch.entries.push(entry)
      }
    }
    return { value, batches }
  }

  #begin(log: string): NumberedLog {
    const target = this.#logs.peek(log)!
    return { place: this.#numbered.size, log, target, first: target.head + 1, count: 0, entries: [], runs: [] }
  }

  /** A record of a former log of that name does not count. */
  #find(log: string, name: string): DedupeRecord | HashedRecord | undefined {
    const known = this.#dedupe.find(name)
    if (!known || !('incarnation' in known)) return known
    const { incarnation, former, head } = this.#logs.peek(log)!
    const isOf = known.incarnation === incarnation || (former !== 0 && known.incarnation === former)
    return isOf && known.seq <= head ? known : undefined
  }

  #repeated(draft: Draft, known: DedupeRecord | HashedRecord): AppendResult {
    const { id, seq, ts } = known
    const { hash } = draft.dedupe!
    const same = known.hash === ('incarnation' in known ? cidHash(hash).toString('hex') : hash)
    if (same) this.duplicates++
    return { outcome: same ? 'duplicate' : 'conflict', id, seq, ts }
  }
}

function toEntry(
  { ts, qos, from, origin = '', extra = null, isChange }: Draft,
  seq: number,
  payload: Buffer,
): LogEntry {
  const entry = { seq, ts, qos, from, origin, payload, extra }
  return isChange ? { ...entry, isChange } : entry
}
