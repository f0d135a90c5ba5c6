/** The routes beside the API: the landing page and the health checks. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { type About, aboutJson, landingPage } from './landing.js'
import { varyBy } from './vary.js'
import { sendHome, type WebApp } from './web-app.js'

export interface PageDeps {
  readonly web: WebApp
  readonly about: () => About
  readonly health: {
    readonly lives: boolean
    /** Why balancers are to send clients elsewhere; null: they need not. */
    readonly hindrance: string | null
  }
  /** Disk space is low: writes are refused. */
  readonly low: () => boolean
}

/** The page is self-contained: it loads nothing and runs no script. */
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

export function pages(app: FastifyInstance, { web, about, health, low }: PageDeps): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-cache')
  })
  app.get('/', async (request, reply) => {
    varyBy(reply, 'accept')
    if (wantsJson(request)) return reply.type(JSON_TYPE).send(pretty(aboutJson(about())))
    const home = sendHome(request, reply, web)
    if (home) return home
    reply.type('text/html; charset=utf-8').header('content-security-policy', PAGE_POLICY)
    return reply.send(landingPage(about(), request.headers.host))
  })
  const status = (reply: FastifyReply): FastifyReply => {
    if (!health.lives) throw new Refusal('unavailable', 'the broker is not able to serve right now')
    return reply.type(JSON_TYPE).send(pretty({ status: 'ok', ...(low() && { disk: 'nearly full' }) }))
  }
  app.get('/healthz', async (_request, reply) => status(reply))
  app.get('/readyz', async (_request, reply) => {
    if (health.hindrance !== null) throw new Refusal('unavailable', health.hindrance)
    return status(reply)
  })
}

const JSON_TYPE = 'application/json; charset=utf-8'

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

/** Browsers ask for text/html; clients that ask for JSON and not for HTML get JSON. */
function wantsJson({ headers }: FastifyRequest): boolean {
  const accept = headers.accept ?? ''
  return accept.includes('application/json') && !accept.includes('text/html')
}
