/** What a wire over HTTP publishes: requests, whose answers come as replies. */
import { ERRORS, type ErrorBody, type ErrorCode } from '../../../schemas/errors.js'
import { ChatError } from '../../base/chat-error.js'
import { onAbort, type Signal } from '../../base/platform.js'
import { Scope } from '../../base/scope.js'
import type { Call } from '../../requests/calls.js'
import { httpCalls } from '../../requests/http-calls.js'
import { utf8 } from '../utf8.js'
import { type Answer, messageOf, type Outgoing, WireError } from '../wire.js'
import { wireErrorOf } from './http-login.js'
import { type HttpPublish, publishOf } from './http-publish.js'

/** Ms for the answer: who asked gives up earlier. */
const TIMEOUT = 120_000
/** Requests that await their answer. */
const MOST = 256

const TAKEN: Answer = { reason: 0, properties: {} }

export interface RequestDeps {
  readonly url: string
  /** Of the wire. */
  readonly scope: Scope
  /** The present header of that name. */
  authorization(): string
  /** Takes what would be a message on the topic of replies. */
  answer(payload: Uint8Array): Promise<void>
  /** A request was refused as `unauthorized`. */
  doubted(): void
  /** No answer came: the wire has to end, as the next ones might be lost as well. */
  lost(error: WireError): void
}

export class HttpRequests {
  readonly #deps: RequestDeps
  readonly #ask: Call
  #open = 0

  constructor(deps: RequestDeps) {
    this.#deps = deps
    this.#ask = httpCalls({
      url: deps.url,
      fetch: (to, init) => fetch(to, { ...init, headers: { ...init?.headers, authorization: deps.authorization() } }),
    })
  }

  /** As `Wire.publish`. */
  async publish(message: Outgoing, signal?: Signal): Promise<Answer> {
    if (signal?.aborted) throw new WireError('aborted', 'given up unsent')
    const request = publishOf(message)
    if (!request) return TAKEN
    if (this.#open >= MOST) throw new WireError('rejected', `${MOST} requests await their answer`)
    this.#open++
    const answer = this.#request(request, signal).finally(() => this.#open--)
    if (message.qos === 1) return answer
    answer.catch(() => {})
    return TAKEN
  }

  async #request({ name, params, re }: HttpPublish, signal: Signal | undefined): Promise<Answer> {
    const scope = new Scope(signal)
    const stop = onAbort(this.#deps.scope.signal, () => scope.end(null))
    try {
      const result = await this.#ask(name, params as never, { signal: scope.signal, timeout: TIMEOUT })
      await this.#reply({ re, method: name, ok: true, result })
    } catch (thrown) {
      const error = this.#refusalOf(thrown, signal)
      const { code, message } = error
      if (re === undefined) return { reason: ERRORS[code].reason, properties: { reasonString: message } }
      await this.#reply({ re, method: name, ok: false, error })
    } finally {
      stop()
      scope.end(null)
    }
    return TAKEN
  }

  /** Of the broker. @throws WireError there was no answer */
  #refusalOf(thrown: unknown, signal: Signal | undefined): ErrorBody {
    const { scope, doubted, lost } = this.#deps
    if (signal?.aborted) throw new WireError('aborted', 'given up; it may have been carried out')
    if (scope.signal.aborted) throw new WireError('closed', 'the connection has ended')
    const error = thrown instanceof ChatError ? thrown : new ChatError('internal', messageOf(thrown))
    const { code, message, field, retryAfter } = error
    if (!(code in ERRORS)) {
      const end = wireErrorOf(error, 'disconnected')
      lost(end)
      throw end
    }
    if (code === 'unauthorized') doubted()
    return { code: code as ErrorCode, message, ...(field && { field }), ...(retryAfter && { retryAfter }) }
  }

  async #reply(reply: object): Promise<void> {
    if (!this.#deps.scope.signal.aborted) await this.#deps.answer(utf8(JSON.stringify(reply)))
  }
}
