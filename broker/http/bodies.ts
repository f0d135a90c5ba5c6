import type { FastifyInstance } from 'fastify'
import { Refusal } from '../../schemas/errors.js'
import { decodeText, parseObject } from '../chat/message.js'

/** JSON objects alone, read as strictly as over MQTT. An empty body is none. */
export function acceptJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    if (body.length === 0) return undefined
    const object = parseObject(decodeText(body))
    if (!object) throw new Refusal('bad_request', 'the body is not a JSON object')
    return object
  })
}
