/** `GET /v1/exports/{ticket}`: the zip file that `account.export` gave a link to. Whoever has the link may, once. */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { API, EXPORTS } from '../../schemas/commands.js'
import type { Exports } from '../chat/exports.js'

/** Who takes nothing for so long, in ms, is gone. */
const STALLED = 60_000
const MAX_TICKET = 64

export interface ExportParts {
  readonly exports: Pick<Exports, 'open'>
  readonly failed: (error: unknown) => void
}

export function exportRoute(app: FastifyInstance, { exports, failed }: ExportParts): void {
  // Without HEAD, which would use the link up.
  app.get(`${API}${EXPORTS}/:ticket`, { exposeHeadRoute: false, config: { open: true } }, async (request, reply) => {
    const { ticket } = request.params as { ticket: string }
    const pieces = await exports.open(ticket.slice(0, MAX_TICKET))
    const zip = Readable.from(pieces, { highWaterMark: 1 })
    // A client that goes away is no fault.
    zip.on('error', (error) => !reply.raw.destroyed && failed(error))
    reply.raw.setTimeout(STALLED, () => reply.raw.destroy())
    reply.headers({
      'content-type': 'application/zip',
      'content-disposition': 'attachment; filename="topictalk-export.zip"',
      'cache-control': 'no-store',
    })
    return reply.send(zip)
  })
}
