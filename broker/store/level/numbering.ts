/** Gives the drafts of one commit their numbers, from the heads in memory; nothing changes until the commit is durable. */
import type { AppendResult, Draft, Effect, LogEntry } from '../store.js'
import type { CommitEncoder, DedupeRecord } from './commit-codec.js'
import type { Dedupe } from './dedupe.js'
import type { LevelLogs } from './level-logs.js'
import type { RoomLog } from './room-log.js'
import { Run } from './run.js'

interface NumberedLog {
  readonly place: number
  readonly log: RoomLog
  readonly name: string
  readonly first: number
  readonly drafts: Draft[]
  readonly entries: LogEntry[]
  readonly runs: Run[]
}

/** What a commit adds to one log. */
export interface NumberedBatch {
  readonly log: RoomLog
  readonly name: string
  readonly entries: readonly LogEntry[]
  /** The same, as they lie in the commit. */
  readonly runs: readonly Run[]
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
  /** What the accepted drafts do to other entries. */
  readonly effects: { readonly log: RoomLog; readonly seq: number; readonly effect: Effect }[] = []
  /** Client-chosen ids used for the first time here. */
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
    return this.#encoder.count
  }

  /** The log is in memory. */
  add(draft: Draft): AppendResult {
    const name = draft.dedupe && this.#names[this.#nextName++]!
    const known = name && (this.records.get(name) ?? this.#dedupe.find(name))
    if (known) return this.#repeated(draft, known)
    if (draft.retryOnly) return ABSENT
    let log = this.#numbered.get(draft.log)
    if (!log) this.#numbered.set(draft.log, (log = this.#begin(draft.log)))
    const seq = log.first + log.drafts.length
    this.#encoder.add(log.place, draft, seq)
    log.drafts.push(draft)
    if (draft.effect) this.effects.push({ log: log.log, seq, effect: draft.effect })
    if (name) this.records.set(name, { hash: draft.dedupe!.hash, id: draft.id, seq, ts: draft.ts })
    return { outcome: 'appended', id: draft.id, seq, ts: draft.ts }
  }

  /** The journal value, and what each log gets. */
  finish(): { value: Buffer; batches: NumberedBatch[] } {
    const batches = [...this.#numbered.values()]
    const { value, runs, payloads } = this.#encoder.finish(batches)
    let next = 0
    for (const { log, at, count } of runs) {
      const batch = batches[log]!
      const { entries, drafts } = batch
      batch.runs.push(new Run(value, at, batch.first + entries.length, count))
      for (let left = count; left > 0; left--) {
        const payload = value.subarray(payloads[next++]!, payloads[next++]!)
        entries.push(toEntry(drafts[entries.length]!, batch.first + entries.length, payload))
      }
    }
    return { value, batches }
  }

  #begin(name: string): NumberedLog {
    const log = this.#logs.peek(name)!
    return { place: this.#numbered.size, log, name, first: log.head + 1, drafts: [], entries: [], runs: [] }
  }

  #repeated(draft: Draft, { hash, id, seq, ts }: DedupeRecord): AppendResult {
    const same = hash === draft.dedupe!.hash
    if (same) this.duplicates++
    return { outcome: same ? 'duplicate' : 'conflict', id, seq, ts }
  }
}

function toEntry({ ts, qos, from, origin = '', extra = null, aside }: Draft, seq: number, payload: Buffer): LogEntry {
  const entry = { seq, ts, qos, from, origin, payload, extra }
  return aside ? { ...entry, aside } : entry
}
