import type { FastifyInstance } from 'fastify'
import { foreignPageRefusal, type Origins } from '../net/origins.js'
import { varyBy } from './vary.js'

const ALLOWED =
  'authorization, content-type, idempotency-key, if-none-match, if-range, last-event-id, range, ' +
  'tus-resumable, upload-length, upload-metadata, upload-offset'
const EXPOSED =
  'accept-ranges, content-disposition, content-range, etag, link, location, retry-after, topictalk-user, tus-extension, tus-max-size, ' +
  'tus-resumable, tus-version, upload-expires, upload-length, upload-offset, www-authenticate'
/** Seconds for which browsers may cache a preflight response. */
const REMEMBERED = '7200'

/**
 * CORS: pages of this origin and of `origins` may use the API; requests of other pages are refused. Never with browser
 * credentials: a page of another origin needs a token.
 */
export function allowOrigins(app: FastifyInstance, origins: Origins, pageRefused: (page: string) => void): void {
  app.addHook('onRequest', async ({ headers, method, raw }, reply) => {
    const { origin } = headers
    if (!origins.any) varyBy(reply, 'origin')
    const page = origins.foreignPage(raw)
    if (page !== null) {
      pageRefused(page)
      throw foreignPageRefusal(page)
    }
    if (origin === undefined || !(origins.any || origins.lists(origin))) return
    reply.header('access-control-allow-origin', origins.any ? '*' : origin)
    reply.header('access-control-expose-headers', EXPOSED)
    if (method !== 'OPTIONS') return
    reply.header('access-control-allow-headers', ALLOWED)
    reply.header('access-control-max-age', REMEMBERED)
  })
}
