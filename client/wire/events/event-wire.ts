/** The wire where nothing but HTTP passes: what is subscribed to comes as server-sent events, what is published is a request. */
import { ERRORS, type ErrorCode } from '../../../schemas/errors.js'
import { filterMatches, topics } from '../../../schemas/topics.js'
import { ChatError } from '../../base/chat-error.js'
import type { Clock, Signal, Stop } from '../../base/platform.js'
import { Scope } from '../../base/scope.js'
import { sleep } from '../../base/sleep.js'
import { utf8 } from '../utf8.js'
import {
  type Answer,
  type Login,
  messageOf,
  type Outgoing,
  type Subscription,
  type Wire,
  WireError,
  type WireListener,
} from '../wire.js'
import type { StreamEvent } from './event-parser.js'
import { type EventStream, openStream } from './event-stream.js'
import { authorizationOf, wireErrorOf } from './http-login.js'
import { HttpRequests } from './http-requests.js'
import { streamFilters } from './stream-filters.js'

/** Ms for which a stream goes on beside the one with more filters that takes its place: what is still on its way in it is in no other. */
const OVERLAP = 5000
/** Of those, at most. */
const LEAVING = 3
/** Times that a stream is asked for while the user has as many as the broker allows: each time those that are replaced may have ended. */
const TRIES = 4
/** Ms in which the broker has to answer when a stream is silent. */
const CHECK = 10_000

/** Events that are remembered for so long. */
const SEEN = 5000

/** Codes by which the broker refuses filters. */
const REFUSALS: ReadonlySet<string> = /* @__PURE__ */ new Set<ErrorCode>(['forbidden', 'bad_request', 'too_large'])

export interface EventsOptions {
  /** Of the broker, such as `https://chat.example.com`. */
  readonly url: string
  readonly clock: Clock
}

/** The `data` of an event. */
interface EventData {
  readonly topic: string
  readonly retained?: boolean
  readonly message?: unknown
  /** In place of `message`, on topics where it is no JSON. */
  readonly text?: string
  readonly base64?: string
}

/** As an `OpenWire` does. */
export async function openEvents(
  options: EventsOptions,
  login: Login,
  listener: WireListener,
  signal: Signal,
): Promise<EventWire> {
  const scope = new Scope(signal)
  // A stream without events tells who is logged in, and that streams pass.
  const filters = [topics.user('{me}', 'replies')]
  const start = { ...options, authorization: authorizationOf(login), filters, lastId: null }
  const stream = await openStream(start, scope).catch((error: unknown) => {
    scope.end(error)
    throw signal.aborted ? new WireError('aborted', 'given up while it was opened') : wireErrorOf(error, 'refused')
  })
  return new EventWire(options, login, listener, scope, stream)
}

export class EventWire implements Wire {
  readonly properties: Wire['properties']
  readonly #options: EventsOptions
  readonly #listener: WireListener
  readonly #scope: Scope
  /** Where answers are expected. */
  readonly #replies: string
  readonly #subscriptions = new Map<string, Subscription>()
  #login: Login
  #stream: EventStream
  /** Resolves when the stream may be replaced again. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Streams that are replaced, and what ends each. */
  readonly #leaving = new Map<EventStream, Stop>()
  /** What has come while two streams may tell of it; null: there is one. */
  #seen: Set<string> | null = null
  readonly #requests: HttpRequests
  #end: WireError | null = null

  constructor(options: EventsOptions, login: Login, listener: WireListener, scope: Scope, stream: EventStream) {
    this.#options = options
    this.#login = login
    this.#listener = listener
    this.#scope = scope
    this.#stream = stream
    this.#replies = topics.user(stream.user, 'replies')
    this.properties = { responseInformation: this.#replies }
    this.#requests = new HttpRequests({
      url: options.url,
      scope,
      authorization: () => authorizationOf(this.#login),
      answer: (payload) => this.#deliver(this.#replies, payload, false),
      // The login may be over; a wrong password in a request is refused likewise.
      doubted: () => void this.check(CHECK).catch(() => {}),
      lost: (error) => this.end(error),
    })
    void this.#follow(stream)
  }

  /** The present one: after `renew` with the new token. */
  get login(): Login {
    return this.#login
  }

  /** What the client publishes itself is sent to it, too: streams have no `noLocal`. */
  async subscribe(subscriptions: readonly Subscription[]): Promise<readonly number[]> {
    const asked = subscriptions.filter(({ filter }) => filter !== this.#replies)
    const refused = asked.length > 0 && (await this.#widenInTime(asked))
    if (!refused) return subscriptions.map(({ qos }) => qos)
    if (subscriptions.length === 1) return [refused]
    // The broker refuses all if it refuses one of them: which one is found by halves.
    const half = subscriptions.length >> 1
    const first = await this.subscribe(subscriptions.slice(0, half))
    return [...first, ...(await this.subscribe(subscriptions.slice(half)))]
  }

  /** What still comes of them is left out. */
  async unsubscribe(filters: readonly string[]): Promise<readonly number[]> {
    this.#requireOpen()
    for (const filter of filters) this.#subscriptions.delete(filter)
    return filters.map(() => 0)
  }

  async publish(message: Outgoing, signal?: Signal): Promise<Answer> {
    this.#requireOpen()
    return this.#requests.publish(message, signal)
  }

  async renew(token: string): Promise<void> {
    this.#login = { clientId: this.#login.clientId, token }
    await this.#inTurn(() => this.#continue())
  }

  async check(ms: number): Promise<void> {
    const late = (): void => this.end(new WireError('network', `the broker did not answer for ${ms} ms`))
    const stop = this.#options.clock.timer(ms, late)
    await this.#inTurn(() => this.#continue()).finally(stop)
  }

  async close(): Promise<void> {
    this.end(new WireError('closed', 'the connection was closed'))
  }

  /** Once, whoever wants it. */
  end(error: WireError): void {
    if (this.#end) return
    this.#end = error
    this.#stream.close()
    for (const [stream, stop] of this.#leaving) {
      stop()
      stream.close()
    }
    this.#scope.end(error)
    if (error.kind !== 'closed') this.#listener.ended(error)
  }

  #requireOpen(): void {
    if (this.#end) throw new WireError('closed', 'the connection has ended')
  }

  async #deliver(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    try {
      await this.#listener.message({ topic, payload, qos: 1, retain, properties: {} })
    } catch (cause) {
      this.end(new WireError('failed', `a message could not be taken: ${messageOf(cause)}`, { cause }))
    }
  }

  // --- the stream ----------------------------------------------------------------------------------------------------

  /** One replacement of the stream at a time. Rejects with a `WireError`. */
  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    this.#requireOpen()
    const turn = this.#turn.then(() => {
      this.#requireOpen()
      return act()
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** As `#widen` does; waits if the user has too many streams. */
  async #widenInTime(more: readonly Subscription[]): Promise<number> {
    for (let left = TRIES - 1; ; left--) {
      const reason = await this.#inTurn(() => this.#widen(more, left > 0))
      if (reason !== null) return reason
      await sleep(this.#options.clock, OVERLAP, this.#scope.signal)
    }
  }

  /** A stream with these filters, too. Resolves with a reason code if the broker refuses them, else with 0; null: the user has too many streams. */
  async #widen(more: readonly Subscription[], mayWait: boolean): Promise<number | null> {
    const filters = new Set([...this.#subscriptions.keys(), ...more.map(({ filter }) => filter)])
    this.#seen ??= new Set()
    const stream = await this.#open(filters, null, mayWait).catch((error: WireError) => error)
    if (stream instanceof WireError) {
      if (stream.kind !== 'rejected') throw stream
      this.#oneIsLeft()
      return (stream.cause as ChatError).code === 'rate_limited' ? null : stream.reason!
    }
    for (const one of more) this.#subscriptions.set(one.filter, one)
    const old = this.#stream
    this.#stream = stream
    const stop = this.#options.clock.timer(OVERLAP, () => this.#left(old))
    this.#leaving.set(old, stop)
    const [oldest] = this.#leaving.keys()
    if (this.#leaving.size > LEAVING) this.#left(oldest!)
    void this.#follow(stream)
    return 0
  }

  /** A stream with the same filters that begins where the present one is. */
  async #continue(): Promise<void> {
    const old = this.#stream
    const filters = this.#subscriptions.size > 0 ? this.#subscriptions.keys() : [this.#replies]
    // From here on nothing of it is taken, so that the next one tells nothing twice.
    old.close()
    const stream = await this.#open(filters, old.id).catch((error: WireError) => {
      this.end(error)
      throw error
    })
    this.#stream = stream
    void this.#follow(stream)
  }

  /** Rejects with a `WireError`: `rejected` if the broker refuses the filters, or with `mayWait` more streams; after any other the connection has ended. */
  async #open(wanted: Iterable<string>, lastId: string | null, mayWait = false): Promise<EventStream> {
    const filters = streamFilters(wanted)
    const authorization = authorizationOf(this.#login)
    try {
      return await openStream({ ...this.#options, authorization, filters, lastId }, this.#scope)
    } catch (error) {
      if (error instanceof ChatError && (REFUSALS.has(error.code) || (mayWait && error.code === 'rate_limited')))
        throw new WireError('rejected', error.message, { reason: ERRORS[error.code as ErrorCode].reason, cause: error })
      this.end(wireErrorOf(error, 'disconnected'))
      throw this.#end
    }
  }

  #left(stream: EventStream): void {
    this.#leaving.get(stream)?.()
    stream.close()
    this.#leaving.delete(stream)
    this.#oneIsLeft()
  }

  #oneIsLeft(): void {
    if (this.#leaving.size === 0) this.#seen = null
  }

  #follow(stream: EventStream): Promise<void> {
    return stream.follow({
      event: (event) => this.#take(event),
      silent: () => void this.check(CHECK).catch(() => {}),
      ended: (error) => this.end(wireErrorOf(error, 'disconnected')),
    })
  }

  async #take({ name, data }: StreamEvent): Promise<void> {
    // More was missed than the broker replays: the next connection asks for it.
    if (name === 'gap') throw new ChatError('offline', 'the stream has a gap')
    if (name !== null || this.#isRepeated(data)) return
    const { topic, retained = false, message, text, base64 } = JSON.parse(data) as EventData
    const isWanted = [...this.#subscriptions.values()].some(
      ({ filter, retainHandling }) => !(retained && retainHandling === 2) && filterMatches(filter, topic),
    )
    if (!isWanted) return
    const payload = base64 === undefined ? utf8(text ?? JSON.stringify(message)) : bytesOf(base64)
    await this.#deliver(topic, payload, retained)
  }

  /** Of what is logged, as it has a number: the rest may be told twice. */
  #isRepeated(data: string): boolean {
    if (!this.#seen || !data.includes('"seq":')) return false
    if (this.#seen.has(data)) return true
    if (this.#seen.size >= SEEN) this.#seen.clear()
    this.#seen.add(data)
    return false
  }
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0))
}
