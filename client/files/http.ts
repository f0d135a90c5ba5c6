/** Requests about files, which are made over HTTP with the login of the connection. */
import { ERRORS, type ErrorCode } from '../../schemas/errors.js'
import type { Problem } from '../../schemas/problem.js'
import { ChatError } from '../base/chat-error.js'
import type { Clock, PlatformSignal } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import { authorizationOf } from '../wire/events/http-login.js'
import type { Login } from '../wire/wire.js'

export interface HttpDeps {
  /** Of the broker: `https://host`. */
  readonly url: string
  readonly fetch: typeof fetch
  readonly clock: Pick<Clock, 'timer'>
  login(): Promise<Login>
  /** The login was refused. */
  refused(): void
}

interface Request {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: ArrayBuffer
  readonly signal: PlatformSignal
}

/** Ms without an answer, or without more of one, after which a request is given up. */
const PATIENCE = 60_000

export class Http {
  readonly #deps: HttpDeps
  /** The login that was used last. */
  #authorization = ''

  constructor(deps: HttpDeps) {
    this.#deps = deps
  }

  get url(): string {
    return this.#deps.url
  }

  /**
   * Resolves with what `read` makes of the answer. `heard` is to be called when there is more of it. Rejects with a `ChatError`: what the broker
   * refused, or `offline`, `timeout`, `aborted`.
   */
  async ask<T>(
    path: string,
    { signal, ...request }: Request,
    read: (answer: Response, heard: () => void) => Promise<T> | T,
  ): Promise<T> {
    const { url, fetch, clock } = this.#deps
    const scope = new Scope(signal)
    const late = (): void => scope.end(new ChatError('timeout', `no answer within ${PATIENCE} ms`))
    let stopTimer = clock.timer(PATIENCE, late)
    const heard = (): void => {
      stopTimer()
      stopTimer = clock.timer(PATIENCE, late)
    }
    const exchange = async (): Promise<T> => {
      const authorization = authorizationOf(await this.#deps.login())
      this.#authorization = authorization
      const headers = { ...request.headers, authorization }
      const answer = await fetch(url + path, { ...request, headers, signal: scope.signal })
      if (answer.ok) return read(answer, heard)
      // Perhaps another request has said so before, and there is another one by now.
      if (answer.status === 401 && authorization === this.#authorization) this.#deps.refused()
      throw refusalOf(answer, await answer.text())
    }
    try {
      return await scope.race(exchange())
    } catch (cause) {
      throw cause instanceof ChatError ? cause : new ChatError('offline', 'the broker did not answer', { cause })
    } finally {
      stopTimer()
      scope.end(null)
    }
  }
}

/** An answer to HEAD has no text, and a proxy may answer in a format of its own. */
function refusalOf({ status, headers }: Response, text: string): ChatError {
  const { code, detail, ...more } = problemIn(text)
  if (code) return new ChatError(code, detail ?? code, more)
  const retryAfter = Number(headers.get('retry-after'))
  const known = Object.entries(ERRORS).find(([, error]) => error.status === status)
  return new ChatError(
    (known?.[0] as ErrorCode) ?? 'unavailable',
    `the answer had status ${status}, and said no more`,
    {
      ...(retryAfter > 0 && { retryAfter }),
    },
  )
}

function problemIn(text: string): Partial<Problem> {
  try {
    return JSON.parse(text) as Problem
  } catch {
    return {}
  }
}
