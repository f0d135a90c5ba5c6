/** One stream of server-sent events of the broker (`GET /v1/events`), read by `fetch`, so that the login is in a header. */
import { API } from '../../../schemas/api.js'
import { ChatError } from '../../base/chat-error.js'
import type { Clock, Stop } from '../../base/platform.js'
import { Scope } from '../../base/scope.js'
import { refusal } from '../../requests/http-calls.js'
import { messageOf } from '../wire.js'
import { EventParser, type StreamEvent } from './event-parser.js'

/** Ms until the first bytes: proxies may hold back a stream as a whole. */
const OPEN_TIMEOUT = 20_000
/** Ms without a byte after which the stream may be lost; the broker sends some every 25 s, unless it is told otherwise. */
const SILENCE = 60_000

export interface StreamOptions {
  /** Of the broker, such as `https://chat.example.com`. */
  readonly url: string
  readonly authorization: string
  readonly filters: readonly string[]
  /** Where another stream of the same filters was; null: it begins now. */
  readonly lastId: string | null
  readonly clock: Clock
}

export interface StreamListener {
  /** The next event comes when this has resolved; if it rejects, the stream ends. */
  event(event: StreamEvent): Promise<void>
  /** Nothing came for a long time. */
  silent(): void
  /** Once, unless the stream was closed. */
  ended(error: unknown): void
}

/**
 * Resolves when the stream has begun: what is published from then on comes. Rejects with a `ChatError`: what the broker refused, or `offline`.
 * `outer`: the stream ends with it.
 */
export async function openStream(options: StreamOptions, outer: Scope): Promise<EventStream> {
  const scope = new Scope(outer.signal)
  const late = (): void => scope.end(new ChatError('offline', `no event stream within ${OPEN_TIMEOUT} ms`))
  const stopTimer = options.clock.timer(OPEN_TIMEOUT, late)
  try {
    return await scope.race(begin(options, scope))
  } catch (error) {
    scope.end(error)
    throw error instanceof ChatError ? error : new ChatError('offline', messageOf(error), { cause: error })
  } finally {
    stopTimer()
  }
}

async function begin(
  { url, authorization, filters, lastId, clock }: StreamOptions,
  scope: Scope,
): Promise<EventStream> {
  const query = filters.map((filter) => `filter=${encodeURIComponent(filter)}`).join('&')
  const headers = { authorization, ...(lastId !== null && { 'last-event-id': lastId }) }
  const response = await fetch(`${url}${API}/events?${query}`, { headers, cache: 'no-store', signal: scope.signal })
  if (!response.ok) throw refusal(response.status, await response.json().catch(() => null))
  const user = response.headers.get('topictalk-user')
  if (user === null || !response.body) throw new ChatError('unavailable', 'no event stream of a broker')
  const stream = new EventStream(user, response.body.getReader(), scope, clock)
  await stream.begin()
  return stream
}

export class EventStream {
  /** Who is logged in. */
  readonly user: string
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #scope: Scope
  readonly #clock: Clock
  readonly #parser = new EventParser(null)
  /** Came with the beginning. */
  #first: StreamEvent[] = []
  #stopWatching: Stop = () => {}

  constructor(user: string, reader: ReadableStreamDefaultReader<Uint8Array>, scope: Scope, clock: Clock) {
    this.user = user
    this.#reader = reader
    this.#scope = scope
    this.#clock = clock
  }

  /** Of the last event: another stream continues there. */
  get id(): string | null {
    return this.#parser.id
  }

  /** The broker says where the stream is when that has begun. */
  async begin(): Promise<void> {
    while (this.id === null) this.#first.push(...(await this.#read()))
  }

  /** Tells `listener` of all that comes. */
  async follow(listener: StreamListener): Promise<void> {
    try {
      for (let events = this.#first; ; events = await this.#read(() => listener.silent()))
        for (const event of events) {
          if (this.#scope.signal.aborted) return
          await listener.event(event)
        }
    } catch (error) {
      const isOver = this.#scope.signal.aborted
      this.close()
      if (!isOver) listener.ended(error)
    }
  }

  close(): void {
    this.#stopWatching()
    this.#scope.end(null)
  }

  async #read(silent: () => void = () => {}): Promise<StreamEvent[]> {
    this.#stopWatching = this.#clock.timer(SILENCE, silent)
    try {
      const { done, value } = await this.#reader.read()
      if (done) throw new ChatError('offline', 'the event stream has ended')
      return this.#parser.push(value)
    } finally {
      this.#stopWatching()
    }
  }
}
