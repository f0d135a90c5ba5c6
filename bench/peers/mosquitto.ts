/** mosquitto, where it is installed: no persistence, anyone may. */
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Peer } from './peer.js'

export const mosquitto: Peer = {
  name: 'mosquitto',
  secret: null,
  async command({ port, dir }) {
    const file = installed()
    if (!file) return null
    const config = join(dir, 'mosquitto.conf')
    const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'set_tcp_nodelay true']
    await writeFile(config, `${[...lines, 'log_type error'].join('\n')}\n`)
    return { file, args: ['-c', config] }
  },
}

/** Distributions put it among the system's programs, which are not always on the path. */
function installed(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'mosquitto')).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
