/** Asks a moderation server before a message is written: it may allow it, refuse it, or replace its text. */
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import { directPeer, isDirectRoom, SYSTEM } from '../../../schemas/ids.js'
import type { Screen, Verdict } from '../../chat/messages/screening.js'
import type { Actor } from '../../chat/model/actor.js'
import { type CheckedMessage, contentOf, rewritten } from '../../chat/model/message.js'
import type { Counters } from '../../util/counters.js'
import { ANYONE, Semaphore } from '../../util/semaphore.js'
import { signedHeaders } from '../../util/signature.js'
import { uuid7 } from '../../util/uuid7.js'
import { CircuitBreaker } from './circuit-breaker.js'
import { bodyOf } from './events.js'
import { Poster } from './poster.js'

/** Type of the event that asks. */
const CHECK = 'message.check'
/** The circuit opens after so many consecutive failures, for PAUSE ms. */
const FAILURES = 5
const PAUSE = 10_000
/** Most messages waiting to be checked. */
const MAX_WAITING = 1000
const MAX_REASON = 500
/** Message types without content to check. */
const SILENT = new Set(['delete', 'pin', 'unpin'])

const checkAnswer = Compile(
  Type.Union([
    Type.Object({ action: Type.Literal('allow') }),
    Type.Object({ action: Type.Literal('refuse'), reason: Type.Optional(Type.String()) }),
    Type.Object({ action: Type.Literal('rewrite'), text: Type.String({ minLength: 1 }) }),
  ]),
)
type Judgement =
  | { action: 'allow' }
  | { action: 'refuse'; reason?: string | undefined }
  | { action: 'rewrite'; text: string }

type Options = Config['moderation']['webhook']

export class Moderator implements Screen {
  readonly #url: string
  readonly #secrets: readonly string[]
  readonly #options: Options
  readonly #rooms: ReadonlySet<string> | null
  readonly #payloadBytes: number
  readonly #counters: Counters
  readonly #failed: (error: unknown) => void
  /** The operator chose the URL, so private addresses are allowed. */
  readonly #poster = new Poster(true)
  readonly #breaker = new CircuitBreaker({ failures: FAILURES, pause: PAUSE })
  readonly #semaphore: Semaphore

  /** Null: none is configured. */
  static of(
    { moderation: { webhook }, limits }: Pick<Config, 'moderation' | 'limits'>,
    counters: Counters,
    failed: (error: unknown) => void,
  ): Moderator | null {
    const { url, secret } = webhook
    return url === null || secret === null ? null : new Moderator(url, secret, webhook, limits, counters, failed)
  }

  private constructor(
    url: string,
    secret: string,
    options: Options,
    { payloadBytes }: { payloadBytes: number },
    counters: Counters,
    failed: (error: unknown) => void,
  ) {
    this.#url = url
    this.#secrets = options.previousSecret === null ? [secret] : [secret, options.previousSecret]
    this.#options = options
    this.#rooms = options.rooms.length > 0 ? new Set(options.rooms) : null
    this.#payloadBytes = payloadBytes
    this.#counters = counters
    this.#failed = failed
    const full = (): Error => new Error(`more than ${MAX_WAITING} messages wait for an answer`)
    this.#semaphore = new Semaphore(options.concurrency, MAX_WAITING, full)
  }

  screen(actor: Actor, room: string, message: CheckedMessage): Promise<Verdict | undefined> | undefined {
    const { user } = actor.principal
    if (user === SYSTEM || SILENT.has(message.input?.type ?? 'text')) return undefined
    if (isDirectRoom(room) ? !this.#options.direct : this.#rooms && !this.#rooms.has(room)) return undefined
    return this.#judge(user, room, message)
  }

  close(): void {
    this.#poster.close()
  }

  async #judge(user: string, room: string, message: CheckedMessage): Promise<Verdict | undefined> {
    let verdict: Verdict | undefined
    try {
      verdict = await this.#ask(user, room, message)
    } catch (error) {
      if (error instanceof Refusal) throw error
      this.#counters.add('moderation.failed')
      this.#failed(new Error(`moderation.webhook: ${(error as Error).message}`, { cause: error }))
      if (this.#options.onFailure === 'refuse' || this.#poster.closed)
        throw new Refusal('unavailable', 'messages cannot be checked right now; try again later', {
          retryAfter: PAUSE / 1000,
          final: true,
        })
    }
    return verdict
  }

  /** Rejects with a refusal, or with the error. */
  async #ask(user: string, room: string, message: CheckedMessage): Promise<Verdict | undefined> {
    const asked = Date.now()
    const judgement = await this.#semaphore.run(ANYONE, () => this.#request(asked, user, room, message))
    return this.#obey(judgement, message)
  }

  async #request(asked: number, user: string, room: string, message: CheckedMessage): Promise<Judgement> {
    const timeout = this.#options.timeout - (Date.now() - asked) / 1000
    if (timeout <= 0) throw new Error(`no answer within ${this.#options.timeout} s`)
    if (!this.#breaker.mayAsk(Date.now())) throw new Error(`not asked: it failed ${FAILURES} times in a row`)
    try {
      const judgement = await this.#post(timeout, bodyOfCheck(user, room, message))
      this.#breaker.succeeded()
      return judgement
    } catch (error) {
      this.#breaker.failed(Date.now())
      throw error
    }
  }

  async #post(timeout: number, { id, body: question }: { id: string; body: Buffer }): Promise<Judgement> {
    const headers = signedHeaders(this.#secrets, id, question)
    const { status, body } = await this.#poster.post({ url: this.#url, headers, body: question, timeout })
    if (status === 204) return { action: 'allow' }
    if (status !== 200) throw new Error(`answered ${status}`)
    const judgement = parsed(body)
    if (!checkAnswer.Check(judgement)) throw new Error('answered with no judgement')
    return judgement
  }

  #obey(judgement: Judgement, message: CheckedMessage): Verdict | undefined {
    if (judgement.action === 'allow') {
      this.#counters.add('moderation.allowed')
      return undefined
    }
    if (judgement.action === 'refuse') {
      this.#counters.add('moderation.refused')
      throw new Refusal('forbidden', judgement.reason?.slice(0, MAX_REASON) || 'this message is not allowed here')
    }
    const verdict = { message: this.#rewritten(message, judgement.text) }
    this.#counters.add('moderation.rewritten')
    return verdict
  }

  /** An answer with a text the sender could not have sent is invalid. */
  #rewritten(message: CheckedMessage, text: string): CheckedMessage {
    try {
      const made = rewritten(message, { text })
      if (Buffer.byteLength(made.inside) <= this.#payloadBytes) return made
    } catch (cause) {
      throw new Error(`a text that cannot take the place of this: ${(cause as Error).message}`, { cause })
    }
    throw new Error('a text that is longer than limits.payloadBytes')
  }
}

function bodyOfCheck(user: string, room: string, message: CheckedMessage): { id: string; body: Buffer } {
  const id = uuid7()
  const { cid: _, ...content } = contentOf(message)
  const to = directPeer(room, user)
  const data = { room, from: user, ...(to === null ? {} : { to }), message: content }
  return { id, body: bodyOf(id, CHECK, Date.now(), '', Buffer.from(JSON.stringify(data))) }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return null
  }
}
