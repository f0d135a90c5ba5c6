/** Requests over MQTT that await their reply: published to `users/{me}/requests/{command}`, answered with the same `id` (docs/mqtt.md). */
import type { ErrorBody } from '../../schemas/errors.js'
import { ChatError } from '../base/chat-error.js'
import type { Clock, PlatformSignal } from '../base/platform.js'
import { Scope } from '../base/scope.js'
import type { CallOptions } from './calls.js'
import { requestIds } from './request-ids.js'

type Reply = { re: string } & ({ ok: true; result: unknown } | { ok: false; error: ErrorBody })

interface Waiting {
  readonly scope: Scope
  replied(reply: Reply): void
}

export class Replies {
  readonly #clock: Pick<Clock, 'timer'>
  readonly #nextId = requestIds()
  /** By request id. */
  readonly #waiting = new Map<string, Waiting>()

  constructor(clock: Pick<Clock, 'timer'>) {
    this.#clock = clock
  }

  /**
   * Resolves with the `result` of the reply. Rejects with a `ChatError`, or with what `send` rejects with. `send`: publishes the request with
   * this id, unless the signal is aborted before. `id`: of its own, such as the `cid` of a message, which is answered as a request is.
   */
  async ask(
    name: string,
    { signal, timeout }: CallOptions & { readonly timeout: number },
    send: (id: string, signal: PlatformSignal) => Promise<unknown>,
    id = this.#nextId(),
  ): Promise<unknown> {
    const scope = new Scope(signal)
    const late = (): void => scope.end(new ChatError('timeout', `no answer to ${name} within ${timeout} ms`))
    const stopTimer = this.#clock.timer(timeout, late)
    const reply = new Promise<Reply>((replied) => this.#waiting.set(id, { scope, replied }))
    send(id, scope.signal).catch((error: unknown) => scope.end(error))
    try {
      return resultOf(await scope.race(reply))
    } finally {
      this.#waiting.delete(id)
      stopTimer()
      scope.end(null)
    }
  }

  /** Whether anybody awaits a reply. */
  get areAwaited(): boolean {
    return this.#waiting.size > 0
  }

  /** `payload`: of a reply, perhaps to another session of the user. */
  take(payload: string): void {
    const reply = JSON.parse(payload) as Reply
    this.#waiting.get(reply.re)?.replied(reply)
  }

  /** No reply comes any more. */
  lost(): void {
    const error = new ChatError('offline', 'the connection was lost')
    for (const { scope } of this.#waiting.values()) scope.end(error)
  }
}

function resultOf(reply: Reply): unknown {
  if (reply.ok) return reply.result
  const { code, message, ...more } = reply.error
  throw new ChatError(code, message, more)
}
