import type { FastifyInstance } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { readObject } from '../chat/model/message.js'
import { HttpRefusal } from './refusals.js'

/** Accepts JSON objects only, parsed as strictly as over MQTT. An empty body counts as none. */
export function acceptJson(app: FastifyInstance): void {
  app.addHook('onRequest', async ({ headers }) => {
    const encoding = headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() === 'identity') return
    const why = `a body is taken as it is, not as ${encoding.slice(0, 40)}`
    throw new HttpRefusal('bad_request', 415, why, { 'accept-encoding': 'identity' })
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    if (body.length === 0) return undefined
    const object = readObject(body)
    if (!object) throw new Refusal('bad_request', 'the body is not a JSON object')
    return object
  })
}
