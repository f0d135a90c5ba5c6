/** Reads server-sent events as the HTML standard defines. */
import http from 'node:http'
import type { Test } from 'tap'
import type { TestBroker } from './broker.js'
import { httpUrl } from './http.js'

export interface ReaderOptions {
  as?: string
  token?: string
  headers?: Record<string, string>
}

// biome-ignore lint/suspicious/noExplicitAny: events are any JSON
type Data = any

export class EventReader {
  readonly events: { type: string; data: Data }[] = []
  /** What a browser would send as Last-Event-ID. */
  lastId = ''
  comments = 0
  ended = false
  readonly response: http.IncomingMessage
  #text = ''
  #waiting: (() => void)[] = []

  private constructor(response: http.IncomingMessage) {
    this.response = response
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => this.#received(chunk))
    const end = () => {
      this.ended = true
      this.#wake()
    }
    response.on('end', end).on('error', end).on('close', end)
  }

  /** Resolves once the stream has begun. `path`: with the query. */
  static async open(t: Test, broker: TestBroker, path: string, options: ReaderOptions = {}): Promise<EventReader> {
    const token = options.token ?? (options.as === undefined ? undefined : await broker.token(options.as))
    const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...options.headers }
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get(`${httpUrl(broker)}${path}`, { headers, agent: false }, resolve).on('error', reject)
    })
    t.teardown(() => response.destroy())
    const reader = new EventReader(response)
    if (response.statusCode === 200) await reader.until(() => reader.lastId !== '')
    return reader
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.ended) throw new Error(`the stream ended; it had ${JSON.stringify(this.events)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Resolves with what the messages say once there are `count`. */
  async texts(count: number): Promise<string[]> {
    const said = () => this.events.filter(({ type }) => type === 'message').map(({ data }) => textOf(data))
    await this.until(() => said().length >= count)
    return said()
  }

  async end(): Promise<void> {
    while (!this.ended) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #received(chunk: string): void {
    this.#text += chunk
    for (let end = this.#text.indexOf('\n\n'); end >= 0; end = this.#text.indexOf('\n\n')) {
      this.#block(this.#text.slice(0, end).split('\n'))
      this.#text = this.#text.slice(end + 2)
    }
    this.#wake()
  }

  #block(lines: string[]): void {
    let type = 'message'
    let data = ''
    for (const line of lines) {
      const colon = line.indexOf(':')
      const [field, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
      if (field === '') this.comments++
      if (field === 'id') this.lastId = value
      if (field === 'event') type = value
      if (field === 'data') data += value
    }
    if (data !== '') this.events.push({ type, data: JSON.parse(data) })
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function textOf({ message, text, base64 }: Data): string {
  return message?.text ?? message?.type ?? text ?? base64 ?? JSON.stringify(message)
}
