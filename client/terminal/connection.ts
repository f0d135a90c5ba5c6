/** The client of the terminal chat, and its first connection. */
import { type Chat, createChat, fetchOver, fileTransfers, people } from '../node/index.js'
import { printable } from './printable.js'
import { abortable } from './waiting.js'

export interface ConnectionOptions {
  /** `mqtt://`, `mqtts://`, `ws://`, `wss://`, `http://` or `https://`. */
  readonly url: string
  readonly user: string
  /** Password or token. */
  readonly password: string
  /** PEM: over TLS, the authority of the broker's certificate. */
  readonly ca?: Buffer
  /** Of the broker's HTTP, for files; absent: that of `url`, if it is not of MQTT. */
  readonly http?: string
  /** A directory that keeps rooms, and what was not sent. Absent: memory does, until the end. */
  readonly store?: string
}

export function clientFor({ url, user, password, ca, http, store }: ConnectionOptions): Chat {
  return createChat({
    url,
    auth: { user, password },
    user,
    device: 'terminal',
    people: people(),
    ...(ca && { tls: { ca } }),
    ...(http !== undefined && { files: fileTransfers({ url: http, ...(ca && { fetch: fetchOver({ ca }) }) }) }),
    ...(store !== undefined && { store }),
  })
}

/** Why files can be neither sent nor saved; null: nothing is known to hinder it. */
export function filesHindrance({ url, http = url }: ConnectionOptions): string | null {
  return /^mqtt/i.test(http) ? 'files need the HTTP of the broker: start with --http http://HOST:8080' : null
}

/** Resolves when the client is online. The first attempt has to succeed: whoever waits for the end of a pipe wants to know. */
export async function firstConnection(chat: Chat, url: string): Promise<void> {
  const ended = new AbortController()
  const connected = chat.connect()
  connected.catch(() => {})
  const failed = abortable(chat.status, (status) => status.state === 'waiting', ended.signal).then((status) => {
    if (status?.state === 'waiting') throw new Error(`cannot connect to ${url}: ${reasonOf(status.error)}`)
  })
  failed.catch(() => {})
  try {
    await Promise.race([connected, failed.then(() => connected)])
  } catch (error) {
    const { message } = error as Error
    throw message.startsWith('cannot connect') ? error : new Error(`cannot connect to ${url}: ${printable(message)}`)
  } finally {
    ended.abort()
  }
}

/** In words, also of an error that has the real one as its cause. */
export function reasonOf(error: Error): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if ('code' in cause && cause.code === 'ECONNREFUSED') return 'nothing listens there'
  return printable(error.message)
}
