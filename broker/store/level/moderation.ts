/** What those who keep order leave: read once and kept in memory, which changes after the disk did. */
import type { Filter } from '../../../schemas/moderation.js'
import type { ModerationStore, ReportRecord } from '../moderation.js'
import type { Op } from '../store.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { put, type StagedOp } from './operation.js'

export class LevelModeration implements ModerationStore {
  filters: readonly Filter[] = []
  reports = new Map<string, ReportRecord>()
  readonly #database: Database
  readonly #now: () => number

  constructor(database: Database, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Reads everything; what it returns makes that what memory says, at once. */
  async load(): Promise<() => void> {
    const filters = await this.#database.get(keys.filters)
    const reports = new Map<string, ReportRecord>()
    await this.#database.scan(ranges.reports, (_key, value) => {
      const report = JSON.parse(value.toString()) as ReportRecord
      reports.set(report.id, report)
    })
    return () => {
      this.filters = filters ? JSON.parse(filters.toString()) : []
      this.reports = reports
    }
  }

  filtersOp(filters: readonly Filter[]): Op {
    const kept = structuredClone(filters)
    return put(keys.filters, JSON.stringify(kept), () => {
      this.filters = kept
    })
  }

  reportOp(report: ReportRecord): Op {
    const kept = { ...report }
    return put(keys.report(kept.id), JSON.stringify(kept), () => this.reports.set(kept.id, kept))
  }

  evidence(id: string): Promise<Buffer | null> {
    return this.#database.get(keys.evidence(id)).then((message) => message ?? null)
  }

  evidenceOp(id: string, message: Buffer): Op {
    return put(keys.evidence(id), Buffer.from(message))
  }

  deleteReportOp(id: string): Op {
    const evidence = keys.evidence(id)
    const stage: StagedOp['stage'] = (batch) => {
      batch.del(keys.report(id))
      batch.del(evidence)
      batch.put(keys.stale(evidence), String(this.#now()))
    }
    const op: StagedOp = { type: 'staged', stage, applied: () => void this.reports.delete(id) }
    return op
  }
}
