/** Resumable uploads: the tus protocol, version 1.0.0, with creation, creation with upload, expiration and termination (https://tus.io). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { MAX_FILE_NAME, UPLOAD_PART, UPLOADS } from '../../schemas/file-paths.js'
import { isFileId, MAX_MIME } from '../../schemas/files.js'
import { STEERING } from '../../schemas/terminal-text.js'
import type { NewFile } from '../chat/files/files.js'
import type { Actor } from '../chat/model/actor.js'
import { UNKNOWN } from '../media/media-types.js'
import type { UploadBody, UploadState, Uploads } from '../media/uploads.js'
import { HttpRefusal } from './refusals.js'

const VERSION = '1.0.0'
const EXTENSIONS = 'creation,creation-with-upload,expiration,termination'
/** Ms after which an upload that was slower than `BYTES_IN_WINDOW` ends; the client may go on with it. */
const WINDOW = 30_000
const BYTES_IN_WINDOW = 16_384

export interface UploadDeps {
  /** Null: no uploads are taken, for this reason. */
  readonly uploads: Uploads | null
  readonly whyNot: string
  /** Bytes of one file. */
  readonly fileBytes: number
  /** Charges a request to its class. @throws Refusal `rate_limited` */
  readonly requireRate: (actor: Actor, rate: 'create' | 'write' | 'read') => void
}

export function uploadRoutes(api: FastifyInstance, deps: UploadDeps): void {
  const about = { 'tus-version': VERSION, 'tus-extension': EXTENSIONS, 'tus-max-size': String(deps.fileBytes) }
  const config = { options: { 'tus-resumable': VERSION, ...about } }
  void api.register(async (app) => {
    // Taken as it comes.
    app.addContentTypeParser(UPLOAD_PART, async (_request: FastifyRequest, payload: unknown) => payload)
    app.addHook('onRequest', async ({ headers }, reply) => {
      reply.headers({ 'tus-resumable': VERSION, 'cache-control': 'no-store' })
      if (headers['tus-resumable'] === VERSION) return
      throw new HttpRefusal('bad_request', 412, `uploads speak tus ${VERSION}: Tus-Resumable: ${VERSION}`, about)
    })
    const uploads = (): Uploads => {
      if (deps.uploads) return deps.uploads
      throw new Refusal('not_implemented', deps.whyNot)
    }
    app.post(UPLOADS, { config }, async (request, reply) => {
      deps.requireRate(request.actor, 'create')
      const created = await uploads().create(request.actor, newFile(request))
      const { id } = created.record
      reply.code(201).header('location', `${UPLOADS}/${id}`)
      const body = bodyOf(request)
      if (!body) return answer(reply, created)
      return answer(reply, await uploads().append(request.actor, id, 0, body))
    })
    const one = `${UPLOADS}/:id`
    app.head(one, { config }, async (request, reply) => {
      deps.requireRate(request.actor, 'read')
      const state = await uploads().resume(request.actor, idOf(request))
      return answer(reply.code(200).header('upload-length', String(state.record.size)), state)
    })
    app.patch(one, { config }, async (request, reply) => {
      deps.requireRate(request.actor, 'write')
      const offset = numberIn(request, 'upload-offset')
      const body = bodyOf(request)
      if (!body) throw new HttpRefusal('bad_request', 415, `a part of an upload has Content-Type: ${UPLOAD_PART}`)
      return answer(reply.code(204), await uploads().append(request.actor, idOf(request), offset, body))
    })
    app.delete(one, { config }, async (request, reply) => {
      deps.requireRate(request.actor, 'write')
      await uploads().remove(request.actor, idOf(request))
      return reply.code(204).send()
    })
  })
}

function answer(reply: FastifyReply, { record, offset }: UploadState): FastifyReply {
  reply.header('upload-offset', String(offset))
  if (record.hash === null) reply.header('upload-expires', new Date(record.checkAt).toUTCString())
  return reply.send()
}

function idOf({ params }: FastifyRequest): string {
  const { id } = params as { id: string }
  if (isFileId(id)) return id
  throw new Refusal('not_found', `there is no upload ${JSON.stringify(id)}`)
}

/** Null: the request has no part of the upload. */
function bodyOf({ raw, headers, body }: FastifyRequest): UploadBody | null {
  if (headers['content-type'] !== UPLOAD_PART || body === undefined || body === null) return null
  const length = headers['content-length']
  return {
    length: length === undefined ? null : Number(length),
    bytes: paced(raw, () => raw.destroy()),
    cancel: () => raw.destroy(),
  }
}

/** Ends an upload that is slower than a window allows. @throws Refusal `unavailable` when the connection breaks off: the client goes on later */
async function* paced(source: AsyncIterable<Buffer>, end: () => void): AsyncGenerator<Buffer> {
  let received = 0
  const look = setInterval(() => {
    if (received < BYTES_IN_WINDOW) end()
    received = 0
  }, WINDOW).unref()
  try {
    for await (const piece of source) {
      received += piece.length
      yield piece
    }
  } catch (cause) {
    throw new Refusal('unavailable', 'the connection broke off; go on with the upload', { cause })
  } finally {
    clearInterval(look)
  }
}

function newFile(request: FastifyRequest): NewFile {
  if (request.headers['upload-defer-length'] !== undefined)
    throw new Refusal('bad_request', 'an upload begins with its size: Upload-Length')
  const { filename, name = filename, filetype, mime = filetype } = metadataOf(request)
  return {
    size: numberIn(request, 'upload-length'),
    name: name === undefined ? null : cleanName(name),
    mime: mime !== undefined && mime.length <= MAX_MIME ? mime : UNKNOWN,
  }
}

function numberIn({ headers }: FastifyRequest, name: 'upload-length' | 'upload-offset'): number {
  const text = headers[name]
  const value = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw new Refusal('bad_request', `${name} is missing, or not a number of bytes`)
}

/** Keys with values in base64, separated by commas. Only what is known is looked at. */
function metadataOf({ headers }: FastifyRequest): Partial<Record<string, string>> {
  const text = headers['upload-metadata']
  if (typeof text !== 'string' || text.trim() === '') return {}
  const pairs = text.split(',').map((pair) => pair.trim().split(' '))
  for (const [key = '', value = ''] of pairs)
    if (key === '' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value))
      throw new Refusal('bad_request', 'upload-metadata is not a list of keys with values in base64')
  return Object.fromEntries(pairs.map(([key, value = '']) => [key!, Buffer.from(value, 'base64').toString('utf8')]))
}

/** The last part of a path, without what hides its end: control characters, and marks that change the direction of writing. */
function cleanName(name: string): string | null {
  const last = name.replace(STEERING, '').split(/[/\\]/).at(-1)!.trim()
  return last === '' || last === '.' || last === '..' ? null : [...last].slice(0, MAX_FILE_NAME).join('')
}
