/** HAProxy with `deploy/haproxy/haproxy.cfg`. */
import { readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { certificateFiles } from './certificate.js'
import { type NodePorts, ProxyProcess } from './proxy-process.js'

export function startHaproxy(t: Test, nodes: readonly NodePorts[]): Promise<ProxyProcess> {
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
export async function statesOf({ directory }: ProxyProcess): Promise<string[]> {
  const socket = net.connect(join(directory, 'admin.sock'))
  socket.write('show stat\n')
  const [head, ...rows] = (await text(socket)).split('\n').map((line) => line.split(','))
  const status = head!.indexOf('status')
  return rows.filter(([backend, server]) => backend === 'mqtt' && /^node/.test(server!)).map((row) => row[status]!)
}
