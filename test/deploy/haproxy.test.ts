/** `deploy/haproxy/haproxy.cfg`, run by the real HAProxy in front of real brokers. */
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { certificateFiles } from '../helpers/certificate.js'
import { testProxy } from '../helpers/proxied-suite.js'
import { type NodePorts, ProxyProcess } from '../helpers/proxy-process.js'

function start(t: Test, nodes: readonly NodePorts[]): Promise<ProxyProcess> {
  const { cert, key } = certificateFiles(t)
  const pem = Buffer.concat([readFileSync(cert), readFileSync(key)])
  return ProxyProcess.start(t, {
    file: 'deploy/haproxy/haproxy.cfg',
    listen: /\bbind :(\d+)/g,
    paths: { '/etc/haproxy/certs/': '{directory}/both.pem', '/run/haproxy/admin.sock': '{directory}/admin.sock' },
    nodes,
    command: (file, directory) => {
      writeFileSync(join(directory, 'both.pem'), pem)
      return ['haproxy', '-db', '-f', file]
    },
  })
}

/** The states of the nodes for MQTT, as HAProxy knows them: UP, DOWN, and what is between. */
async function states({ directory }: ProxyProcess): Promise<string[]> {
  const socket = net.connect(join(directory, 'admin.sock'))
  socket.write('show stat\n')
  const [head, ...rows] = (await text(socket)).split('\n').map((line) => line.split(','))
  const status = head!.indexOf('status')
  return rows.filter(([backend, server]) => backend === 'mqtt' && /^node/.test(server!)).map((row) => row[status]!)
}

t.test('HAProxy', async (t) => {
  await testProxy(t, {
    start,
    drain: { drain: { delay: 3600 } },
    async noticed(proxy) {
      let now: string[] = []
      do now = await states(proxy)
      while (now[0] !== 'DOWN')
      t.same(now, ['DOWN', 'UP', 'DOWN'], 'and the one that never was there is down')
    },
  })
})

t.test('HAProxy sends browsers to HTTPS', async (t) => {
  const nobody = { 1883: 1, 8883: 1, 8080: 1 }
  const proxy = await start(t, [nobody, nobody, nobody])
  const request = http.get({
    port: proxy.port('80'),
    path: '/docs',
    headers: { host: 'chat.example.com' },
    agent: false,
  })
  const response = await new Promise<http.IncomingMessage>((resolve) => request.once('response', resolve))
  t.match(response, { statusCode: 308, headers: { location: 'https://chat.example.com/docs' } })
  response.destroy()
})
