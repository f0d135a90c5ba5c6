/** `GET /v1/exports/{ticket}`: the zip file that `account.export` gave a link to. Whoever has the link may, once. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { API, EXPORTS } from '../../schemas/commands.js'
import type { Exports } from '../chat/exports/exports.js'

/** Who takes nothing for so long, in ms, is gone. */
const STALLED = 60_000
/** Milliseconds between two looks at how fast it goes, and the bytes that are to leave in between; for an hour at most. */
const WINDOW = 30_000
const BYTES_IN_WINDOW = 500_000
const WINDOWS = 120
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
    endIfSlow(reply.raw)
    reply.headers({
      'content-type': 'application/zip',
      'content-disposition': 'attachment; filename="topictalk-export.zip"',
      'cache-control': 'no-store',
    })
    return reply.send(zip)
  })
}

/** A download that is read in drops keeps its place no longer than one that is read. */
function endIfSlow(answer: ServerResponse): void {
  const { socket } = answer
  const pace = new Pace(socket?.bytesWritten ?? 0)
  const look = setInterval(() => {
    if (!pace.goesOn(socket?.bytesWritten ?? 0, answer.writableLength > 0)) answer.destroy()
    if (answer.destroyed) clearInterval(look)
  }, WINDOW).unref()
  answer.once('close', () => clearInterval(look))
}

/** How fast a download leaves, looked at once in a window. */
export class Pace {
  #before: number
  #windows = 0

  constructor(written: number) {
    this.#before = written
  }

  /** `written`: bytes so far. `waiting`: there are some that the client has yet to take; else it waits for the broker. */
  goesOn(written: number, waiting: boolean): boolean {
    const slow = waiting && written - this.#before < BYTES_IN_WINDOW
    this.#before = written
    return !slow && ++this.#windows < WINDOWS
  }
}
