import type { ERRORS, ErrorBody, ErrorCode } from '../../schemas/errors.js'

/**
 * Codes that the broker does not have:
 * - `offline`: there is no connection, or it was lost before the answer came.
 * - `timeout`: no answer came in time.
 * - `aborted`: the caller gave it up.
 * - `closed`: the client was closed.
 * - `storage`: the device could not keep it.
 */
export type ClientErrorCode = 'offline' | 'timeout' | 'aborted' | 'closed' | 'storage'

/** The codes of the broker that its table calls transient. The table itself, with all that it says of each code, would be a part of every page. */
type TransientCode = { [C in ErrorCode]: (typeof ERRORS)[C]['transient'] extends true ? C : never }[ErrorCode]

/** What may succeed when it is tried again later. */
const TRANSIENT: Readonly<Record<TransientCode | 'offline' | 'timeout', true>> = {
  rate_limited: true,
  unavailable: true,
  internal: true,
  offline: true,
  timeout: true,
}

/** The one error of the SDK: what the broker refused, by its code, or what went wrong on the way. */
export class ChatError extends Error {
  readonly code: ErrorCode | ClientErrorCode
  /** The same may succeed later. */
  readonly transient: boolean
  /** The parameter that was refused, as a dotted path. */
  readonly field: string | undefined
  /** Seconds to wait before trying again. */
  readonly retryAfter: number | undefined

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    { field, retryAfter, cause }: Pick<ErrorBody, 'field' | 'retryAfter'> & { cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ChatError'
    this.code = code
    this.transient = code in TRANSIENT
    this.field = field
    this.retryAfter = retryAfter
  }
}
