/** `topictalk health`: by the control socket, so whatever the listeners expect of a connection (a certificate, a PROXY protocol header). */
import { callAdmin } from '../admin/control-socket.js'
import { printLine } from './output.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

export async function reportHealth(flags: ConfigFlags): Promise<void> {
  const { dataDir } = readConfig(flags).node
  const answer = await callAdmin(dataDir, 'health')
  if (answer === 'not_running') throw new CommandError(`node.dataDir: no broker runs on ${dataDir}`)
  const { healthy, draining } = answer as { healthy: boolean; draining: boolean }
  if (!healthy) throw new CommandError('the broker is not able to serve right now')
  printLine(draining ? 'draining' : 'ok')
}
