/** Requests, in a closed loop: over HTTP connections that stay open, or over MQTT. */
import http from 'node:http'
import { Link } from './link.js'
import { framed, publishPacket } from './wire.js'

export interface Caller {
  readonly user: string
  readonly password: string
}

/** What is asked, in both doors; numbers in it may be drawn at random below `below`. */
export interface Ask {
  readonly method: string
  readonly route: { readonly verb: 'GET' | 'POST'; readonly path: string }
  readonly params: Record<string, unknown>
  /** Parameters that HTTP has in the path. */
  readonly inPath?: Record<string, unknown>
  /** A parameter drawn anew each time, from 2 to the number given. */
  readonly random?: readonly [name: string, below: number]
}

export interface RequestOptions {
  readonly port: number
  readonly httpPort: number
  readonly door: 'http' | 'mqtt'
  readonly callers: readonly Caller[]
  readonly ask: Ask
  readonly seconds: number
}

export interface Answers {
  readonly answers: number
  readonly bytes: number
  readonly refused: number
}

interface Tally {
  answers: number
  bytes: number
  refused: number
}

export async function request(options: RequestOptions): Promise<Answers> {
  const tally: Tally = { answers: 0, bytes: 0, refused: 0 }
  const until = performance.now() + options.seconds * 1000
  const loop = options.door === 'http' ? overHttp : overMqtt
  await Promise.all(options.callers.map((caller) => loop(options, caller, tally, until)))
  return tally
}

function drawn({ params, random }: Ask): Record<string, unknown> {
  if (!random) return params
  return { ...params, [random[0]]: 2 + Math.floor(Math.random() * (random[1] - 1)) }
}

async function overHttp(
  { httpPort, ask }: RequestOptions,
  { password }: Caller,
  tally: Tally,
  until: number,
): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  while (performance.now() < until) {
    const { status, bytes } = await call(agent, httpPort, ask.route, drawn(ask), password)
    tally.answers++
    tally.bytes += bytes
    if (status >= 300) tally.refused++
  }
  agent.destroy()
}

/** One HTTP request; resolves with what came back, once read. */
export function call(
  agent: http.Agent,
  port: number,
  { verb, path }: Ask['route'],
  params: Record<string, unknown>,
  token: string,
): Promise<{ status: number; bytes: number }> {
  const body = verb === 'POST' ? Buffer.from(JSON.stringify(params)) : null
  const query = body ? '' : `?${new URLSearchParams(params as Record<string, string>)}`
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json', 'content-length': body.length }),
    }
    const sent = http.request(
      { agent, port, host: '127.0.0.1', method: verb, path: path + query, headers },
      (answer) => {
        let bytes = 0
        answer.on('data', (part: Buffer) => (bytes += part.length))
        answer.on('end', () => resolve({ status: answer.statusCode!, bytes }))
      },
    )
    sent.on('error', reject)
    sent.end(body ?? undefined)
  })
}

async function overMqtt(
  { port, ask }: RequestOptions,
  { user, password }: Caller,
  tally: Tally,
  until: number,
): Promise<void> {
  const link = new Link(port, 'tcp')
  await link.open({ user, password })
  await link.subscribe(`users/${user}/replies`, 0)
  const topic = `users/${user}/requests/${ask.method}`
  let id = 0
  const send = (): void => {
    const payload = Buffer.from(JSON.stringify({ id: String(++id), ...ask.inPath, ...drawn(ask) }))
    link.write(framed('tcp', publishPacket(topic, 0, payload)))
  }
  await new Promise<void>((resolve) => {
    link.onMessage = (bytes, at, end) => {
      tally.answers++
      tally.bytes += end - at
      if (bytes.indexOf('"ok":true', at) < 0) tally.refused++
      if (performance.now() < until) send()
      else resolve()
    }
    send()
  })
  link.close()
}
