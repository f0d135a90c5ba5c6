/** mosquitto, where it is installed: no persistence, anyone may. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installed } from './installed.js'
import type { Peer } from './peer.js'

export const mosquitto: Peer = {
  name: 'mosquitto',
  secret: null,
  password: null,
  async command({ port, wsPort, dir }) {
    const file = installed('mosquitto')
    if (!file) return null
    const config = join(dir, 'mosquitto.conf')
    const lines = [
      'allow_anonymous true',
      'persistence false',
      'set_tcp_nodelay true',
      'log_type error',
      `listener ${port} 127.0.0.1`,
      `listener ${wsPort} 127.0.0.1`,
      'protocol websockets',
    ]
    await writeFile(config, `${lines.join('\n')}\n`)
    return { file, args: ['-c', config] }
  },
}
