import type { AUTH_COMMANDS } from '../../../schemas/commands/auth.js'
import type { Principal } from '../../auth/principal.js'
import type { Actor } from '../actor.js'
import type { Handlers } from '../commands.js'

/** Renews the login behind an actor with a token. Rejects with a refusal. */
export type RenewLogin = (actor: Actor, token: string) => Promise<Principal>

export function authCommands(renewLogin: RenewLogin): Handlers<keyof typeof AUTH_COMMANDS> {
  return {
    'auth.refresh': async (actor, { token }) => {
      const { expiresAt, roles } = await renewLogin(actor, token)
      return JSON.stringify({ expiresAt, roles: [...roles] })
    },
  }
}
