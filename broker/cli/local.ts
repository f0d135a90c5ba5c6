/** Commands on a data directory, whether a broker has it open or not. */
import { existsSync } from 'node:fs'
import type { Config } from '../../schemas/config.js'
import { accountCommands } from '../account-commands.js'
import { callAdmin } from '../admin.js'
import { auditedCommands } from '../audited-commands.js'
import { Accounts } from '../auth/accounts.js'
import { Passwords } from '../auth/passwords.js'
import { Audit } from '../chat/audit.js'
import { makeAccountParts } from '../logins.js'
import { CommandError } from './report.js'
import { ensureDataDir } from './settings.js'

/** Asks the broker that has the data directory open; where none has, works on the store itself. */
export async function runOnBroker(config: Config, command: string, params: object): Promise<unknown> {
  const answer = await callAdmin(config.node.dataDir, command, params)
  if (answer !== 'not_running') return answer
  if (command !== 'user.add' && !existsSync(config.node.dataDir))
    throw new CommandError(`node.dataDir: there is no ${config.node.dataDir}; nothing has been stored yet`)
  const { openStore, storeLocation } = await import('../broker.js')
  const { dataDir } = config.node
  // Whoever is in another directory than they think should see it.
  if (!existsSync(storeLocation(dataDir)))
    console.error(`topictalk: no broker runs on ${dataDir}, and nothing is there yet: a new store is made`)
  ensureDataDir(config)
  const store = await openStore(config)
  try {
    const accounts = new Accounts(store, new Passwords({ concurrency: 1 }))
    const removeAccount = (user: string) => accounts.remove(user).then(() => ({ erased: false }))
    const parts = { accounts, removeAccount, ...(await makeAccountParts(config, store, accounts)) }
    const commands = auditedCommands(accountCommands(parts), new Audit(store))
    return await commands[command]!(params)
  } finally {
    await store.close()
  }
}
