/**
 * HTTP client for posting to third parties: keep-alive connections, a timeout for the whole request, no redirects,
 * bounded responses.
 */
import http from 'node:http'
import https from 'node:https'
import { namesPrivate, publicLookup } from './addresses.js'

export interface Post {
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: Buffer
  /** Seconds until it fails, connecting and reading included. */
  readonly timeout: number
  /** Only the status counts: the response body is discarded and not waited for. */
  readonly bodyless?: true
  /** Aborts it. */
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** Longest response body in bytes; a longer one is truncated. */
const ANSWER_BYTES = 65_536

export class Poster {
  readonly #privateAddresses: boolean
  readonly #http = new http.Agent({ keepAlive: true })
  readonly #https = new https.Agent({ keepAlive: true })
  readonly #closing = new AbortController()

  constructor(privateAddresses: boolean) {
    this.#privateAddresses = privateAddresses
  }

  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Rejects with an error that says why there was no response. */
  async post({ url, headers, body, timeout, bodyless, signal: ending }: Post): Promise<Answer> {
    const target = new URL(url)
    if (!this.#privateAddresses && namesPrivate(target))
      throw new Error(`${target.hostname} is on a private network (webhookDelivery.privateAddresses)`)
    const deadline = AbortSignal.timeout(timeout * 1000)
    try {
      const signal = AbortSignal.any([deadline, this.#closing.signal, ...(ending ? [ending] : [])])
      return await this.#send(target, headers, body, signal, bodyless ? dropBody : read)
    } catch (cause) {
      if (deadline.aborted) throw new Error(`no answer within ${timeout} s`, { cause })
      throw cause
    }
  }

  #send(
    target: URL,
    headers: Record<string, string>,
    body: Buffer,
    signal: AbortSignal,
    answer: (response: http.IncomingMessage) => Promise<Answer>,
  ): Promise<Answer> {
    const secure = target.protocol === 'https:'
    const options: https.RequestOptions = {
      method: 'POST',
      agent: secure ? this.#https : this.#http,
      headers: { ...headers, 'content-length': body.length, 'user-agent': 'TopicTalk' },
      signal,
      ...(this.#privateAddresses ? {} : { lookup: publicLookup }),
    }
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(target, options, (response) => {
        answer(response).then(resolve, reject)
      })
      request.on('error', reject)
      request.end(body)
    })
  }

  /** Aborts pending requests. */
  close(): void {
    this.#closing.abort()
    this.#http.destroy()
    this.#https.destroy()
  }
}

/** Reads a short body in the background, so that the connection can be reused; the timeout ends any other. */
async function dropBody(response: http.IncomingMessage): Promise<Answer> {
  read(response).catch(() => {})
  return { status: response.statusCode!, headers: response.headers, body: Buffer.alloc(0) }
}

async function read(response: http.IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size >= ANSWER_BYTES) break
  }
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }
}
