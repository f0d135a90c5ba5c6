/** ETags of reads: a client that already has the content gets 304. */
import { createHash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

export function tagAnswers(app: FastifyInstance): void {
  app.addHook('onSend', async ({ headers }, reply, payload: unknown) => {
    if (reply.statusCode !== 200 || !(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload
    const tag = (reply.getHeader('etag') as string | undefined) ?? etagOf(payload)
    reply.header('etag', tag)
    if (!isNamed(tag, headers['if-none-match'])) return payload
    reply.code(304)
    return ''
  })
}

export function etagOf(payload: string | Buffer): string {
  return `"${createHash('sha1').update(payload).digest('base64')}"`
}

/**
 * Whether a header lists the tag; weak tags match too, since compressing proxies weaken them, and `*` matches all (RFC
 * 9110, 13.1.2).
 */
export function isNamed(tag: string, header = ''): boolean {
  const tags: string[] = header.match(/"[^"]*"/g) ?? []
  return header.trim() === '*' || tags.includes(tag)
}
