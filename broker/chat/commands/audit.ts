import type { AUDIT_COMMANDS } from '../../../schemas/commands/audit.js'
import { requireAdmin } from '../actor.js'
import type { Audit } from '../audit.js'
import type { Handlers } from '../commands.js'

export function auditCommands(audit: Audit): Handlers<keyof typeof AUDIT_COMMANDS> {
  return {
    'audit.list': async (actor, { limit = 100, ...query }) => {
      requireAdmin(actor, 'the audit log is shown to admins')
      return JSON.stringify(await audit.list({ ...query, limit }))
    },
  }
}
