/** Runs commands on a data directory, whether a broker has it open or not. */
import { existsSync } from 'node:fs'
import type { Config } from '../../schemas/config.js'
import { callAdmin } from '../admin/control-socket.js'
import { CommandError } from './report.js'

/** Asks the broker that has the data directory open; if there is none, works on the store directly. */
export async function runOnBroker(config: Config, command: string, params: object): Promise<unknown> {
  const { dataDir } = config.node
  const answer = await callAdmin(dataDir, command, params)
  if (answer !== 'not_running') return answer
  if (config.store.driver === 'level' && command !== 'user.add' && !existsSync(dataDir))
    throw new CommandError(`node.dataDir: there is no ${dataDir}; nothing has been stored yet`)
  const { runOnStore } = await import('./on-store.js')
  return runOnStore(config, command, params)
}
