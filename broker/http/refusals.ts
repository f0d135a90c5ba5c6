/** Turns every error into a problem document from the table of error codes. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asRefusal, type ErrorCode, Refusal } from '../../schemas/errors.js'
import { PROBLEM_TYPE, problemOf } from '../../schemas/problem.js'
import type { Counters } from '../util/counters.js'
import { sendLost, type WebApp } from './web-app.js'

/** A refusal with a specific HTTP status or headers. */
export class HttpRefusal extends Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ErrorCode, status: number, message: string, headers: Record<string, string> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

export interface RefusalDeps {
  readonly counters: Counters
  readonly listen: { readonly wsPath: string }
  readonly web: WebApp
  readonly failed: (error: unknown) => void
}

type Refuse = (error: unknown, reply: FastifyReply) => void

export function answerRefusals(app: FastifyInstance, deps: RefusalDeps): Refuse {
  const refuse: Refuse = (error, reply) => {
    const refusal = toRefusal(error)
    if (refusal.code === 'internal') deps.failed(error)
    deps.counters.add(`refused.${refusal.code}`)
    send(refusal, reply)
  }
  app.setErrorHandler((error, _request, reply) => refuse(error, reply))
  app.setNotFoundHandler((request, reply) => {
    const refusal = missing(request, deps.listen.wsPath)
    if (refusal.code !== 'not_found' || !sendLost(request, reply, deps.web)) refuse(refusal, reply)
  })
  return refuse
}

function send(refusal: Refusal, reply: FastifyReply): void {
  // Fastify closes the connection when a body was not read to its end: a client still sending it would see a reset
  // instead of the response.
  reply.removeHeader('connection')
  if (refusal instanceof HttpRefusal) reply.headers(refusal.headers)
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(Math.ceil(refusal.retryAfter)))
  const problem = problemOf(refusal.body(), refusal instanceof HttpRefusal ? refusal.status : undefined)
  reply.code(problem.status).headers({ 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' })
  reply.send(`${JSON.stringify(problem)}\n`)
}

function missing({ method, url }: FastifyRequest, wsPath: string): Refusal {
  const path = url.split('?', 1)[0]
  const reads = method === 'GET' || method === 'HEAD'
  if (!reads || path !== wsPath)
    return new Refusal('not_found', `there is no ${method} ${path} here; /docs and /v1/openapi.json list what there is`)
  const why = `${wsPath} speaks MQTT over WebSocket: connect with an MQTT client`
  return new HttpRefusal('bad_request', 426, why, { upgrade: 'websocket', connection: 'upgrade' })
}

/** Fastify's own refusals have a status; any other error is a bug. */
function toRefusal(error: unknown): Refusal {
  const { statusCode = 500, message } = error as FastifyError
  if (error instanceof Refusal || statusCode >= 500) return asRefusal(error)
  switch (statusCode) {
    case 413:
      return new Refusal('too_large', 'the body is too large (limits.payloadBytes; of sync: limits.syncBytes)')
    case 415:
      return new HttpRefusal('bad_request', 415, 'a body is JSON: Content-Type: application/json')
    default:
      return new HttpRefusal('bad_request', statusCode, message)
  }
}
