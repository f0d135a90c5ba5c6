import type { FastifyInstance } from 'fastify'

const ALLOWED = 'authorization, content-type, idempotency-key, if-none-match, last-event-id'
const EXPOSED = 'etag, link, location, retry-after, www-authenticate'
/** Seconds for which a browser remembers what it was allowed. */
const REMEMBERED = '7200'

/**
 * Which pages may use the API: those of `origins`, or of any where the list is empty, as for WebSockets. Never with credentials, which
 * a browser adds by itself: a page has to have a token of its own.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  app.addHook('onRequest', async ({ headers, method }, reply) => {
    const { origin } = headers
    if (origins.length > 0) reply.header('vary', 'origin')
    if (origin === undefined || (origins.length > 0 && !origins.includes(origin))) return
    reply.header('access-control-allow-origin', origins.length > 0 ? origin : '*')
    reply.header('access-control-expose-headers', EXPOSED)
    if (method !== 'OPTIONS') return
    reply.header('access-control-allow-headers', ALLOWED)
    reply.header('access-control-max-age', REMEMBERED)
  })
}
