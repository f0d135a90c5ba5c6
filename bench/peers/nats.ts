/** nats-server, where it is installed: MQTT over JetStream, which keeps sessions and what is published at QoS 1 on the disk. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installed } from './installed.js'
import { freePort, type Peer } from './peer.js'

export const nats: Peer = {
  name: 'nats-server',
  secret: null,
  password: null,
  async command({ port, wsPort, dir }) {
    const file = installed('nats-server')
    if (!file) return null
    const config = join(dir, 'nats.conf')
    const lines = [
      'server_name: bench',
      `listen: "127.0.0.1:${await freePort()}"`,
      `jetstream { store_dir: ${JSON.stringify(join(dir, 'jetstream'))} }`,
      `mqtt { listen: "127.0.0.1:${port}" }`,
      `websocket { listen: "127.0.0.1:${wsPort}", no_tls: true }`,
      `log_file: ${JSON.stringify(join(dir, 'nats.log'))}`,
    ]
    await writeFile(config, `${lines.join('\n')}\n`)
    return { file, args: ['-c', config] }
  },
}
