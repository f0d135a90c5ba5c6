/** A chat of the SDK behind a proxy, as tests of its outbox need it. */
import type { Test } from 'tap'
import type { Live } from '../../client/base/live.js'
import type { Chat, ChatOptions, ChatPlatform } from '../../client/chat.js'
import { createChat } from '../../client/index.js'
import type { TestBroker } from './broker.js'
import { ByteProxy } from './byte-proxy.js'
import { webSocket } from './web-socket.js'

type Options = Partial<ChatOptions> & { readonly platform?: Partial<ChatPlatform> }

/** Closed with the test. It is not connected yet. */
export function chatAt(t: Test, broker: TestBroker, port: number, user: string, options: Options = {}): Chat {
  const { platform, ...rest } = options
  const auth = { getToken: () => broker.token(user) }
  const chat = createChat({ url: `http://127.0.0.1:${port}`, auth, user, ...rest }, { socket: webSocket, ...platform })
  t.teardown(() => chat.close())
  return chat
}

export function proxyOf(t: Test, broker: TestBroker): Promise<ByteProxy> {
  return ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
}

/** Resolves with the first value for which `holds`. */
export async function when<T>(live: Live<T>, holds: (value: T) => boolean): Promise<T> {
  for await (const value of live) if (holds(value)) return value
  throw new Error('it has ended')
}

/** The texts of all messages of a room, in its order. */
export async function textsOf(chat: Pick<Chat, 'ask'>, room: string): Promise<(string | undefined)[]> {
  const texts: (string | undefined)[] = []
  for (let after = 0, more = true; more; ) {
    const page = await chat.ask.history({ room, after, limit: 500, maxBytes: 1_000_000 }, { timeout: 60_000 })
    for (const message of page.messages) texts.push('gone' in message ? undefined : message.text)
    after = page.messages.at(-1)?.seq ?? after
    more = page.more
  }
  return texts
}

export const OUTBOX_ROOMS = ['tea', 'milk', 'cake'] as const

/**
 * Of each room: every message that was stored is in it once, and all are in the order in which they were sent. Texts are `run-number`; what was
 * not told to be stored may be there, too.
 */
export async function requireAllOnce(t: Test, chat: Pick<Chat, 'ask'>, stored: readonly string[]): Promise<void> {
  const seen = new Set<string>()
  for (const room of OUTBOX_ROOMS) {
    const texts = (await textsOf(chat, room)).map(String)
    const inOrder = [...texts].sort((a, b) => placeOf(a) - placeOf(b))
    t.same(texts, inOrder, `${room} is in order`)
    t.equal(new Set(texts).size, texts.length, `nothing is twice in ${room}`)
    for (const text of texts) seen.add(text)
  }
  t.same(
    stored.filter((text) => !seen.has(text)),
    [],
    `all ${stored.length} that were stored are there`,
  )
}

function placeOf(text: string): number {
  const [run, number] = text.split('-').map(Number) as [number, number]
  return run * 1_000_000 + number
}
