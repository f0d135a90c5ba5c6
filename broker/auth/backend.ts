/**
 * `auth.http`: an HTTP backend of the operator decides who a user is and what they may do. Anything but a clear answer
 * in time denies.
 */
import { createHmac, randomBytes } from 'node:crypto'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { ANYONE, Semaphore } from '../util/semaphore.js'
import { signedHeaders } from '../util/signature.js'
import { uuid7 as questionId } from '../util/uuid7.js'
import { askEndpoint } from './endpoint.js'
import type { Guarded, HookName, HookRunner } from './hooks.js'

/** Most cached answers; the least recently used is evicted. */
const MAX_ANSWERS = 20_000
/** Longest answer, in bytes. */
const MAX_BYTES = 65_536
/** Requests that may wait for others to finish. */
const MAX_WAITING = 1024

const Answer = Type.Object({
  allow: Type.Boolean(),
  user: Type.Optional(Type.String({ maxLength: 128 })),
  roles: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 64 })),
  expiresAt: Type.Optional(Type.Integer({ minimum: 0 })),
})

/** `user`, `roles` and `expiresAt` (Unix ms) are for logins. */
export type BackendAnswer = Static<typeof Answer>

const answers = Compile(Answer)
const DENIED: BackendAnswer = { allow: false }

export interface LoginQuestion {
  /** Null: only a token was given. */
  readonly username: string | null
  readonly password: string
  readonly clientId: string
  readonly address: string
}

export interface BackendOptions {
  /** Called for every request without a clear answer, for the log. */
  readonly onFault?: (question: string, error: Error) => void
  readonly now?: () => number
}

export class Backend {
  /** Asks the backend about publishes and subscriptions. */
  readonly hooks: HookRunner
  readonly #config: Config['auth']['http']
  readonly #options: BackendOptions
  readonly #now: () => number
  readonly #semaphore: Semaphore
  /** Least recently used first. */
  readonly #answers = new Map<string, { answer: BackendAnswer; until: number }>()
  readonly #asking = new Map<string, Promise<BackendAnswer>>()
  /** Requests contain passwords, so cache keys are HMACs under this key. */
  readonly #key = randomBytes(32)

  constructor(config: Config['auth']['http'], options: BackendOptions = {}) {
    this.#config = config
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#semaphore = new Semaphore(config.maxConcurrent, MAX_WAITING, tooMany)
    this.hooks = {
      authenticate: undefined,
      // Without the payload: the answer is per user and topic, not per message.
      authorizePublish: this.#hook<'authorizePublish'>('publish', ({ payload: _, ...request }) => request),
      authorizeSubscribe: this.#hook<'authorizeSubscribe'>('subscribe', (request) => request),
      scanFile: undefined,
    }
  }

  get answersLogins(): boolean {
    return this.#config.login !== null
  }

  /** Rejects with a refusal (`unavailable`) if there is no clear answer. */
  async login(question: LoginQuestion): Promise<BackendAnswer> {
    try {
      return await this.#ask('login', this.#config.login!, question)
    } catch (error) {
      this.#options.onFault?.('login', error as Error)
      throw new Refusal('unavailable', 'the backend that knows the users did not answer', { cause: error })
    }
  }

  #hook<N extends HookName>(
    name: 'publish' | 'subscribe',
    question: (request: Parameters<Guarded<N>>[0]) => object,
  ): Guarded<N> | undefined {
    const url = this.#config[name]
    if (url === null) return undefined
    const deny = (error: Error): false => {
      this.#options.onFault?.(name, error)
      return false
    }
    return (request) => {
      const answer = this.#ask(name, url, question(request))
      return answer instanceof Promise ? answer.then(({ allow }) => allow, deny) : answer.allow
    }
  }

  /** Returns no promise if the answer is cached. */
  #ask(action: string, url: string, question: object): BackendAnswer | Promise<BackendAnswer> {
    const body = JSON.stringify({ action, ...question })
    const key = createHmac('sha256', this.#key).update(body).digest('base64')
    const known = this.#remembered(key)
    if (known) return known
    const asking =
      this.#asking.get(key) ??
      this.#fetch(url, body)
        .then((answer) => this.#remember(key, action, answer))
        .finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  #remembered(key: string): BackendAnswer | null {
    const known = this.#answers.get(key)
    if (!known) return null
    this.#answers.delete(key)
    if (known.until <= this.#now()) return null
    this.#answers.set(key, known)
    return known.answer
  }

  /**
   * Refused logins are not cached: they are throttled already, and a user who has just been given an account should not
   * have to wait.
   */
  #remember(key: string, action: string, answer: BackendAnswer): BackendAnswer {
    const until = Math.min(this.#now() + this.#config.cache * 1000, answer.expiresAt ?? Number.POSITIVE_INFINITY)
    if (until <= this.#now() || (action === 'login' && !answer.allow)) return answer
    this.#answers.set(key, { answer, until })
    if (this.#answers.size > MAX_ANSWERS) this.#answers.delete(this.#answers.keys().next().value!)
    return answer
  }

  /** The time spent waiting in the semaphore counts towards the timeout. */
  async #fetch(url: string, body: string): Promise<BackendAnswer> {
    const { timeout, secret } = this.#config
    const deadline = performance.now() + timeout * 1000
    return this.#semaphore.run(ANYONE, async () => {
      const left = (deadline - performance.now()) / 1000
      if (left <= 0) throw new Error(`no answer within ${timeout} s: too many questions at once`)
      const signed = signedHeaders(secret === null ? [] : [secret], questionId(), Buffer.from(body), this.#now())
      const headers = { ...signed, accept: 'application/json', 'user-agent': 'TopicTalk' }
      const reply = await askEndpoint(url, { method: 'POST', headers, body, timeout: left, maxBytes: MAX_BYTES })
      return readAnswer(reply)
    })
  }
}

/** 401 and 403 refuse, 200 answers in its body; anything else is no answer. */
function readAnswer({ status, text }: { status: number; text: string }): BackendAnswer {
  if (status === 401 || status === 403) return DENIED
  if (status !== 200) throw new Error(`the backend answered with status ${status}`)
  const answer: unknown = JSON.parse(text)
  if (answers.Check(answer)) return answer
  const [fault] = answers.Errors(answer)
  throw new Error(`the backend answered what is none: ${fault?.instancePath || 'it'} ${fault?.message}`)
}

function tooMany(): Refusal {
  return new Refusal('unavailable', 'too many logins at once', { retryAfter: 5 })
}
