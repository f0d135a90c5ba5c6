/** One delivery attempt, and its outcome. */

import { signedHeaders } from '../../util/signature.js'
import { retryAfter } from './backoff.js'
import type { Poster } from './poster.js'

export type Outcome =
  | { readonly kind: 'taken'; readonly status: number }
  /** The receiver answered 410: no more deliveries. */
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }
  /** `asked`: seconds in Retry-After. */
  | { readonly kind: 'failed'; readonly status: number | null; readonly error: string; readonly asked: number | null }
  /** Aborted since this node is to serve the webhook no longer; the outcome is unknown. */
  | { readonly kind: 'ended' }

export interface Attempt {
  readonly url: string
  readonly secrets: readonly string[]
  readonly id: string
  readonly body: Buffer
  /** Seconds. */
  readonly timeout: number
  /** Aborts it. */
  readonly signal?: AbortSignal
}

/** Never rejects. */
export async function attempt(poster: Poster, { url, secrets, id, body, timeout, signal }: Attempt): Promise<Outcome> {
  if (secrets.length === 0) return { kind: 'failed', status: null, error: 'its secret cannot be read', asked: null }
  try {
    const post = {
      url,
      headers: signedHeaders(secrets, id, body),
      body,
      timeout,
      bodyless: true,
      ...(signal ? { signal } : {}),
    } as const
    const { status, headers } = await poster.post(post)
    if (status >= 200 && status < 300) return { kind: 'taken', status }
    if (status === 410) return { kind: 'gone', status, error: 'answered 410: it wants no more' }
    const redirects = status >= 300 && status < 400
    const error = redirects ? `answered ${status}: redirects are not followed` : `answered ${status}`
    return { kind: 'failed', status, error, asked: retryAfter(headers['retry-after'], Date.now()) }
  } catch (error) {
    if (poster.closed || signal?.aborted) return { kind: 'ended' }
    return { kind: 'failed', status: null, error: messageOf(error), asked: null }
  }
}

/** For a refused connection Node has the reason in `code` only. */
function messageOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return (message || code || 'the connection failed').slice(0, 500)
}
