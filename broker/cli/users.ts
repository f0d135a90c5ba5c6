/** `topictalk user …`. */
import { existsSync } from 'node:fs'
import type { Config } from '../../schemas/config.js'
import { accountCommands } from '../account-commands.js'
import { callAdmin } from '../admin.js'
import { type Account, Accounts } from '../auth/accounts.js'
import { Passwords } from '../auth/passwords.js'
import { makeAccountParts } from '../logins.js'
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
  const { erased } = (await run(readConfig(flags), 'user.remove', { name })) as { erased: boolean }
  console.log(`removed ${name}${erased ? '' : '; what they left is erased while the broker runs'}`)
}

export async function resetSecondFactor(name: string, flags: ConfigFlags): Promise<void> {
  await run(readConfig(flags), 'user.totpReset', { name })
  console.log(`${name} has no second factor any more`)
}

/** Prints the token and nothing else. */
export async function resetPassword(name: string, flags: ConfigFlags): Promise<void> {
  const { token } = (await run(readConfig(flags), 'user.reset', { name })) as { token: string }
  console.log(token)
}

export async function listUsers(flags: ConfigFlags & { json?: boolean }): Promise<void> {
  const accounts = (await run(readConfig(flags), 'user.list', {})) as Account[]
  if (flags.json) return console.log(JSON.stringify(accounts, null, 2))
  const width = Math.max(...accounts.map(({ id }) => id.length))
  for (const { id, roles, password } of accounts)
    console.log([id.padEnd(width), ...roles, password ? '' : '(token only)'].join('  ').trimEnd())
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
  const { openStore } = await import('../broker.js')
  const store = await openStore(config)
  try {
    const passwords = new Passwords({ concurrency: 1 })
    const accounts = new Accounts(store, passwords)
    const removeAccount = (user: string) => accounts.remove(user).then(() => ({ erased: false }))
    const parts = { accounts, removeAccount, ...(await makeAccountParts(config, store, accounts)) }
    return await accountCommands(parts)[command]!(params)
  } finally {
    await store.close()
  }
}
