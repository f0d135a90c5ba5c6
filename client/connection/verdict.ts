/** What the end of a connection means: whether it is tried again, and when. */
import type { ErrorCode } from '../../schemas/errors.js'
import { ChatError, type ClientErrorCode } from '../base/chat-error.js'
import { messageOf, WireError } from '../wire/wire.js'
import type { RetryReason, SignOutReason } from './status.js'

export interface Verdict {
  readonly error: ChatError
  readonly why: RetryReason | 'unauthorized'
  /** If it is `unauthorized`, and stays so. */
  readonly signOut: SignOutReason
  /** Another connection uses this client id. */
  readonly isTakenOver: boolean
}

/** Reason codes of MQTT 5 in CONNACK and DISCONNECT; what is not here is `server`. */
const WHY: Readonly<Record<number, Verdict['why']>> = {
  134: 'unauthorized', // bad user name or password
  135: 'unauthorized', // not authorized, or the token expired
  137: 'busy', // server busy
  138: 'unauthorized', // banned
  141: 'network', // keep alive timeout
  150: 'busy', // message rate too high
  151: 'busy', // quota exceeded
  152: 'unauthorized', // administrative action: the login, or the session, was ended
  159: 'busy', // connection rate exceeded
}

const TAKEN_OVER = 142
const ADMINISTRATIVE_ACTION = 152

const CODES: Readonly<Record<Verdict['why'], ErrorCode | ClientErrorCode>> = {
  unauthorized: 'unauthorized',
  busy: 'rate_limited',
  server: 'unavailable',
  network: 'offline',
}

export function verdictOn(error: unknown): Verdict {
  if (error instanceof WireError) return verdictOnWire(error)
  if (!(error instanceof ChatError)) return verdictOn(new ChatError('internal', messageOf(error), { cause: error }))
  return { error, why: whyOf(error), signOut: 'expired', isTakenOver: false }
}

function whyOf({ code, retryAfter }: ChatError): Verdict['why'] {
  if (code === 'unauthorized') return 'unauthorized'
  if (code === 'offline' || code === 'timeout') return 'network'
  return code === 'rate_limited' || retryAfter !== undefined ? 'busy' : 'server'
}

function verdictOnWire(cause: WireError): Verdict {
  const { kind, reason, message, properties } = cause
  const isSaid = kind === 'refused' || kind === 'disconnected'
  const why = isSaid ? (WHY[reason!] ?? 'server') : kind === 'network' ? 'network' : 'server'
  // Seconds.
  const retryAfter = Number(new Map(properties.userProperties).get('retryAfter'))
  return {
    error: new ChatError(CODES[why], message, { cause, ...(retryAfter > 0 && { retryAfter }) }),
    why,
    signOut: kind === 'refused' ? 'refused' : reason === ADMINISTRATIVE_ACTION ? 'revoked' : 'expired',
    isTakenOver: kind === 'disconnected' && reason === TAKEN_OVER,
  }
}
