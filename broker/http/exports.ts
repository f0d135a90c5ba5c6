/** `GET /v1/exports/{ticket}`: the zip file of `account.export`. The ticket is the authorisation, and valid once. */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { API, EXPORTS } from '../../schemas/commands.js'
import type { Exports } from '../chat/exports/exports.js'

/** Milliseconds without progress after which a download is ended. */
const STALLED = 60_000
/** A download must send this many bytes in each window (ms), for so many windows at most. */
const WINDOW = 30_000
const BYTES_IN_WINDOW = 500_000
const WINDOWS = 120
const MAX_TICKET = 64

export interface ExportDeps {
  readonly exports: Pick<Exports, 'open'>
  readonly failed: (error: unknown) => void
}

export function exportRoute(app: FastifyInstance, { exports, failed }: ExportDeps): void {
  // Without HEAD, which would use up the ticket.
  app.get(`${API}${EXPORTS}/:ticket`, { exposeHeadRoute: false, config: { open: true } }, async (request, reply) => {
    const { ticket } = request.params as { ticket: string }
    const pieces = await exports.open(ticket.slice(0, MAX_TICKET))
    const zip = Readable.from(pieces, { highWaterMark: 1 })
    // A client that disconnects is no failure.
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

/** Ends a slow download, so that it does not occupy its place for long. */
function endIfSlow(answer: ServerResponse): void {
  const { socket } = answer
  const pace = new Pace(socket?.bytesWritten ?? 0)
  const look = setInterval(() => {
    if (!pace.goesOn(socket?.bytesWritten ?? 0, answer.writableLength > 0)) answer.destroy()
    if (answer.destroyed) clearInterval(look)
  }, WINDOW).unref()
  answer.once('close', () => clearInterval(look))
}

/** The minimum speed of a download, checked once per window. */
export class Pace {
  #before: number
  #windows = 0

  constructor(written: number) {
    this.#before = written
  }

  /** `written`: bytes so far. `waiting`: the client has not taken all of it; otherwise it waits for the broker. */
  goesOn(written: number, waiting: boolean): boolean {
    const slow = waiting && written - this.#before < BYTES_IN_WINDOW
    this.#before = written
    return !slow && ++this.#windows < WINDOWS
  }
}
