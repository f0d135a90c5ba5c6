/** Reports and content filters: loaded at the start and kept in memory, which is updated after the disk. */
import type { Filter } from '../../../schemas/moderation.js'
import type { ModerationStore, ReportRecord } from '../moderation.js'
import type { Op } from '../op.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { put, type StagedOp, wipe } from './operation.js'

export class LevelModeration implements ModerationStore {
  filters: readonly Filter[] = []
  reports = new Map<string, ReportRecord>()
  readonly #database: Database
  readonly #now: () => number

  constructor(database: Database, now: () => number) {
    this.#database = database
    this.#now = now
  }

  /** Reads everything; the function returned replaces what is in memory, synchronously. */
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
    const key = keys.report(kept.id)
    const stage: StagedOp['stage'] = (batch) => {
      if (this.reports.has(kept.id)) batch.put(keys.stale(key), String(this.#now()))
      batch.put(key, JSON.stringify(kept))
    }
    const op: StagedOp = { type: 'staged', stage, applied: () => void this.reports.set(kept.id, kept) }
    return op
  }

  evidence(id: string): Promise<Buffer | null> {
    return this.#database.get(keys.evidence(id)).then((message) => message ?? null)
  }

  evidenceOp(id: string, message: Buffer): Op {
    return put(keys.evidence(id), Buffer.from(message))
  }

  deleteEvidenceOp(id: string): Op {
    return wipe(keys.evidence(id), this.#now())
  }

  deleteReportOp(id: string): Op {
    const wipes = [keys.report(id), keys.evidence(id)].map((key) => wipe(key, this.#now()))
    const stage: StagedOp['stage'] = (batch) => {
      for (const one of wipes) one.stage(batch)
    }
    const op: StagedOp = { type: 'staged', stage, applied: () => void this.reports.delete(id) }
    return op
  }
}
