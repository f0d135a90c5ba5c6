/** One attempt to tell a webhook of an event, and what came of it. */

import { signedHeaders } from '../../util/signature.js'
import { retryAfter } from './backoff.js'
import type { Poster } from './poster.js'

export type Outcome =
  | { readonly kind: 'taken'; readonly status: number }
  /** The receiver wants no more of it. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }
  /** `asked`: seconds the receiver wants to be left alone. */
  | { readonly kind: 'failed'; readonly status: number | null; readonly error: string; readonly asked: number | null }
  /** The broker closes; nothing is known. */
  | { readonly kind: 'ended' }

export interface Attempt {
  readonly url: string
  readonly secrets: readonly string[]
  readonly id: string
  readonly body: Buffer
  /** Seconds. */
  readonly timeout: number
}

/** Never rejects. */
export async function attempt(poster: Poster, { url, secrets, id, body, timeout }: Attempt): Promise<Outcome> {
  if (secrets.length === 0) return { kind: 'failed', status: null, error: 'its secret cannot be read', asked: null }
  try {
    const post = { url, headers: signedHeaders(secrets, id, body), body, timeout, bodyless: true } as const
    const { status, headers } = await poster.post(post)
    if (status >= 200 && status < 300) return { kind: 'taken', status }
    if (status === 410) return { kind: 'gone', status, error: 'answered 410: it wants no more' }
    const redirects = status >= 300 && status < 400
    const error = redirects ? `answered ${status}: redirects are not followed` : `answered ${status}`
    return { kind: 'failed', status, error, asked: retryAfter(headers['retry-after'], Date.now()) }
  } catch (error) {
    if (poster.closed) return { kind: 'ended' }
    return { kind: 'failed', status: null, error: messageOf(error), asked: null }
  }
}

/** Of a connection that was refused Node says why in the code alone. */
function messageOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return (message || code || 'the connection failed').slice(0, 500)
}
