/** A webhook receiver: a real HTTP server that records requests, verifies signatures by its own code, and answers as a test says. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import type { Test } from 'tap'

export interface Received {
  readonly path: string
  /** The connection that it came on. */
  readonly socket: net.Socket
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
  readonly json: any
}

export interface Reply {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly body?: string
  /** The body never ends. */
  readonly endless?: true
}

/** Null: no answer. */
export type Answering = (received: Received) => Reply | null | Promise<Reply | null>

export class Receiver {
  readonly received: Received[] = []
  /** Maximum number of requests that were unanswered at a time. */
  mostOpen = 0
  answer: Answering = () => ({})
  /** Called when an answer was sent, unless the connection had ended by then. */
  answered: (received: Received, status: number) => void = () => {}
  readonly #server: http.Server
  readonly #unanswered = new Set<http.ServerResponse>()
  #waiting: (() => void)[] = []

  private constructor() {
    this.#server = http.createServer((request, response) => void this.#take(request, response))
  }

  static async start(t: Test): Promise<Receiver> {
    const receiver = new Receiver()
    receiver.#server.listen(0, '127.0.0.1')
    await once(receiver.#server, 'listening')
    t.teardown(() => {
      receiver.#server.closeAllConnections()
      receiver.#server.close()
    })
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}/hook`
  }

  /** Resolves with all matching requests once there are `count`. */
  async wait(count: number, pass: (received: Received) => boolean = () => true): Promise<Received[]> {
    const found = (): Received[] => this.received.filter(pass)
    while (found().length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return found()
  }

  /** `type text` of the requests, once there are `count`; without text, `type` with the room or user. */
  async told(count: number): Promise<string[]> {
    return (await this.wait(count)).map(({ json: { type, data } }) => `${type} ${data.text ?? data.room ?? data.user}`)
  }

  async #take(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    this.#unanswered.add(response)
    this.mostOpen = Math.max(this.mostOpen, this.#unanswered.size)
    response.once('close', () => this.#unanswered.delete(response))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    const { url, headers, socket } = request
    const received = { path: url!, socket, headers, body, json: JSON.parse(body) }
    this.received.push(received)
    for (const check of this.#waiting.splice(0)) check()
    const reply = await this.answer(received)
    if (!reply) return
    this.#unanswered.delete(response)
    const { status = 200 } = reply
    if (!response.destroyed) this.answered(received, status)
    response.writeHead(status, reply.headers)
    if (reply.endless) response.write(reply.body ?? '{')
    else response.end(reply.body)
  }
}

/** Verifies a signature by the specification of Standard Webhooks alone. */
export function isSigned({ headers, body }: Pick<Received, 'headers' | 'body'>, secret: string): boolean {
  const [id, at, list] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => String(headers[name]))
  if (Math.abs(Date.now() / 1000 - Number(at)) > 300) return false
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${at}.${body}`, 'utf8').digest()
  return list!.split(' ').some((one) => {
    const [version, signature] = one.split(',')
    const given = Buffer.from(signature ?? '', 'base64')
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected)
  })
}
