/** Records of moderation: reports with their evidence, and content filters. */
import type { Filter } from '../../schemas/moderation.js'
import type { Op } from './op.js'

export interface ReportRecord {
  /** Sorts by time. */
  readonly id: string
  readonly by: string
  readonly room: string | null
  /** Unix ms when that room was created, since a later room may have the same name. Null: no room. */
  readonly roomSince: number | null
  readonly seq: number | null
  /** The reported user. */
  readonly user: string
  readonly reason: string
  readonly text: string | null
  /** Unix ms. */
  readonly at: number
  /** Null: the report is open. */
  readonly resolution: Resolution | null
}

export interface Resolution {
  readonly by: string
  /** Unix ms. */
  readonly at: number
  readonly action: 'dismiss' | 'delete' | 'mute' | 'ban'
  readonly note: string | null
}

/** In memory, except evidence. */
export interface ModerationStore {
  /** Content filters set by command, beside those of the configuration. The same array until it changes. */
  readonly filters: readonly Filter[]
  /** Replaces the list. */
  filtersOp(filters: readonly Filter[]): Op

  /** By id. */
  readonly reports: ReadonlyMap<string, ReportRecord>
  report(id: string): ReportRecord | undefined
  /** A former version of the report is off the disk within a day. */
  reportOp(report: ReportRecord): Op
  /** A copy of the reported message as it was. */
  evidence(id: string): Promise<Buffer | null>
  evidenceOp(id: string, message: Buffer): Op
  /** Off the disk within a day, like a deleted report with its evidence. */
  deleteEvidenceOp(id: string): Op
  deleteReportOps(id: string): Op[]
}
