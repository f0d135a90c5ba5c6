/** Writes commands of the command line to the audit log. */
import { SYSTEM } from '../../schemas/ids.js'
import type { Act, Audit } from '../chat/model/audit.js'
import type { AdminCommands } from './control-socket.js'

/** Commands that only read. */
const READING: ReadonlySet<string> = new Set([
  'user.list',
  'user.get',
  'audit.list',
  'backup.status',
  'health',
  'status',
])

/** Wraps all other commands: logs the user, the roles and the target directory they name. */
export function auditedCommands(commands: AdminCommands, audit: Audit): AdminCommands {
  const all: AdminCommands = {
    ...commands,
    'audit.list': (params) => audit.list({ limit: 100, ...(params as object) }),
  }
  const wrap = ([name, run]: [string, AdminCommands[string]]): [string, AdminCommands[string]] => {
    const logged: AdminCommands[string] = (params) =>
      audit.runAudited({ user: SYSTEM, address: null, admin: true }, actOf(name, params), () => run(params))
    return [name, READING.has(name) ? run : logged]
  }
  return Object.fromEntries(Object.entries(all).map(wrap))
}

function actOf(action: string, params: unknown): Act {
  const { name, roles, directory, reason } = (params ?? {}) as Record<string, unknown>
  const details = {
    ...(Array.isArray(roles) && (roles.length > 0 || action === 'user.role') && { roles }),
    ...(typeof directory === 'string' && { directory }),
    ...(typeof reason === 'string' && { reason }),
  }
  return {
    action,
    ...(typeof name === 'string' && { user: name }),
    ...(Object.keys(details).length > 0 && { details }),
  }
}
