/** `topictalk user …`. */
import type { Account } from '../auth/accounts.js'
import { runOnBroker } from './local.js'
import { printJson, printLine } from './output.js'
import { askPassword, readPasswordFromStdin } from './password.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

type PasswordFlags = ConfigFlags & { passwordStdin?: boolean }
type RoleFlags = { role?: string[] }

export async function addUser(name: string, flags: PasswordFlags & RoleFlags): Promise<void> {
  const config = readConfig(flags)
  const password = await newPassword(name, flags)
  await runOnBroker(config, 'user.add', { name, password, roles: flags.role ?? [] })
  printLine(`added ${name}`)
}

export async function changePassword(name: string, flags: PasswordFlags): Promise<void> {
  const config = readConfig(flags)
  const password = await newPassword(name, flags)
  await runOnBroker(config, 'user.passwd', { name, password })
  printLine(`changed the password of ${name}`)
}

/** Replaces the roles of a user; without any it prints the current ones. */
export async function setRoles(name: string, roles: string[], flags: ConfigFlags & { none?: boolean }): Promise<void> {
  if (flags.none && roles.length > 0) throw new CommandError('--none: there are roles beside it')
  const command = roles.length > 0 || flags.none ? 'user.role' : 'user.get'
  const account = (await runOnBroker(readConfig(flags), command, { name, roles })) as Account
  printLine(`${name} has ${account.roles.length === 0 ? 'no role' : `the roles ${account.roles.join(', ')}`}`)
}

export async function suspendUser(name: string, flags: ConfigFlags & { reason?: string }): Promise<void> {
  await runOnBroker(readConfig(flags), 'user.suspend', { name, reason: flags.reason ?? null })
  printLine(`suspended ${name}`)
}

export async function resumeUser(name: string, flags: ConfigFlags): Promise<void> {
  await runOnBroker(readConfig(flags), 'user.resume', { name })
  printLine(`${name} may log in again`)
}

export async function removeUser(name: string, flags: ConfigFlags): Promise<void> {
  const { erased } = (await runOnBroker(readConfig(flags), 'user.remove', { name })) as { erased: boolean }
  printLine(`removed ${name}${erased ? '' : '; what they left is erased while the broker runs'}`)
}

export async function resetSecondFactor(name: string, flags: ConfigFlags): Promise<void> {
  await runOnBroker(readConfig(flags), 'user.totpReset', { name })
  printLine(`${name} has no second factor any more`)
}

/** Prints the token and nothing else. */
export async function resetPassword(name: string, flags: ConfigFlags): Promise<void> {
  const { token } = (await runOnBroker(readConfig(flags), 'user.reset', { name })) as { token: string }
  printLine(token)
}

export async function listUsers(flags: ConfigFlags & { json?: boolean }): Promise<void> {
  const accounts = (await runOnBroker(readConfig(flags), 'user.list', {})) as Account[]
  if (flags.json) return printJson(accounts)
  const width = Math.max(...accounts.map(({ id }) => id.length))
  for (const { id, roles, password, suspended } of accounts) {
    const notes = [password ? '' : '(token only)', suspended ? '(suspended)' : ''].filter(Boolean)
    printLine([id.padEnd(width), ...roles, ...notes].join('  ').trimEnd())
  }
}

function newPassword(name: string, { passwordStdin }: PasswordFlags): Promise<string> {
  return passwordStdin ? readPasswordFromStdin() : askPassword(`Password for ${name}: `, true)
}
