/** Asking the broker for something, by whatever door. */
import type { CommandName, CommandParams, CommandResult } from '../schemas/commands.js'
import type { ErrorBody, ErrorCode } from '../schemas/errors.js'

/** Sends one request. `route` is where HTTP finds it, such as `GET /rooms/{room}`; null: HTTP does not have it. */
export type Call = <N extends CommandName>(
  name: N,
  params: CommandParams<N>,
  route: string | null,
) => Promise<CommandResult<N>>

/** The broker answered that it will not, or did not answer. */
export class CallError extends Error {
  /** See docs/reference.md. `unavailable` also stands for no answer: the request may have been done. */
  readonly code: ErrorCode
  /** The parameter it is about. */
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
