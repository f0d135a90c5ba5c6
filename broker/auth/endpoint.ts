/** HTTP requests to services named by the operator: bounded in time and size, never following redirects. */
import type { Readable } from 'node:stream'

/**
 * Why `url` may not be used; null: it may. Its answers decide who logs in, so the connection must be protected against
 * changes.
 */
export function endpointFault(url: string): string | null {
  if (!URL.canParse(url)) return 'expected a URL that begins with https://'
  const { protocol, hostname, username, hash } = new URL(url)
  if (protocol !== 'https:' && protocol !== 'http:') return 'expected a URL that begins with https://'
  if (username || hash) return 'expected a URL without user name and fragment'
  if (protocol === 'http:' && !isLoopback(hostname)) return 'expected https://; http:// is for services on this machine'
  return null
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

export interface EndpointRequest {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** A stream is sent as it is read. */
  readonly body?: string | Readable
  /** Seconds for the whole request, body included. */
  readonly timeout: number
  /** Longest response, in bytes. */
  readonly maxBytes: number
}

/** Rejects if there is no complete response in time. */
export async function askEndpoint(
  url: string,
  { timeout, maxBytes, ...request }: EndpointRequest,
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(Math.ceil(timeout * 1000))
  // A body that is a stream needs `duplex`.
  const options = { ...request, duplex: 'half', redirect: 'error', signal } as RequestInit
  const response = await fetch(url, options).catch((cause: Error) => {
    throw new Error(reasonOf(cause, timeout), { cause })
  })
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`)
  }
  return { status: response.status, text: Buffer.concat(chunks).toString() }
}

/** The message of fetch itself is only "fetch failed"; the reason is its cause. */
function reasonOf(error: Error, timeout: number): string {
  if (error.name === 'TimeoutError') return `no answer within ${timeout} s`
  const { cause } = error as { cause?: Error & { code?: string } }
  return cause?.message || cause?.code || error.message
}
