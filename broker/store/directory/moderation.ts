/** Reports and content filters in memory, evidence read on demand. */
import type { Filter } from '../../../schemas/moderation.js'
import type { ModerationStore, ReportRecord } from '../moderation.js'
import { type Op, put, wipe } from '../op.js'
import { keyOf, type Tables } from '../tables.js'
import { type MemoryTable, parse, SingleTable, type Value } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

/** One record holds all filters. */
const ALL = ''

class FilterTable implements MemoryTable {
  filters: readonly Filter[] = []

  apply(_key: string, value: Value | null): void {
    this.filters = value === null ? [] : parse(value)
  }

  clear(): void {
    this.filters = []
  }
}

export class Moderation implements ModerationStore {
  readonly #tables: Tables
  readonly #reads: Reads | null
  readonly #filters: TableSlot<FilterTable>
  readonly #reports: TableSlot<SingleTable<ReportRecord>>

  /** @param reads Records what is read */
  constructor(tables: Tables, slots: TableSlots, reads: Reads | null) {
    this.#tables = tables
    this.#reads = reads
    this.#filters = slots.of('filters', () => new FilterTable())
    this.#reports = slots.of('report', () => new SingleTable<ReportRecord>(parse))
  }

  get filters(): readonly Filter[] {
    this.#reads?.record('filters', ALL)
    return this.#filters.now.filters
  }

  report(id: string): ReportRecord | undefined {
    this.#reads?.record('report', keyOf(id))
    return this.reports.get(id)
  }

  get reports(): ReadonlyMap<string, ReportRecord> {
    return this.#reports.now.records
  }

  filtersOp(filters: readonly Filter[]): Op {
    return put('filters', ALL, JSON.stringify(filters))
  }

  reportOp(report: ReportRecord): Op {
    return { ...put('report', keyOf(report.id), JSON.stringify(report)), wipe: true }
  }

  async evidence(id: string): Promise<Buffer | null> {
    return (await this.#tables.get('evidence', keyOf(id))) ?? null
  }

  evidenceOp(id: string, message: Buffer): Op {
    return put('evidence', keyOf(id), Buffer.from(message))
  }

  deleteEvidenceOp(id: string): Op {
    return wipe('evidence', keyOf(id))
  }

  deleteReportOps(id: string): Op[] {
    return [wipe('report', keyOf(id)), wipe('evidence', keyOf(id))]
  }
}
