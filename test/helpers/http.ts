/** An HTTP client for the API, independent of the SDK: fetch, and requests built from the table of commands. */
import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'
import { API, COMMANDS, type Command } from '../../schemas/commands.js'
import { serveHttp, type TestBroker } from './broker.js'

serveHttp()

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** Null if the body is not JSON. */
  body: Json
}

export interface Request {
  method?: string
  /** Authenticates with a token of this user. */
  as?: string
  roles?: string[]
  headers?: Record<string, string>
  /** Values other than text and bytes are sent as JSON. */
  body?: string | Buffer | object
}

export function httpUrl(broker: TestBroker): string {
  return broker.running.listeners.find(({ name }) => name === 'http')!.url
}

export async function fetchFrom(broker: TestBroker, path: string, request: Request = {}): Promise<Answer> {
  const { method = 'GET', as, roles, body } = request
  const headers = { ...request.headers }
  if (as !== undefined) headers['authorization'] = `Bearer ${await broker.token(as, roles)}`
  const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
  if (!isText) headers['content-type'] ??= 'application/json'
  const init = { method, headers, redirect: 'manual' as const }
  const sent = body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }
  const response = await fetch(`${httpUrl(broker)}${path}`, { ...init, ...sent } as RequestInit)
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: parsed(text) }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** The HTTP request of a command: path parameters in the path, the others in the query or the body. */
export function requestOf(name: string, params: Record<string, unknown>): { path: string; request: Request } {
  const { http } = (COMMANDS as Record<string, Command>)[name]!
  if (!http) throw new Error(`${name} has no route`)
  const rest = { ...params }
  const path = http.path.replace(/\{(\w+)\}/g, (_match, key: string) => {
    const value = rest[key]
    delete rest[key]
    return encodeURIComponent(String(value))
  })
  if (http.method !== 'GET' && http.method !== 'DELETE')
    return { path: `${API}${path}`, request: { method: http.method, body: rest } }
  const query = new URLSearchParams(
    Object.entries(rest).flatMap(([key, value]) => [value].flat().map((one): [string, string] => [key, String(one)])),
  )
  return { path: `${API}${path}${query.size > 0 ? `?${query}` : ''}`, request: { method: http.method } }
}

/** The header of a login with a password. */
export const basicLogin = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** Every refusal is the same document, whatever refused. */
export function isProblem(t: Test, { status, headers, text, body }: Answer, what: string): void {
  t.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8', `${what}: its type`)
  t.equal(headers.get('cache-control'), 'no-store', `${what}: not cached`)
  t.equal(body?.status, status, `${what}: the document has its status`)
  t.ok(body?.title && body.code && body.detail, `${what}: title, code and detail`)
  t.notMatch(text, /FST_|\.js:|at .*\(|fastify/i, `${what}: nothing of the inside`)
}

/** Sends bytes as they are; resolves with all that comes back until the broker closes. */
export async function rawHttp(broker: TestBroker, bytes: string): Promise<string> {
  const socket = net.connect(Number(new URL(httpUrl(broker)).port), '127.0.0.1')
  socket.write(bytes)
  let seen = ''
  socket.on('data', (chunk) => (seen += chunk.toString()))
  await once(socket, 'close')
  return seen
}
