import type { AUDIT_COMMANDS } from '../../../schemas/commands/audit.js'
import { requireAdmin } from '../model/actor.js'
import type { Audit } from '../model/audit.js'
import type { Handlers } from './table.js'

export function auditCommands(audit: Audit): Handlers<keyof typeof AUDIT_COMMANDS> {
  return {
    'audit.list': async (actor, { limit = 100, ...query }) => {
      requireAdmin(actor, 'the audit log is shown to admins')
      return JSON.stringify(await audit.list({ ...query, limit }))
    },
  }
}
