/** `topictalk user …` and `topictalk token`. */
import { existsSync } from 'node:fs'
import { type Config, DURATION } from '../../schemas/config.js'
import { isAccountName } from '../../schemas/ids.js'
import { accountCommands } from '../account-commands.js'
import { callAdmin } from '../admin.js'
import { type Account, Accounts } from '../auth/accounts.js'
import { Passwords } from '../auth/passwords.js'
import { loadTokenSecret, mintToken } from '../auth/tokens.js'
import { openStore } from '../broker.js'
import { askPassword, readPasswordFromStdin } from './password.js'
import { CommandError } from './report.js'
import { type ConfigFlags, ensureDataDir, readConfig } from './settings.js'

type PasswordFlags = ConfigFlags & { passwordStdin?: boolean }
type RoleFlags = { role: string[] }

export async function addUser(name: string, flags: PasswordFlags & RoleFlags): Promise<void> {
  const config = readConfig(flags)
  const password = await newPassword(name, flags)
  await run(config, 'user.add', { name, password, roles: flags.role })
  console.log(`added ${name}`)
}

export async function changePassword(name: string, flags: PasswordFlags): Promise<void> {
  const config = readConfig(flags)
  const password = await newPassword(name, flags)
  await run(config, 'user.passwd', { name, password })
  console.log(`changed the password of ${name}`)
}

export async function removeUser(name: string, flags: ConfigFlags): Promise<void> {
  await run(readConfig(flags), 'user.remove', { name })
  console.log(`removed ${name}`)
}

export async function listUsers(flags: ConfigFlags & { json?: boolean }): Promise<void> {
  const accounts = (await run(readConfig(flags), 'user.list', {})) as Account[]
  if (flags.json) return console.log(JSON.stringify(accounts, null, 2))
  const width = Math.max(...accounts.map(({ id }) => id.length))
  for (const { id, roles, password } of accounts)
    console.log([id.padEnd(width), ...roles, password ? '' : '(token only)'].join('  ').trimEnd())
}

/** Prints the token and nothing else. */
export async function printToken(name: string, flags: ConfigFlags & RoleFlags & { ttl?: string }): Promise<void> {
  const config = readConfig(flags)
  const { jwt } = config.auth
  if (!isAccountName(name)) throw new CommandError(`${JSON.stringify(name)} cannot be a user name`)
  if (jwt.secret === null && jwt.publicKey !== null)
    throw new CommandError(
      'auth.jwt.secret: not set; whoever holds the private key of auth.jwt.publicKey makes the tokens',
    )
  const ttl = flags.ttl === undefined ? {} : { ttl: seconds(flags.ttl) }
  const roles = flags.role.length > 0 ? { roles: flags.role } : {}
  if (jwt.secret === null) ensureDataDir(config)
  console.log(await mintToken(await loadTokenSecret(jwt, config.node.dataDir), name, { ...jwt, ...roles, ...ttl }))
}

function newPassword(name: string, { passwordStdin }: PasswordFlags): Promise<string> {
  return passwordStdin ? readPasswordFromStdin() : askPassword(`Password for ${name}: `, true)
}

/** Asks the broker that has the data directory open; where none has, works on the store itself. */
async function run(config: Config, command: string, params: object): Promise<unknown> {
  const answer = await callAdmin(config.node.dataDir, command, params)
  if (answer !== 'not_running') return answer
  if (command !== 'user.add' && !existsSync(config.node.dataDir))
    throw new CommandError(`node.dataDir: there is no ${config.node.dataDir}; nothing has been stored yet`)
  ensureDataDir(config)
  const store = await openStore(config)
  try {
    const passwords = new Passwords({ concurrency: 1 })
    return await accountCommands(new Accounts(store, passwords))[command]!(params)
  } finally {
    await store.close()
  }
}

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400 }

function seconds(text: string): number {
  const [, digits, unit = 's'] = DURATION.exec(text) ?? []
  if (digits === undefined)
    throw new CommandError(`--ttl: expected a duration such as 30s, 5m, 12h or 30d, got ${text}`)
  return Math.round(Number(digits) * UNIT_SECONDS[unit]!)
}
