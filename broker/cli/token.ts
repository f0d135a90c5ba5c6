/** `topictalk token`. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROLE } from '../../schemas/announcement.js'
import { DURATION } from '../../schemas/config/fields.js'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { isAccountName } from '../../schemas/ids.js'
import { callAdmin } from '../admin/control-socket.js'
import { loadTokenSecret, mintToken } from '../auth/tokens.js'
import { CommandError } from './report.js'
import { type ConfigFlags, ensureDataDir, readConfig } from './settings.js'

type TokenFlags = ConfigFlags & { role?: string[]; ttl?: string }

/** Default lifetime of a token. */
const TTL = '30d'
/** Value of `--ttl` for a token that does not expire. */
const NEVER = 'never'

/** Prints the token, and nothing else, on standard output; warnings about likely mistakes go to standard error. */
export async function printToken(name: string, flags: TokenFlags): Promise<void> {
  const config = readConfig(flags)
  const { jwt } = config.auth
  if (!isAccountName(name)) throw new CommandError(`${JSON.stringify(name)} cannot be a user name`)
  const key = jwt.publicKey === null ? 'jwks' : 'publicKey'
  if (jwt.secret === null && jwt[key] !== null)
    throw new CommandError(
      `auth.jwt.secret: not set; whoever holds the private key of auth.jwt.${key} makes the tokens`,
    )
  const bad = flags.role?.find((role) => !ROLE.test(role))
  if (bad !== undefined) throw new CommandError(`--role: ${JSON.stringify(bad)} is not a role`)
  const { ttl: life = TTL } = flags
  const ttl = life === NEVER ? {} : { ttl: seconds(life) }
  for (const note of await notesOn(config, name, flags.role ?? [])) console.error(`topictalk: note: ${note}`)
  const roles = flags.role ? { roles: flags.role } : {}
  if (jwt.secret === null) ensureDataDir(config)
  if (jwt.secret === null && !existsSync(join(config.node.dataDir, 'secret')))
    console.error(
      `topictalk: ${config.node.dataDir} has no secret yet: one is made, and only a broker on it takes the token`,
    )
  console.log(await mintToken(await loadTokenSecret(jwt, config.node.dataDir), name, { ...jwt, ...roles, ...ttl }))
}

/** Roles that have a meaning without a rule. */
const BUILT_IN = ['admin', 'notifier', 'publisher', 'device', 'bot']

/** Warnings: the user does not exist, as far as a running broker knows, or no rule names a role. */
async function notesOn(config: Config, name: string, roles: readonly string[]): Promise<string[]> {
  const named = config.acl.rules.flatMap(({ who }) => (who.startsWith('role:') ? [who.slice('role:'.length)] : []))
  const known = new Set([...BUILT_IN, ...named])
  const notes = roles
    .filter((role) => !known.has(role))
    .map((role) => `nothing speaks of the role ${role} (${[...known].join(', ')})`)
  if (await isUnknown(config, name)) notes.push(`there is no user ${name} yet; the first login by this token makes one`)
  return notes
}

async function isUnknown(config: Config, name: string): Promise<boolean> {
  try {
    await callAdmin(config.node.dataDir, 'user.get', { name })
    return false
  } catch (error) {
    return error instanceof Refusal && error.code === 'not_found'
  }
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

function seconds(text: string): number {
  const [, digits, unit = 's'] = DURATION.exec(text) ?? []
  if (digits === undefined)
    throw new CommandError(`--ttl: expected a duration such as 30s, 5m, 12h or 30d, or never, got ${text}`)
  return Math.round(Number(digits) * UNIT_SECONDS[unit]!)
}
