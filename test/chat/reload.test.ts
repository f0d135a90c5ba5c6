/** SIGHUP: certificates and what can change of the configuration, without cutting anyone off. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import mqtt from 'mqtt'
import t from 'tap'
import { Authority } from '../helpers/authority.js'
import { CLI } from '../helpers/command.js'

t.test('a broker takes new certificates and settings while clients stay connected', async (t) => {
  const [first, second] = [new Authority(), new Authority()]
  const dir = t.testdir()
  const install = (authority: Authority) => {
    const { cert, key } = authority.issue({ cn: 'localhost', dns: ['localhost'] })
    writeFileSync(join(dir, 'cert.pem'), cert)
    writeFileSync(join(dir, 'key.pem'), key)
  }
  const configure = (level: string, more = '') =>
    writeFileSync(
      join(dir, 'config.yaml'),
      `listen: { mqtt: null, http: null, mqtts: 0, tls: { cert: cert.pem, key: key.pem } }\nlog: { level: ${level}, format: json }\nauth: { anonymous: true }\n${more}`,
    )
  install(first)
  configure('info')
  const broker = spawn(process.execPath, [CLI, 'serve'], { cwd: dir, env: { PATH: process.env['PATH'] } })
  t.teardown(() => broker.kill('SIGKILL'))
  let banner = ''
  let log = ''
  broker.stdout.on('data', (chunk) => (banner += chunk))
  broker.stderr.on('data', (chunk) => (log += chunk))
  while (!banner.includes('ready')) await once(broker.stdout, 'data')
  const port = Number(/mqtts:\/\/127\.0\.0\.1:(\d+)/.exec(banner)![1])
  /** Who signed the certificate that the broker shows now. */
  const shown = async (): Promise<string> => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const hangUp = async (said: string): Promise<string> => {
    log = ''
    broker.kill('SIGHUP')
    while (!log.includes(said)) await once(broker.stderr, 'data')
    return log
  }
  const before = await shown()
  const client = await mqtt.connectAsync(`mqtts://127.0.0.1:${port}`, { rejectUnauthorized: false, reconnectPeriod: 0 })

  await t.test('a certificate that was replaced, and a level', async (t) => {
    install(second)
    configure('debug', 'limits: { connections: 5 }')
    const said = await hangUp('counts only after a restart')
    t.match(said, /"applied":\["log\.level"\]/)
    t.match(said, /"keys":\["limits\.connections"\]/)
    t.not(await shown(), before)
    t.equal(client.connected, true, 'who was connected stays')
  })
  await t.test('a fault changes nothing', async (t) => {
    const now = await shown()
    configure('loud')
    t.match(await hangUp('stays as it was'), /log\.level: expected one of/)
    configure('debug')
    writeFileSync(join(dir, 'cert.pem'), 'nothing')
    t.match(await hangUp('stays as it was'), /certificate and key cannot be used/)
    t.equal(await shown(), now)
  })
  t.equal(client.connected, true)
  await client.endAsync(true)
  broker.kill('SIGTERM')
  t.strictSame(await once(broker, 'exit'), [0, null])
})
