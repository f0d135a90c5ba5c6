/**
 * A program on a lamp: `node lamp-process.js URL KEY`. It tells its level, dims on command, and measures what its parent sends it: a name and a value.
 */
import { connectDevice } from '../../client/device/index.js'

const [url, token] = process.argv.slice(2) as [string, string]

const lamp = connectDevice({ url, auth: { token } })
lamp.onCommand('dim', (params) => {
  const { to } = params as { to: number }
  if (to > 10) throw new Error('to: 0 to 10')
  lamp.state({ level: to })
  return { level: to }
})
lamp.state({ level: 10 })
process.on('message', ([name, value]: [string, unknown]) => lamp.telemetry(name, value))
// Who was its parent is gone.
process.on('disconnect', () => process.exit())
