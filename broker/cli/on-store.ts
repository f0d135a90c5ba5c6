/** Runs commands directly on the store when no broker runs. Loaded only then: beside a broker a command needs none of this. */
import type { Config } from '../../schemas/config.js'
import { accountCommands } from '../admin/account-commands.js'
import { auditedCommands } from '../admin/audited-commands.js'
import { Accounts } from '../auth/accounts.js'
import { Passwords } from '../auth/passwords.js'
import { Audit } from '../chat/model/audit.js'
import { makeAccountServices } from '../wiring/logins.js'
import { mayBeStored, openStore } from '../wiring/storage.js'
import { ensureDataDir } from './settings.js'

export async function runOnStore(config: Config, command: string, params: object): Promise<unknown> {
  const { dataDir } = config.node
  // Users in the wrong directory should notice.
  if (!mayBeStored(config))
    console.error(`topictalk: no broker runs on ${dataDir}, and nothing is there yet: a new store is made`)
  ensureDataDir(config)
  const { store } = await openStore(config)
  try {
    const accounts = new Accounts(store, new Passwords({ concurrency: 1 }))
    const removeAccount = (user: string) => accounts.remove(user).then(() => ({ erased: false }))
    const deps = { accounts, removeAccount, ...(await makeAccountServices(config, store, accounts)) }
    const commands = auditedCommands(accountCommands(deps), new Audit(store))
    return await commands[command]!(params)
  } finally {
    await store.close()
  }
}
