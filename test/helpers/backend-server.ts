/** An operator's backend for `auth.http`: knows a few users, records its requests, and can fail in many ways. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { isSigned } from './receiver.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

export const BACKEND_SECRET = `whsec_${Buffer.from('a secret of the backend!').toString('base64')}`

/** The answer: a body, a status, or none at all. */
export type Reply = object | number | 'silence'

export class BackendServer {
  /** All requests, in order. */
  readonly asked: Json[] = []
  /** Requests with a wrong signature. */
  readonly unsigned: string[] = []
  url = ''
  answer: (question: Json) => Reply = () => 403
  readonly #held: ServerResponse[] = []

  static async start(t: Test): Promise<BackendServer> {
    const it = new BackendServer()
    const server = createServer((request, response) => void it.#serve(request, response))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => {
      for (const response of it.#held) response.destroy()
      return new Promise((resolve) => server.close(resolve).closeAllConnections())
    })
    it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return it
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    if (!isSigned({ headers: request.headers, body }, BACKEND_SECRET))
      this.unsigned.push(String(request.headers['webhook-signature']))
    this.asked.push(JSON.parse(body))
    const reply = this.answer(this.asked.at(-1))
    if (reply === 'silence') return void this.#held.push(response)
    response.statusCode = typeof reply === 'number' ? reply : 200
    if (reply === 302) response.setHeader('location', `${this.url}/elsewhere`)
    response.end(typeof reply === 'number' ? '' : JSON.stringify(reply))
  }
}
