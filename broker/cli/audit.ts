/** `topictalk audit`. */
import type { AuditEntry } from '../chat/audit.js'
import { runOnBroker } from './local.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

export interface AuditFlags extends ConfigFlags {
  limit: string
  actor?: string
  user?: string
  room?: string
  action?: string
  json?: boolean
}

export async function listAudit({ json, limit, actor, user, room, action, ...flags }: AuditFlags): Promise<void> {
  if (!/^[1-9]\d{0,5}$/.test(limit)) throw new CommandError(`--limit: expected a number from 1 to 999999, got ${limit}`)
  const query = { limit: Number(limit), actor, user, room, action }
  const { entries } = (await runOnBroker(readConfig(flags), 'audit.list', query)) as { entries: AuditEntry[] }
  if (json) return console.log(JSON.stringify(entries, null, 2))
  for (const entry of entries) console.log(line(entry))
}

function line({ ts, actor, address, action, user, room, details, result }: AuditEntry): string {
  const about = [user, room && `in ${room}`, details && JSON.stringify(details)].filter(Boolean)
  const refused = result === 'ok' ? [] : [`(${result})`]
  return [new Date(ts).toISOString(), `${actor}${address ? `@${address}` : ''}`, action, ...about, ...refused].join(
    '  ',
  )
}
