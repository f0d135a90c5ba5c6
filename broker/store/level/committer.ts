/** Performs one group commit: numbers the drafts, writes atomically, then updates memory and notifies listeners. */
import { type AppendResult, type Change, type Enqueued, GuardConflict, type StoreError } from '../changes.js'
import type { Effect } from '../effect.js'
import { isNameless } from '../gone.js'
import { type Guards, guardOfAllNotes, guardOfNotes, type RecordLimit } from '../guards.js'
import type { LogName } from '../log-name.js'
import { GUARDED_NOTES } from '../notes.js'
import type { ClearOp, EffectOp, Op } from '../op.js'
import type { StoreCounts } from '../store.js'
import type { TableChange } from '../tables.js'
import { CommitEncoder } from './commit-codec.js'
import { type Database, storeError } from './database.js'
import type { Dedupe } from './dedupe.js'
import type { DroppedLogs } from './dropped-logs.js'
import type { Journal } from './journal.js'
import { keys } from './keys.js'
import type { LevelLogs } from './level-logs.js'
import type { LevelNotes } from './notes.js'
import { type NumberedBatch, Numbering } from './numbering.js'
import type { OpStages } from './op-stages.js'
import { type Staging, WriteBatch } from './operation.js'
import type { LevelOutbox } from './outbox.js'
import { RecentChanges } from './recent-changes.js'
import { RecordCounts } from './record-counts.js'
import { recordRange } from './record-keys.js'
import type { Retained } from './retained.js'
import { SameRecords } from './same-records.js'

const NONE: ReadonlyMap<string, readonly string[]> = new Map()

/** The effect of entry `seq` of a log, or (0) of none. */
type EntryEffect = Numbering['effects'][number]

/** What memory lacks for a group. */
interface Needs {
  readonly logs: LogName[]
  readonly clears: ClearOp[]
  readonly limits: RecordLimit[]
}

/** Of the drafts of a change; null: a guard failed, and it was not committed. */
type Results = readonly AppendResult[] | null

export interface CommitterDeps {
  readonly database: Database
  readonly journal: Journal
  readonly logs: LevelLogs
  readonly dedupe: Dedupe
  readonly notes: LevelNotes
  readonly outbox: LevelOutbox
  readonly retained: Retained
  readonly dropped: DroppedLogs
  readonly ops: OpStages
  readonly counts: StoreCounts
  readonly sync: boolean
  /** The changes of tables in a commit. @param position Of the commit, ascending */
  readonly onChanges: (position: number, changes: readonly TableChange[]) => void
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

export class Committer {
  readonly #deps: CommitterDeps
  readonly #encoder = new CommitEncoder()
  readonly #recent = new RecentChanges()
  readonly #recordCounts: RecordCounts
  readonly #sameRecords: SameRecords
  /** Dedupe names of the prepared group's drafts that have one, in order. */
  #names: string[] = []
  /** Outcomes of what the changes of the group enqueue. */
  readonly #enqueued = new Map<Change, readonly Enqueued[]>()
  /** Position of the last commit that dropped a log. */
  #lastDrop = 0
  /** Keys on disk in the ranges that the prepared group clears. */
  #cleared: ReadonlyMap<string, readonly string[]> = NONE

  constructor(deps: CommitterDeps) {
    this.#deps = deps
    this.#recordCounts = new RecordCounts(deps.database)
    this.#sameRecords = new SameRecords(deps.database)
  }

  /** Loads what numbering needs and memory lacks: heads of logs, old dedupe records. Usually nothing. Hot path. */
  prepare(group: readonly Change[]): Promise<void> | undefined {
    const { logs, dedupe, dropped } = this.#deps
    if (dropped.size > 0) {
      const former = [...logsOf(group)].filter((log) => dropped.has(log))
      if (former.length > 0) return dropped.remove(former).then(() => this.prepare(group))
    }
    const needs: Needs = { logs: [], clears: [], limits: [] }
    const names: string[] = []
    for (const { drafts, ops, guards } of group) {
      for (const draft of drafts) {
        if (!logs.peek(draft.log)) needs.logs.push(draft.log)
        if (draft.dedupe) names.push(dedupe.nameOf(draft))
      }
      if (ops.length > 0) this.#addNeeds(ops, needs)
      if (guards?.limits) needs.limits.push(...guards.limits)
    }
    this.#names = names
    this.#cleared = NONE
    const waits: Promise<unknown>[] = []
    const records = names.length > 0 ? dedupe.prepare(names) : undefined
    if (records) waits.push(records)
    if (needs.logs.length > 0) waits.push(logs.load([...new Set(needs.logs)]))
    if (needs.clears.length > 0) waits.push(this.#readCleared(needs.clears))
    if (needs.limits.length > 0) waits.push(this.#recordCounts.prepare(needs.limits))
    return waits.length === 0 ? undefined : Promise.all(waits).then(() => undefined)
  }

  #addNeeds(ops: readonly Op[], needs: Needs): void {
    for (const op of ops)
      if (op.type === 'clear') needs.clears.push(op)
      else if ((op.type === 'effect' || op.type === 'dropLog') && !this.#deps.logs.peek(op.log)) needs.logs.push(op.log)
  }

  async #readCleared(clears: readonly ClearOp[]): Promise<void> {
    const found = new Map<string, string[]>()
    for (const { table, owner } of clears) {
      const range = recordRange(table, owner)
      if (found.has(range.gte)) continue
      const all: string[] = []
      for await (const page of this.#deps.database.keyPages(range)) for (const key of page) all.push(key)
      found.set(range.gte, all)
    }
    this.#cleared = found
  }

  /** Of the last commit that changed a table. */
  get position(): number {
    return this.#recent.position
  }

  /** What is stored was read anew: guards taken before are void. */
  reset(): void {
    this.#recent.reset()
    this.#recordCounts.settle(false)
  }

  /**
   * Makes the prepared group durable and settles it. Throws on error; then nothing is settled, and memory has to be
   * reloaded.
   */
  async write(group: readonly Change[]): Promise<void> {
    const { database, journal, logs, dedupe, outbox, counts, sync } = this.#deps
    const batch = new WriteBatch()
    const numbering = new Numbering(logs, dedupe, this.#encoder, this.#names)
    const staging: Staging = {
      ...{ batch, changes: [], touched: [], dropped: [], enqueued: [] },
      ...{ headOf: (log) => numbering.headOf(log), cleared: this.#cleared, now: this.#deps.now() },
    }
    let results: Results[]
    try {
      results = group.map((change) => this.#stage(change, numbering, staging))
    } catch (cause) {
      database.distrust()
      throw storeError('a change cannot be written', cause)
    }
    const appended = numbering.count > 0 ? numbering.finish() : null
    if (appended) batch.put(journal.nextKey, appended.value)
    for (const { log, entries } of appended?.batches ?? []) outbox.stage(batch, log, entries[0]!.seq)
    for (const log of staging.dropped) this.#stageDrop(log, batch)
    const durable = sync && group.some(({ lazy }) => !lazy)
    if (batch.size > 0) {
      await database.write(batch, durable)
      counts.writes += batch.size
      if (group.some(({ lazy }) => !lazy)) counts.commits++
    }
    this.#recordCounts.settle(true)
    counts.duplicates += numbering.duplicates
    if (appended) {
      journal.added(appended.value.length, numbering.count)
      for (const { target, runs } of appended.batches) logs.append(target, runs, journal.last)
      for (const one of numbering.effects) this.#erase(one)
      for (const [name, record] of numbering.records) dedupe.remember(name, record)
      counts.appended += numbering.count
    }
    this.#announce(group, results, appended?.batches ?? [], staging)
  }

  /** Adds a change to the commit that is being built, unless a guard of it fails. */
  #stage(change: Change, numbering: Numbering, staging: Staging): Results {
    const { drafts, ops, guards } = change
    if ((guards && !this.#holds(guards, staging)) || this.#isAboutFormerLog(change)) {
      for (const draft of drafts) numbering.leaveOut(draft)
      return null
    }
    // Not filled by `push`: an empty array that grows would reserve seventeen elements.
    const results: AppendResult[] = new Array(drafts.length)
    for (let i = 0; i < drafts.length; i++) {
      const draft = drafts[i]!
      const result = numbering.add(draft)
      if (draft.effect && result.outcome === 'appended') this.#stageOf(draft.log, result.seq, draft.effect, staging)
      results[i] = result
    }
    if (ops.length > 0) this.#stageOps(change, results, staging)
    if (staging.enqueued.length > 0) this.#enqueued.set(change, staging.enqueued.splice(0))
    return results
  }

  #stageOps({ drafts, ops }: Change, results: readonly AppendResult[], staging: Staging): void {
    const before = staging.changes.length
    for (const op of ops)
      if (op.type === 'effect') this.#stageOf(op.log, 0, op.effect, staging)
      else if (op.type === 'retainEntry') {
        const { outcome, seq } = results[op.draft]!
        if (outcome === 'appended') this.#deps.retained.stageEntry(op.topic, drafts[op.draft]!, seq, staging.batch)
      } else this.#deps.ops.stage(op, staging)
    for (let i = before; i < staging.changes.length; i++) {
      this.#recent.note(staging.changes[i]!)
      this.#recordCounts.note(staging.changes[i]!)
    }
    for (const guard of staging.touched.splice(0)) this.#recent.touch(guard)
  }

  #stageOf(log: LogName, seq: number, effect: Effect, { batch }: Staging): void {
    this.#stageEffect({ log: this.#deps.logs.peek(log)!, seq, effect }, batch)
    this.#touchNotes(log, seq, effect)
  }

  #touchNotes(log: LogName, seq: number, { notes = [], erase }: Effect): void {
    for (const erased of erase?.seqs ?? []) this.#recent.touch(guardOfNotes(log, erased))
    for (const { kind, target } of notes) {
      if (!GUARDED_NOTES.has(kind)) continue
      this.#recent.touch(guardOfNotes(log, target ?? seq))
      this.#recent.touch(guardOfAllNotes(log))
    }
  }

  #holds(guards: Guards, { changes }: Staging): boolean {
    const { limits = [], retained, same } = guards
    if (same && !this.#sameRecords.hold(same, changes)) return false
    if (retained && this.#deps.retained.counts.room(retained).beyond) return false
    return this.#recent.holds(guards) && limits.every((limit) => this.#recordCounts.hasRoom(limit))
  }

  /** Whether a log that the change adds to was dropped since it was decided. Hot path. */
  #isAboutFormerLog({ drafts, ops, guards, asOf }: Change): boolean {
    const at = guards?.at ?? asOf
    if (at === undefined || at >= this.#lastDrop) return false
    for (const { log } of drafts) if (this.#deps.logs.peek(log)!.droppedAt > at) return true
    for (const op of ops) if (op.type === 'effect' && this.#deps.logs.peek(op.log)!.droppedAt > at) return true
    return false
  }

  #stageDrop(log: LogName, batch: WriteBatch): void {
    this.#deps.dropped.stage(log, batch)
    this.#recent.noteDropped(log)
  }

  /** Adds the effect of entry `seq` on other entries to the batch. */
  #stageEffect({ log, seq, effect: { notes = [], erase } }: EntryEffect, batch: WriteBatch): void {
    this.#deps.notes.stage(batch, log.name, seq, notes)
    for (const erased of erase?.seqs ?? [])
      if (log.changesErasure(erased, erase!.gone))
        batch.put(keys.erased(log.name, erased, isNameless(erase!.gone)), JSON.stringify(erase!.gone))
  }

  /** Settles a group that could not be written. */
  fail(group: readonly Change[], error: StoreError): void {
    this.#enqueued.clear()
    for (const change of group) this.#guard(() => change.settled(error, []))
  }

  #announce(
    group: readonly Change[],
    results: readonly Results[],
    batches: readonly NumberedBatch[],
    { changes, dropped }: Staging,
  ): void {
    for (let i = 0; i < group.length; i++) {
      const { ops } = group[i]!
      if (ops.length > 0 && results[i]) for (const op of ops) this.#applied(op)
    }
    if (this.#recent.advance() || changes.length > 0)
      this.#guard(() => this.#deps.onChanges(this.#recent.position, changes))
    if (batches.length > 0) this.#deps.logs.announce(dropped.length > 0 ? batches.map(endedBy(dropped)) : batches)
    for (const log of dropped) this.#deps.dropped.applied(log, (this.#lastDrop = this.#recent.position))
    for (let i = 0; i < group.length; i++) this.#settle(group[i]!, results[i]!)
    this.#enqueued.clear()
  }

  #applied(op: Op): void {
    try {
      if (op.type === 'effect') this.#erase(this.#effectOf(op))
      else this.#deps.ops.applied(op)
    } catch (error) {
      this.#deps.onFault(error)
    }
  }

  #effectOf({ log, effect }: EffectOp): EntryEffect {
    return { log: this.#deps.logs.peek(log)!, seq: 0, effect }
  }

  #erase({ log, effect }: EntryEffect): void {
    if (effect.erase) this.#deps.logs.erase(log, effect.erase)
  }

  #settle(change: Change, results: Results): void {
    try {
      if (results) change.settled(null, results, this.#enqueued.size > 0 ? this.#enqueued.get(change) : undefined)
      else change.settled(new GuardConflict(this.#recent.position), [])
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

/** Marks what a commit adds to logs that it drops. */
function endedBy(dropped: readonly LogName[]): (batch: NumberedBatch) => NumberedBatch {
  return (batch) => (dropped.includes(batch.log) ? { ...batch, ends: true } : batch)
}

/** The logs that changes add to or whose entries they change. */
function logsOf(group: readonly Change[]): Set<LogName> {
  const logs = new Set<LogName>()
  for (const { drafts, ops } of group) {
    for (const { log } of drafts) logs.add(log)
    for (const op of ops) if (op.type === 'effect') logs.add(op.log)
  }
  return logs
}
