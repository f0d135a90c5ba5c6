/**
 * The table of error codes: the MQTT 5 reason code, the HTTP status, and whether a retry can succeed. Replies and
 * problem documents carry the code; acks carry the reason code.
 */

export interface ErrorKind {
  /**
   * MQTT 5 reason code of the PUBACK or PUBREC, unless the refusal has one of its own; both packets must allow it
   * [MQTT5-3.4.2.1].
   */
  reason: number
  /** HTTP status. */
  status: number
  /**
   * False: the same request would be refused again, so it is acknowledged and answered. True: it is not acknowledged.
   */
  transient: boolean
  title: string
}

export const ERRORS = {
  bad_request: { reason: 0x99, status: 400, transient: false, title: 'the request is not valid' },
  too_large: { reason: 0x97, status: 413, transient: false, title: 'too large' },
  unauthorized: { reason: 0x87, status: 401, transient: false, title: 'not signed in' },
  forbidden: { reason: 0x87, status: 403, transient: false, title: 'not allowed' },
  not_found: { reason: 0x90, status: 404, transient: false, title: 'not found' },
  conflict: { reason: 0x83, status: 409, transient: false, title: 'conflicts with what is there' },
  rate_limited: { reason: 0x97, status: 429, transient: true, title: 'too many requests' },
  unavailable: { reason: 0x80, status: 503, transient: true, title: 'not possible right now' },
  not_implemented: { reason: 0x83, status: 501, transient: false, title: 'not implemented' },
  internal: { reason: 0x80, status: 500, transient: true, title: 'internal error' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

/** The `error` of a reply. */
export interface ErrorBody {
  code: ErrorCode
  message: string
  /** The field of the request that is wrong, as a dotted path. */
  field?: string
  /** Seconds to wait before trying again. */
  retryAfter?: number
}

/** An expected refusal: part of the contract, shown to the client. Anything else that is thrown is a bug. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfter: number | undefined
  /** MQTT 5 reason code of the ack. */
  readonly reason: number
  readonly #final: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      field?: string | undefined
      retryAfter?: number | undefined
      /** Another one than that of the code; it must be allowed in a PUBACK. */
      reason?: number
      /** Acknowledge and answer it although a retry may succeed: for refusals that do not concern the connection. */
      final?: boolean
      cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Refusal'
    this.code = code
    this.field = options.field
    this.retryAfter = options.retryAfter
    this.reason = options.reason ?? ERRORS[code].reason
    this.#final = options.final ?? false
  }

  get transient(): boolean {
    return ERRORS[this.code].transient && !this.#final
  }

  body(): ErrorBody {
    const body: ErrorBody = { code: this.code, message: this.message }
    if (this.field !== undefined) body.field = this.field
    if (this.retryAfter !== undefined) body.retryAfter = this.retryAfter
    return body
  }
}

/** Turns anything thrown into a refusal: bugs become `internal`, without revealing details. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('internal', 'internal error; the broker logged it', { cause: error })
}
