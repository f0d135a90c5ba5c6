/** `topictalk audit`. */
import type { AuditEntry } from '../chat/model/audit.js'
import { runOnBroker } from './local.js'
import { printJson, printLine } from './output.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

export interface AuditFlags extends ConfigFlags {
  limit: string
  actor?: string
  user?: string
  room?: string
  action?: string
  all?: boolean
  json?: boolean
}

export async function listAudit({ json, all, limit, actor, user, room, action, ...flags }: AuditFlags): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new CommandError(`--limit: expected a number from 1 to 999999, got ${limit}`)
  const filtered = [actor, user, room, action].some((one) => one !== undefined)
  const scope = all || filtered ? 'all' : 'server'
  const query = { limit: Number(limit), scope, actor, user, room, action }
  const { entries } = (await runOnBroker(readConfig(flags), 'audit.list', query)) as { entries: AuditEntry[] }
  if (json) return printJson(entries)
  for (const entry of entries) printLine(line(entry))
}

function line({ ts, actor, address, action, user, room, details, result }: AuditEntry): string {
  const about = [user, room && `in ${room}`, details && JSON.stringify(details)].filter(Boolean)
  const refused = result === 'ok' ? [] : [`(${result})`]
  return [new Date(ts).toISOString(), `${actor}${address ? `@${address}` : ''}`, action, ...about, ...refused].join(
    '  ',
  )
}
