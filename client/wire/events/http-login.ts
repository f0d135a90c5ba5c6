/** The login of a wire over HTTP, and what its refusal means to a connection. */
import { ERRORS, type ErrorCode } from '../../../schemas/errors.js'
import { ChatError } from '../../base/chat-error.js'
import { utf8 } from '../utf8.js'
import { type Login, messageOf, WireError } from '../wire.js'

/** The header of that name. An API key is a password without a user. */
export function authorizationOf(login: Login): string {
  if ('token' in login) return `Bearer ${login.token}`
  const { user, password } = login
  return user === '' ? `Bearer ${password}` : `Basic ${base64(`${user}:${password}`)}`
}

/** Of UTF-8. */
export function base64(text: string): string {
  return btoa(String.fromCharCode(...utf8(text)))
}

/** What the broker answered is `kind`, with the reason code of MQTT; without an answer it is `network`. */
export function wireErrorOf(thrown: unknown, kind: 'refused' | 'disconnected'): WireError {
  if (thrown instanceof WireError) return thrown
  const { code, message, retryAfter } =
    thrown instanceof ChatError ? thrown : new ChatError('offline', messageOf(thrown), { cause: thrown })
  if (!(code in ERRORS)) return new WireError('network', message, { cause: thrown })
  const { reason } = ERRORS[code as ErrorCode]
  const userProperties: [string, string][] = retryAfter === undefined ? [] : [['retryAfter', String(retryAfter)]]
  return new WireError(kind, message, { reason, properties: { userProperties }, cause: thrown })
}
