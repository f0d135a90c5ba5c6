/** `GET /v1/media/{file}`: the bytes of a file, for those who may read it now; whole or a range (RFC 9110). */
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteHandlerMethod } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { MEDIA } from '../../schemas/file-paths.js'
import { isFileId } from '../../schemas/files.js'
import type { FinishedFile } from '../chat/files/file-access.js'
import type { FileLinks, LinkedKind, LinkQuery } from '../chat/files/file-links.js'
import type { Actor } from '../chat/model/actor.js'
import type { ByteRange, Downloads } from '../media/downloads.js'
import { contentType, isInline } from '../media/media-types.js'
import { dispositionOf } from './disposition.js'
import { isNamed } from './etags.js'
import { HttpRefusal } from './refusals.js'
import { varyBy } from './vary.js'

/** Media type of small images. */
const THUMBNAIL = 'image/webp'
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
  readonly links: Pick<FileLinks, 'principalOf'>
  /** Charges a request to its class. @throws Refusal `rate_limited` */
  readonly requireRate: (actor: Actor, rate: 'read') => void
}

export function mediaRoutes(app: FastifyInstance, deps: MediaDeps): void {
  const find = async (request: FastifyRequest): Promise<{ downloads: Downloads; file: FinishedFile }> => {
    const { downloads } = deps
    if (!downloads) throw new Refusal('not_implemented', deps.whyNot)
    deps.requireRate(request.actor, 'read')
    const { file } = request.params as { file: string }
    if (!isFileId(file)) throw new Refusal('not_found', 'there is no such file')
    return { downloads, file: await downloads.find(request.actor, file) }
  }
  const signedFor = (kind: LinkedKind) => async (request: FastifyRequest) => {
    const { file } = request.params as { file: string }
    const link = linkIn(request)
    return link && isFileId(file) ? deps.links.principalOf(file, kind, link) : null
  }
  const method = ['GET', 'HEAD']
  const handler: RouteHandlerMethod = async (request, reply) => {
    const { downloads, file } = await find(request)
    const { download } = request.query as { download?: string }
    const shown = { ...file, etag: `"${file.hash}"`, inline: isInline(file.mime) && download === undefined }
    return send(request, reply, shown, (range) => downloads.open(request.actor, file, 'whole', range))
  }
  app.route({ method, url: `${MEDIA}/:file`, config: { signedFor: signedFor('file') }, handler })
  const thumbnail: RouteHandlerMethod = async (request, reply) => {
    const { downloads, file } = await find(request)
    const size = await downloads.thumbnailSize(file)
    if (size === 0) throw new Refusal('not_found', 'there is no small image of this file')
    const shown = { size, mime: THUMBNAIL, name: null, etag: `"${file.hash}-small"`, inline: true }
    return send(request, reply, shown, (range) => downloads.open(request.actor, file, 'thumbnail', range))
  }
  app.route({
    method,
    url: `${MEDIA}/:file/thumbnail`,
    config: { signedFor: signedFor('thumbnail') },
    handler: thumbnail,
  })
}

/** Null: the address is not signed. Of what is given twice, or not at all, nothing is taken. */
function linkIn({ query }: FastifyRequest): LinkQuery | null {
  const given = query as Record<string, unknown>
  if (given['signature'] === undefined) return null
  const [user, expires, login, signature] = ['user', 'expires', 'login', 'signature'].map((name) => {
    const value = given[name]
    return typeof value === 'string' ? value : ''
  }) as [string, string, string, string]
  return { user, expires, login, signature }
}

/** What is sent, and how. */
interface Shown extends Pick<FinishedFile, 'size' | 'mime' | 'name'> {
  readonly etag: string
  /** Shown in place. */
  readonly inline: boolean
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  { size, mime, name, etag, inline }: Shown,
  open: (range: ByteRange) => Promise<Readable>,
): Promise<FastifyReply> {
  const { headers, method } = request
  varyBy(reply, 'authorization')
  reply.headers({
    ...CLOSED,
    etag,
    // Whether it may be read is asked each time.
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
  })
  if (isNamed(etag, headers['if-none-match'])) return reply.code(304).send()
  const range = rangeOf(headers.range, headers['if-range'], etag, size)
  if (range === 'unsatisfiable')
    throw new HttpRefusal('bad_request', 416, `the file has ${size} bytes`, {
      'content-range': `bytes */${size}`,
    })
  const { start, end } = range ?? { start: 0, end: size - 1 }
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`)
  reply.headers({
    'content-type': contentType(mime),
    'content-length': String(end - start + 1),
    'content-disposition': dispositionOf(inline, name),
  })
  if (method === 'HEAD' || size === 0) return reply.send()
  return reply.send(await open({ start, end }))
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
