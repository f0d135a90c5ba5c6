/** ejabberd, where it is installed: its MQTT module alone, any password will do. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { installed } from './installed.js'
import type { Peer } from './peer.js'

export const ejabberd: Peer = {
  name: 'ejabberd',
  secret: null,
  password: 'any',
  async command({ port, wsPort, dir }) {
    const file = installed('ejabberdctl')
    if (!file) return null
    const config = join(dir, 'ejabberd.yml')
    const lines = [
      'hosts: [localhost]',
      'loglevel: error',
      'auth_method: [anonymous]',
      'anonymous_protocol: login_anon',
      'allow_multiple_connections: true',
      'listen:',
      `  - { port: ${port}, ip: "127.0.0.1", module: mod_mqtt, backlog: 1000 }`,
      `  - { port: ${wsPort}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: { /mqtt: mod_mqtt } }`,
      'modules: { mod_mqtt: { access_publish: { "#": all }, access_subscribe: { "#": all } } }',
    ]
    await writeFile(config, `${lines.join('\n')}\n`)
    const folders = [join(dir, 'spool'), join(dir, 'logs')] as const
    await Promise.all(folders.map((folder) => mkdir(folder)))
    // Read in place of the distribution's, which names its own configuration whatever the command line says, and has root become another user.
    const settings = join(dir, 'ejabberdctl.cfg')
    const control = [
      `EJABBERD_CONFIG_PATH=${config}`,
      `EJABBERD_PID_PATH=${join(dir, 'pid')}`,
      'EXEC_CMD=as_current_user',
    ]
    await writeFile(settings, `${control.join('\n')}\n`)
    const args = [
      '--ctl-config',
      settings,
      '--config',
      config,
      '--spool',
      folders[0],
      '--logs',
      folders[1],
      '--node',
      `bench${port}@localhost`,
    ]
    return { file, args: [...args, 'foreground'], env: { HOME: dir } }
  },
}
