import type { REPORT_COMMANDS } from '../../../schemas/commands/reports.js'
import type { ReportRecord } from '../../store/moderation.js'
import type { Store } from '../../store/store.js'
import { renderFitting } from '../model/paging.js'
import type { Reports } from '../moderation/reports.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the reports. */
const ENVELOPE = 4096

export interface ReportCommandDeps {
  readonly store: Store
  readonly reports: Reports
  readonly replyBytes: number
}

export function reportCommands(deps: ReportCommandDeps): Handlers<keyof typeof REPORT_COMMANDS> {
  const { store, reports, replyBytes } = deps
  return {
    'reports.create': async (actor, reported) => JSON.stringify(shown(await reports.create(actor, reported))),
    'reports.list': async (actor, { room, status = 'open', after = '', limit = 50 }) => {
      const found = reports
        .list(actor, room, status)
        .filter(({ id }) => id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1))
      const render = async (report: ReportRecord): Promise<string> =>
        withMessage(report, await store.moderation.evidence(report.id))
      const page = await renderFitting(found.slice(0, limit), render, replyBytes - ENVELOPE)
      return `{"reports":[${page.join(',')}],"more":${page.length < found.length}}`
    },
    'reports.resolve': async (actor, { report, action, for: seconds, note }) =>
      JSON.stringify(shown(await reports.resolve(actor, report, action, { seconds, note }))),
  }
}

function shown({ roomSince: _, ...report }: ReportRecord) {
  return { report: report.id, ...report, status: report.resolution ? 'resolved' : 'open' }
}

/** Inserts the stored JSON of the reported message without parsing it. */
function withMessage(report: ReportRecord, message: Buffer | null): string {
  return `${JSON.stringify(shown(report)).slice(0, -1)},"message":${message?.toString('utf8') ?? 'null'}}`
}
