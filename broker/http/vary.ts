import type { FastifyReply } from 'fastify'

/** Caches keep one response per value of this request header too. */
export function varyBy(reply: FastifyReply, header: string): void {
  reply.header('vary', [reply.getHeader('vary'), header].filter(Boolean).join(', '))
}
