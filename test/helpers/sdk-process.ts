/** A program that uses the SDK's connection and ends when that leaves nothing behind: `node sdk-process.js URL TOKEN`. */
import { once } from 'node:events'
import { Connection } from '../../client/connection/connection.js'
import { mqttOverSocket } from '../../client/wire/mqtt/mqtt-wire.js'
import { realEnv, webSocket } from './web-socket.js'

const [url, token] = process.argv.slice(2) as [string, string]

const connection = new Connection({
  open: mqttOverSocket({ socket: () => webSocket(url), clock: realEnv }),
  credentials: { getToken: async () => token },
  device: 'process',
  env: realEnv,
  message: () => {},
  sync: async (wire) => void (await wire.subscribe([{ filter: 'users/ann/#', qos: 1 }])),
})
connection.status.subscribe(({ state }) => process.send!(state))
process.channel!.unref()
await connection.connect()
// Until the test says so, whatever happens to the connection.
process.channel!.ref()
await once(process, 'message')
await connection.close()
process.disconnect()
