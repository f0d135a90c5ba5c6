/** Requests to the broker, over any transport. */
import type { CommandName, CommandParams, CommandResult } from '../schemas/commands.js'
import type { ErrorBody, ErrorCode } from '../schemas/errors.js'

/** Sends one request. `route`: its HTTP route, such as `GET /rooms/{room}`; null: not available over HTTP. */
export type Call = <N extends CommandName>(
  name: N,
  params: CommandParams<N>,
  route: string | null,
) => Promise<CommandResult<N>>

/** The broker refused the request, or did not answer. */
export class CallError extends Error {
  /** See docs/reference.md. `unavailable` also means that no answer came: the request may have been carried out. */
  readonly code: ErrorCode
  /** The parameter that was refused. */
  readonly field: string | undefined
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined

  constructor({ code, message, field, retryAfter }: ErrorBody, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CallError'
    this.code = code
    this.field = field
    this.retryAfter = retryAfter
  }
}
