/** What those who keep order leave in the store. */
import type { Filter } from '../../schemas/moderation.js'
import type { Op } from './op.js'

export interface ReportRecord {
  /** Sorts by time. */
  readonly id: string
  readonly by: string
  readonly room: string | null
  /** Unix ms when that room was made: another one of the name has nothing to do with it. Null: no room. */
  readonly roomSince: number | null
  readonly seq: number | null
  /** Who is reported. */
  readonly user: string
  readonly reason: string
  readonly text: string | null
  /** Unix ms. */
  readonly at: number
  /** Null: it is open. */
  readonly resolution: Resolution | null
}

export interface Resolution {
  readonly by: string
  /** Unix ms. */
  readonly at: number
  readonly action: 'dismiss' | 'delete' | 'mute' | 'ban'
  readonly note: string | null
}

/** Held in memory, evidence excepted. */
export interface ModerationStore {
  /** What messages may not say, beside the configuration; the same list until it changes. */
  readonly filters: readonly Filter[]
  /** Replaces the list. */
  filtersOp(filters: readonly Filter[]): Op

  /** By id. */
  readonly reports: ReadonlyMap<string, ReportRecord>
  /** What it said before is off the disk within a day. */
  reportOp(report: ReportRecord): Op
  /** The message a report is about, as it was. */
  evidence(id: string): Promise<Buffer | null>
  evidenceOp(id: string, message: Buffer): Op
  /** Off the disk within a day, as the report with its evidence is. */
  deleteEvidenceOp(id: string): Op
  deleteReportOp(id: string): Op
}
