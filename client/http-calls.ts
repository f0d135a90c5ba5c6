/** Requests over HTTP, for web pages and services without an MQTT connection. */
import { API } from '../schemas/api.js'
import type { Problem } from '../schemas/problem.js'
import { type Call, CallError } from './calls.js'

export interface HttpOptions {
  /** Of the broker, such as `https://chat.example.com`. */
  url: string
  /** Access token or API key; called for every request. Absent: only commands that need no login. */
  token?: () => string | Promise<string>
  /** ms. */
  timeout?: number
  fetch?: typeof fetch
}

/** Rejects with a `CallError`. */
export function httpCalls(options: HttpOptions): Call {
  return async (_name, params, route) => {
    if (route === null) throw new CallError({ code: 'not_implemented', message: 'this is asked for over MQTT alone' })
    const { path, ...request } = requestOf(route, params as Record<string, unknown>)
    const response = await send(options, path, request)
    const body: unknown = await response.json().catch(() => null)
    if (response.ok && body !== null) return body as never
    throw refusal(response.status, body)
  }
}

async function send(options: HttpOptions, path: string, request: { method: string; body?: string }): Promise<Response> {
  const { url, token, timeout = 10_000, fetch: ask = fetch } = options
  const headers: Record<string, string> = {}
  if (token) headers['authorization'] = `Bearer ${await token()}`
  if (request.body !== undefined) headers['content-type'] = 'application/json'
  try {
    return await ask(`${url}${API}${path}`, { ...request, headers, signal: AbortSignal.timeout(timeout) })
  } catch (cause) {
    throw new CallError({ code: 'unavailable', message: 'the broker did not answer' }, { cause })
  }
}

/** A proxy between client and broker may answer in a format of its own. */
function refusal(status: number, body: unknown): CallError {
  const { code, detail, field, retryAfter } = (body ?? {}) as Partial<Problem>
  if (!code) return new CallError({ code: 'unavailable', message: `the answer had status ${status} and said no more` })
  return new CallError({ code, message: detail ?? code, ...(field && { field }), ...(retryAfter && { retryAfter }) })
}

/** Fills path parameters into the route; the others become the query or the body. */
function requestOf(route: string, params: Record<string, unknown>): { path: string; method: string; body?: string } {
  const [method = '', template = ''] = route.split(' ')
  const rest = { ...params }
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name]
    delete rest[name]
    return encodeURIComponent(String(value))
  })
  if (method !== 'GET' && method !== 'DELETE') return { path, method, body: JSON.stringify(rest) }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(rest))
    for (const one of [value].flat()) if (one !== undefined) query.append(name, String(one))
  return { path: query.size > 0 ? `${path}?${query}` : path, method }
}
