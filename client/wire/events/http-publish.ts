/** What is published on a connection of HTTP requests: each topic has a request of its own. */
import type { CommandName } from '../../../schemas/commands.js'
import { parseTopic } from '../../../schemas/topics.js'
import { textOf } from '../utf8.js'
import { type Outgoing, WireError } from '../wire.js'

export interface HttpPublish {
  readonly name: CommandName
  readonly params: Record<string, unknown>
  /** By which the answer is known, on the topic of replies; absent: nobody awaits one. */
  readonly re?: unknown
}

/** Null: nothing has to be done. @throws WireError `rejected`: it cannot be sent */
export function publishOf({ topic, payload, qos, retain = false }: Outgoing): HttpPublish | null {
  const text = textOf(payload)
  if (text === null) throw new WireError('rejected', 'bytes that are no text are not sent over HTTP')
  const parsed = parseTopic(topic)
  switch (parsed.kind) {
    case 'request': {
      const { id: re, ...params } = JSON.parse(text) as Record<string, unknown>
      return { name: parsed.method as CommandName, params, re }
    }
    case 'room':
      return ofRoom(parsed.room, parsed.leaf, JSON.parse(text) as Record<string, unknown>)
    case 'user': {
      const body = JSON.parse(text) as Record<string, unknown>
      if (parsed.leaf === 'messages') return ofRoom(`@${parsed.user}`, 'messages', body)
      if (parsed.leaf === 'presence') return { name: 'users.setPresence', params: body }
      throw new WireError('rejected', `${topic} is not published on over HTTP`)
    }
    default:
      return { name: 'publish', params: { topic, payload: text, qos, retain } }
  }
}

function ofRoom(room: string, leaf: string, body: Record<string, unknown>): HttpPublish | null {
  if (leaf === 'typing') return { name: 'typing', params: { room, ...body } }
  if (leaf !== 'receipts') return { name: 'send', params: { room, ...body }, re: body['cid'] }
  const { read: seq, delivered: _, ...rest } = body
  // What was delivered cannot be told over HTTP.
  return seq === undefined ? null : { name: 'read', params: { room, seq, ...rest } }
}
