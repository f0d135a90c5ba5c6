/** `GET /v1/media/{file}`: the bytes of a file, for those who may read it now; whole or a range (RFC 9110). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { isFileId, MEDIA } from '../../schemas/files.js'
import type { FinishedFile } from '../chat/files/file-access.js'
import type { Actor } from '../chat/model/actor.js'
import type { ByteRange, Downloads } from '../media/downloads.js'
import { contentType, isInline } from '../media/media-types.js'
import { dispositionOf } from './disposition.js'
import { isNamed } from './etags.js'
import { HttpRefusal } from './refusals.js'

/** What a browser shows runs no script, loads nothing, and is embedded by pages of this origin only. */
const CLOSED = {
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

export interface MediaDeps {
  /** Null: there are no files, for this reason. */
  readonly downloads: Downloads | null
  readonly whyNot: string
  /** Charges a request to its class. @throws Refusal `rate_limited` */
  readonly requireRate: (actor: Actor, rate: 'read') => void
}

export function mediaRoutes(app: FastifyInstance, deps: MediaDeps): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: `${MEDIA}/:file`,
    handler: async (request, reply) => {
      const { downloads } = deps
      if (!downloads) throw new Refusal('not_implemented', deps.whyNot)
      deps.requireRate(request.actor, 'read')
      const { file } = request.params as { file: string }
      if (!isFileId(file)) throw new Refusal('not_found', 'there is no such file')
      return send(request, reply, downloads, await downloads.find(request.actor, file))
    },
  })
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  downloads: Downloads,
  file: FinishedFile,
): Promise<FastifyReply> {
  const { headers, method, actor, query } = request
  const etag = `"${file.hash}"`
  reply.headers({
    ...CLOSED,
    etag,
    // Whether it may be read is asked each time.
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    vary: [reply.getHeader('vary'), 'authorization'].filter(Boolean).join(', '),
  })
  if (isNamed(etag, headers['if-none-match'])) return reply.code(304).send()
  const range = rangeOf(headers.range, headers['if-range'], etag, file.size)
  if (range === 'unsatisfiable')
    throw new HttpRefusal('bad_request', 416, `the file has ${file.size} bytes`, {
      'content-range': `bytes */${file.size}`,
    })
  const { start, end } = range ?? { start: 0, end: file.size - 1 }
  const { download } = query as { download?: string }
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${file.size}`)
  reply.headers({
    'content-type': contentType(file.mime),
    'content-length': String(end - start + 1),
    'content-disposition': dispositionOf(isInline(file.mime) && download === undefined, file.name),
  })
  if (method === 'HEAD' || file.size === 0) return reply.send()
  return reply.send(await downloads.open(actor, file, { start, end }))
}

/**
 * The one range that is asked for; null: the whole file, also for several ranges (RFC 9110, 14.2), and where `If-Range` names other bytes
 * than these.
 */
export function rangeOf(
  header: string | undefined,
  ifRange: string | string[] | undefined,
  etag: string,
  size: number,
): ByteRange | 'unsatisfiable' | null {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/i.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return null
  // A date says too little, and a weak tag is none of bytes (RFC 9110, 13.1.5).
  if (ifRange !== undefined && ifRange !== etag) return null
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}
