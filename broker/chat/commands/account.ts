import type { ACCOUNT_COMMANDS } from '../../../schemas/commands/account.js'
import { API, EXPORTS } from '../../../schemas/commands.js'
import type { Handlers } from '../commands.js'
import type { Exports } from '../exports.js'

export interface AccountParts {
  readonly exports: Exports
}

export function accountCommands({ exports }: AccountParts): Handlers<keyof typeof ACCOUNT_COMMANDS> {
  return {
    'account.export': async (actor) => {
      const { ticket, expiresAt } = exports.ask(actor)
      return JSON.stringify({ url: `${API}${EXPORTS}/${ticket}`, expiresAt })
    },
  }
}
