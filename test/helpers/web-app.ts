/** A web app on the origin of its broker: what a browser is given, and what it asks. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { completeConfig, startBroker } from '../../broker/index.js'

const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"

/** By path: its media type, and what it is. */
export type Files = Readonly<Record<string, readonly [type: string, text: string | Promise<string>]>>

/** A request to the broker, as its server saw it. */
interface Seen {
  readonly path: string
  readonly origin: string | undefined
  readonly hasCookie: boolean
  readonly status: number
}

export interface App {
  readonly url: string
  readonly seen: Seen[]
}

/** A web app whose server has a broker on it. Closed with the test. */
export async function serveApp(t: Test, files: Files): Promise<App> {
  const server = http.createServer(async ({ url = '' }, response) => {
    const [type, text] = files[url] ?? ['text/plain', '']
    response.writeHead(200, { 'content-type': type, 'content-security-policy': POLICY }).end(await text)
  })
  const listen = { mqtt: null, http: null }
  const log = { level: 'silent' }
  const dataDir = await mkdtemp(join(tmpdir(), 'topictalk-'))
  const config = completeConfig({ node: { dataDir }, listen, log }, { portless: true })
  const broker = await startBroker(config, { server })
  const seen: Seen[] = []
  server.on('request', ({ url: path = '', headers: { origin, cookie = '' } }, response) =>
    response.on('finish', () => {
      const hasCookie = cookie.includes('topictalk-refresh')
      if (path.startsWith('/v1/')) seen.push({ path, origin, hasCookie, status: response.statusCode })
    }),
  )
  const url = await openOrigin(t, server)
  t.teardown(async () => {
    await broker.close()
    await rm(dataDir, { recursive: true })
  })
  return { url, seen }
}

/** Resolves with its address. */
export async function openOrigin(t: Test, server: http.Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

export async function register({ url }: App, user: string): Promise<void> {
  const body = JSON.stringify({ user, password: `${user}-pw` })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${url}/v1/auth/register`, { method: 'POST', headers, body })
}
