/** A program on a device that ends when that leaves nothing behind: `node device-process.js URL KEY`. */
import { connectDevice } from '../../client/device/index.js'

const [url, token] = process.argv.slice(2) as [string, string]

const device = connectDevice({ url, auth: { token } })
device.telemetry('count', 1)
await device.flush()
await device.close()
