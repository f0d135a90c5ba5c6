/** `topictalk token`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DURATION } from '../../schemas/config.js'
import { isAccountName } from '../../schemas/ids.js'
import { loadTokenSecret, mintToken } from '../auth/tokens.js'
import { CommandError } from './report.js'
import { type ConfigFlags, ensureDataDir, readConfig } from './settings.js'

type TokenFlags = ConfigFlags & { role?: string[]; ttl?: string }

/** Prints the token and nothing else. */
export async function printToken(name: string, flags: TokenFlags): Promise<void> {
  const config = readConfig(flags)
  const { jwt } = config.auth
  if (!isAccountName(name)) throw new CommandError(`${JSON.stringify(name)} cannot be a user name`)
  const key = jwt.publicKey === null ? 'jwks' : 'publicKey'
  if (jwt.secret === null && jwt[key] !== null)
    throw new CommandError(
      `auth.jwt.secret: not set; whoever holds the private key of auth.jwt.${key} makes the tokens`,
    )
  const ttl = flags.ttl === undefined ? {} : { ttl: seconds(flags.ttl) }
  const roles = flags.role ? { roles: flags.role } : {}
  if (jwt.secret === null) ensureDataDir(config)
  if (jwt.secret === null && !existsSync(join(config.node.dataDir, 'secret')))
    console.error(
      `topictalk: ${config.node.dataDir} has no secret yet: one is made, and only a broker on it takes the token`,
    )
  console.log(await mintToken(await loadTokenSecret(jwt, config.node.dataDir), name, { ...jwt, ...roles, ...ttl }))
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

function seconds(text: string): number {
  const [, digits, unit = 's'] = DURATION.exec(text) ?? []
  if (digits === undefined)
    throw new CommandError(`--ttl: expected a duration such as 30s, 5m, 12h or 30d, got ${text}`)
  return Math.round(Number(digits) * UNIT_SECONDS[unit]!)
}
