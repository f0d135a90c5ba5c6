/** Requests over HTTP, for web pages and services without an MQTT connection. */
import { API } from '../../schemas/api.js'
import type { Problem } from '../../schemas/problem.js'
import { ChatError } from '../base/chat-error.js'
import { Scope } from '../base/scope.js'
import { CALL_TIMEOUT, type Call, type CallOptions } from './calls.js'
import { ROUTES } from './routes.js'
import { timer } from './timer.js'

export interface HttpOptions {
  /** Of the broker, such as `https://chat.example.com`. */
  url: string
  /** Access token or API key; called for every request. Absent: only commands that need no login. */
  token?: () => string | Promise<string>
  /** Ms to wait for an answer. */
  timeout?: number
  fetch?: typeof fetch
}

export function httpCalls(options: HttpOptions): Call {
  return async (name, params, { signal, timeout = options.timeout ?? CALL_TIMEOUT } = {}) => {
    const route = ROUTES[name]
    if (route === undefined) throw new ChatError('not_found', `no method ${name}`)
    if (route === null) throw new ChatError('not_implemented', 'this is asked for over MQTT alone')
    const { path, ...request } = requestOf(route, params as Record<string, unknown>)
    const { response, body } = await send(options, path, request, { signal, timeout })
    if (response.ok && body !== null) return body as never
    throw refusal(response.status, body)
  }
}

interface Answer {
  readonly response: Response
  /** Null: it is not JSON. */
  readonly body: unknown
}

async function send(
  { url, token, fetch: ask = fetch }: HttpOptions,
  path: string,
  request: { method: string; body?: string },
  { signal, timeout }: { signal: CallOptions['signal']; timeout: number },
): Promise<Answer> {
  const headers: Record<string, string> = {}
  if (token) headers['authorization'] = `Bearer ${await token()}`
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  const scope = new Scope(signal)
  const stopTimer = timer(timeout, () => scope.end(new ChatError('timeout', `no answer within ${timeout} ms`)))
  const exchange = async (): Promise<Answer> => {
    const response = await ask(`${url}${API}${path}`, { ...request, headers, signal: scope.signal })
    return { response, body: parsed(await response.text()) }
  }
  try {
    return await scope.race(exchange())
  } catch (cause) {
    throw cause instanceof ChatError ? cause : new ChatError('offline', 'the broker did not answer', { cause })
  } finally {
    stopTimer()
    scope.end(null)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** A proxy between client and broker may answer in a format of its own. */
export function refusal(status: number, body: unknown): ChatError {
  const { code, detail, field, retryAfter } = (body ?? {}) as Partial<Problem>
  if (!code) return new ChatError('unavailable', `the answer had status ${status} and said no more`)
  return new ChatError(code, detail ?? code, { ...(field && { field }), ...(retryAfter && { retryAfter }) })
}

/** Fills path parameters into the route; the others become the query or the body. */
function requestOf(route: string, params: Record<string, unknown>): { path: string; method: string; body?: string } {
  const [method = '', template = ''] = route.split(' ')
  const rest = { ...params }
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name]
    if (value === undefined) throw notValid(name, 'is missing')
    delete rest[name]
    return encodeURIComponent(String(value))
  })
  if (method !== 'GET' && method !== 'DELETE') return { path, method, body: JSON.stringify(rest) }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(rest)) {
    const all = [value].flat()
    // A query cannot say so: it would ask for what is meant without this parameter.
    if (all.length === 0) throw notValid(name, 'must not be empty')
    for (const one of all) if (one !== undefined) query.append(name, String(one))
  }
  return { path: query.size > 0 ? `${path}?${query}` : path, method }
}

/** As the broker says it. */
function notValid(field: string, what: string): ChatError {
  return new ChatError('bad_request', `${field} ${what}`, { field })
}
