/** Performs one group commit: numbers the drafts, writes atomically, then updates memory and notifies listeners. */
import type { AppendedBatch, AppendResult, Change, Draft, StoreError } from '../changes.js'
import type { StoreCounts } from '../store.js'
import { CommitEncoder } from './commit-codec.js'
import { type Database, storeError } from './database.js'
import type { Dedupe } from './dedupe.js'
import { isNameless } from './gone.js'
import type { Journal } from './journal.js'
import { keys } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import type { LevelNotes } from './notes.js'
import { Numbering } from './numbering.js'
import { abandonOp, stageOp, WriteBatch } from './operation.js'
import type { LevelOutbox } from './outbox.js'

export interface CommitterDeps {
  readonly database: Database
  readonly journal: Journal
  readonly logs: LevelLogs
  readonly dedupe: Dedupe
  readonly notes: LevelNotes
  readonly outbox: LevelOutbox
  readonly counts: StoreCounts
  readonly sync: boolean
  readonly onAppend: (batches: readonly AppendedBatch[]) => void
  readonly onFault: (error: unknown) => void
}

export class Committer {
  readonly #deps: CommitterDeps
  readonly #encoder = new CommitEncoder()
  /** Dedupe names of the prepared group's drafts that have one, in order. */
  #names: string[] = []

  constructor(deps: CommitterDeps) {
    this.#deps = deps
  }

  /** Loads what numbering needs and memory lacks: heads of logs, old dedupe records. Usually nothing. */
  prepare(group: readonly Change[]): Promise<void> | undefined {
    const { logs, dedupe } = this.#deps
    const unknown: string[] = []
    const names: string[] = []
    this.#names = names
    for (const { drafts } of group)
      for (const draft of drafts) {
        if (!logs.peek(draft.log)) unknown.push(draft.log)
        if (draft.dedupe) names.push(dedupe.nameOf(draft))
      }
    const records = names.length > 0 ? dedupe.prepare(names) : undefined
    if (unknown.length === 0) return records
    return Promise.all([logs.load([...new Set(unknown)]), records]).then(() => undefined)
  }

  /**
   * Makes the prepared group durable and settles it. Throws on error; then nothing is settled, and memory has to be
   * reloaded.
   */
  async write(group: readonly Change[]): Promise<void> {
    const { database, journal, logs, dedupe, outbox, counts, sync } = this.#deps
    const batch = new WriteBatch()
    const numbering = new Numbering(logs, dedupe, this.#encoder, this.#names)
    let results: AppendResult[][]
    try {
      const add = (draft: Draft): AppendResult => numbering.add(draft)
      results = group.map(({ drafts }) => drafts.map(add))
      for (const { ops } of group) for (const op of ops) stageOp(op, batch)
    } catch (cause) {
      database.distrust()
      throw storeError('a change cannot be written', cause)
    }
    const appended = numbering.count > 0 ? numbering.finish() : null
    if (appended) batch.put(journal.nextKey, appended.value)
    for (const { log, entries } of appended?.batches ?? []) outbox.stage(batch, log, entries[0]!.seq)
    for (const one of numbering.effects) this.stageEffect(one, batch)
    const durable = sync && group.some(({ lazy }) => !lazy)
    if (batch.size > 0) {
      await database.write(batch, durable)
      counts.writes += batch.size
      if (group.some(({ lazy }) => !lazy)) counts.commits++
    }
    counts.duplicates += numbering.duplicates
    if (appended) {
      journal.added(appended.value.length, numbering.count)
      for (const { target, runs } of appended.batches) logs.append(target, runs)
      for (const { log, effect } of numbering.effects) if (effect.erase) logs.erase(log, effect.erase)
      for (const [name, record] of numbering.records) dedupe.remember(name, record)
      counts.appended += numbering.count
    }
    this.#announce(group, results, appended?.batches ?? [])
  }

  /** Adds the effect of entry `seq` on other entries to the batch. */
  stageEffect({ log, seq, effect: { notes = [], erase } }: Numbering['effects'][number], batch: WriteBatch): void {
    this.#deps.notes.stage(batch, log.name, seq, notes)
    for (const erased of erase?.seqs ?? [])
      if (log.changesErasure(erased, erase!.gone))
        batch.put(keys.erased(log.name, erased, isNameless(erase!.gone)), JSON.stringify(erase!.gone))
  }

  /** Fails a group. `staged`: whether its ops have changed memory already. */
  fail(group: readonly Change[], error: StoreError, staged: boolean): void {
    for (const change of group) {
      if (!staged) for (const op of change.ops) abandonOp(op)
      this.#guard(() => change.settled(error, []))
    }
  }

  #announce(group: readonly Change[], results: readonly AppendResult[][], batches: readonly AppendedBatch[]): void {
    for (const { ops } of group) for (const { applied } of ops) if (applied) this.#guard(applied)
    if (batches.length > 0) this.#guard(() => this.#deps.onAppend(batches))
    for (let i = 0; i < group.length; i++) this.#settle(group[i]!, results[i]!)
  }

  #settle(change: Change, results: readonly AppendResult[]): void {
    try {
      change.settled(null, results)
    } catch (error) {
      this.#deps.onFault(error)
    }
  }

  /** A listener that throws is a bug, which must not affect the others. */
  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#deps.onFault(error)
    }
  }
}
