/** Requests of the broker to services its operator named: bounded in time and size, and never sent elsewhere by a redirect. */

/** Why `url` may not be asked; null: it may. What is said there decides who logs in, so it must not be changed on the way. */
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
  readonly body?: string
  /** Seconds until it is given up, the body included. */
  readonly timeout: number
  /** Longest answer, in bytes. */
  readonly maxBytes: number
}

/** Rejects where there is no whole answer in time. */
export async function askEndpoint(
  url: string,
  { timeout, maxBytes, ...request }: EndpointRequest,
): Promise<{ status: number; text: string }> {
  const signal = AbortSignal.timeout(Math.ceil(timeout * 1000))
  const response = await fetch(url, { ...request, redirect: 'error', signal }).catch((cause: Error) => {
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

/** What fetch says itself is "fetch failed". */
function reasonOf(error: Error, timeout: number): string {
  if (error.name === 'TimeoutError') return `no answer within ${timeout} s`
  const { cause } = error as { cause?: Error & { code?: string } }
  return cause?.message || cause?.code || error.message
}
