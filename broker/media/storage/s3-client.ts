/** Requests to a bucket, signed with AWS Signature Version 4. Addresses have the bucket in their path, which all servers understand. */
import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AwsV4Signer } from 'aws4fetch'

/** Ms without a byte after which a request has failed; and one that stores an object, which the server may copy to others before it answers. */
const IDLE = 30_000
const IDLE_PUT = 300_000
/** Bytes of an answer that is no file, at most. */
const MOST_ANSWER = 4_194_304
/** Objects that are listed at once. */
const LIST_PAGE = 1000
/** Answers to `If-None-Match`: there is an object already, or one is being stored; and the server has no such thing. */
const THERE_IS_ONE: readonly number[] = [412, 409]
const NO_CONDITIONS = 501
/** SHA-256 of nothing, in hex. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'

export interface S3Options {
  /** Of the bucket, with what the names of its objects begin with: `https://host/bucket/prefix`. */
  readonly url: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
}

/** The server answered, and refused. */
export class S3Error extends Error {
  readonly status: number

  constructor(method: string, url: URL, status: number, answer: string) {
    const code = textIn('Code', answer) ?? ''
    super(`${method} ${url.host}${url.pathname}: ${status} ${code.slice(0, 100)}`.trimEnd())
    this.status = status
  }
}

export interface S3Object {
  readonly key: string
  /** Unix ms. */
  readonly at: number
}

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  /** Of the body; hex. */
  readonly hash?: string
  readonly body?: { readonly open: () => Readable; readonly length: number }
  readonly query?: Readonly<Record<string, string>>
}

export class S3Client {
  readonly #options: S3Options
  readonly #bucket: URL
  readonly #prefix: string
  readonly #agent: http.Agent

  constructor(options: S3Options) {
    const url = new URL(options.url)
    const [, bucket = '', ...rest] = url.pathname.split('/')
    this.#options = options
    this.#bucket = new URL(`/${bucket}`, url)
    this.#prefix = rest.length > 0 && rest.at(-1) !== '' ? `${rest.join('/')}/` : rest.join('/')
    this.#agent = new (url.protocol === 'https:' ? https : http).Agent({ keepAlive: true })
  }

  /** Stores an object. @param hash SHA-256 of the bytes, in hex: the server refuses others */
  async put(key: string, body: NonNullable<Asked['body']>, hash: string): Promise<void> {
    await this.#put(key, body, hash)
  }

  /** The same, but what is there stays. A server that knows no conditions stores it all the same. */
  async putFirst(key: string, body: NonNullable<Asked['body']>, hash: string): Promise<void> {
    try {
      await this.#put(key, body, hash, { 'if-none-match': '*' })
    } catch (error) {
      const status = error instanceof S3Error ? error.status : null
      if (status === NO_CONDITIONS) return this.#put(key, body, hash)
      if (status === null || !THERE_IS_ONE.includes(status)) throw error
    }
  }

  /** Bytes of an object; null: there is none. */
  async size(key: string): Promise<number | null> {
    return orMissing(async () => Number(drained(await this.#ask('HEAD', key)).headers['content-length']))
  }

  /** A small object, as text; null: there is none. */
  async text(key: string): Promise<string | null> {
    return orMissing(async () => textOf(await this.#ask('GET', key)))
  }

  /** Bytes `start` to `end` of an object, the last one included. */
  async get(key: string, start: number, end: number): Promise<Readable> {
    const answer = await this.#ask('GET', key, { headers: { range: `bytes=${start}-${end}` } })
    if (answer.statusCode === 206) return answer
    answer.destroy()
    throw new Error(`GET ${key}: the server does not know ranges`)
  }

  /** Also if there is none. */
  async delete(key: string): Promise<void> {
    await orMissing(async () => drained(await this.#ask('DELETE', key)))
  }

  /** Objects whose keys begin so, by their keys. */
  async *list(prefix: string, most = LIST_PAGE): AsyncGenerator<S3Object> {
    for (let token: string | null = null; ; ) {
      const { objects, next } = await this.page(prefix, most, token)
      yield* objects
      if (next === null) return
      token = next
    }
  }

  /** At most so many objects. `next`: the token of the page behind it; null: there is none. */
  async page(prefix: string, most: number, token: string | null = null) {
    const query = {
      ...{ 'list-type': '2', 'max-keys': String(most), prefix: this.#prefix + prefix },
      ...(token === null ? {} : { 'continuation-token': token }),
    }
    const answer = await textOf(await this.#ask('GET', null, { query }))
    const found = [...answer.matchAll(/<Contents>(.*?)<\/Contents>/gs)]
    return {
      objects: found.map(([, content]) => this.#objectIn(content!)),
      next: textIn('NextContinuationToken', answer),
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  async #put(key: string, body: NonNullable<Asked['body']>, hash: string, more: Asked['headers'] = {}): Promise<void> {
    const type = { 'content-type': 'application/octet-stream', 'content-length': String(body.length) }
    await textOf(await this.#ask('PUT', key, { headers: { ...type, ...more }, hash, body }))
  }

  #objectIn(content: string): S3Object {
    const key = textIn('Key', content) ?? ''
    return { key: key.slice(this.#prefix.length), at: Date.parse(textIn('LastModified', content) ?? '') }
  }

  /** @param key Null: the bucket itself. @throws S3Error, or what hinders to reach the server */
  async #ask(method: string, key: string | null, asked: Asked = {}): Promise<http.IncomingMessage> {
    const url = new URL(this.#bucket)
    if (key !== null) url.pathname += `/${this.#prefix}${key}`
    for (const [name, value] of Object.entries(asked.query ?? {})) url.searchParams.set(name, value)
    const { headers = {}, hash = EMPTY } = asked
    const answer = await this.#send(
      method,
      await this.#signed(method, url, { ...headers, 'x-amz-content-sha256': hash }),
      asked,
    )
    if (answer.statusCode! < 300) return answer
    throw new S3Error(method, url, answer.statusCode!, method === 'HEAD' ? '' : await textOf(answer))
  }

  #signed(method: string, url: URL, headers: Record<string, string>) {
    const { region, accessKey, secretKey } = this.#options
    const signer = new AwsV4Signer({
      ...{ method, url: url.href, headers, service: 's3', region },
      ...{ accessKeyId: accessKey, secretAccessKey: secretKey },
    })
    return signer.sign()
  }

  async #send(
    method: string,
    { url, headers }: Awaited<ReturnType<AwsV4Signer['sign']>>,
    { body }: Asked,
  ): Promise<http.IncomingMessage> {
    const { request } = url.protocol === 'https:' ? https : http
    const timeout = method === 'PUT' ? IDLE_PUT : IDLE
    const sent = request(url, { method, headers: Object.fromEntries(headers), agent: this.#agent, timeout })
    let answer: http.IncomingMessage | null = null
    sent.on('timeout', () => {
      // Where something is left to read, it is the reader who is slow.
      if (!answer || answer.readableLength === 0)
        sent.destroy(new Error(`${url.host} was silent for ${timeout / 1000} s`))
    })
    // Before the answer, whoever awaits it is told; after it, whoever reads it.
    sent.on('error', () => {})
    const answered = once(sent, 'response') as Promise<[http.IncomingMessage]>
    if (!body) sent.end()
    // A server that refuses answers before it has all of it.
    else void pipeline(body.open(), sent).catch((error: unknown) => sent.destroy(error as Error))
    ;[answer] = await answered
    return answer
  }
}

/** Null: there is no such object. */
async function orMissing<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof S3Error && error.status === 404) return null
    throw error
  }
}

function drained(answer: http.IncomingMessage): http.IncomingMessage {
  return answer.resume()
}

async function textOf(answer: http.IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of answer as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > MOST_ANSWER) throw new Error(`an answer of more than ${MOST_ANSWER} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** Of the first element of this name: what a bucket answers is flat, and its texts are ours, or numbers, times and tokens. */
function textIn(element: string, xml: string): string | null {
  return new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1] ?? null
}
