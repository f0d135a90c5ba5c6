/** Messages in the form of server-sent events: `data: {"topic":…,"message":…}`. */
import { isUtf8 } from 'node:buffer'
import { isChatTopic } from '../../schemas/topics.js'

/** What a stream shows of a message. */
export interface StreamMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly retain?: boolean
}

/** A comment; it keeps proxies from closing what is idle. */
export const PING = ':\n\n'

export function eventText({ topic, payload, retain }: StreamMessage, id: string | null): string {
  const place = `"topic":${JSON.stringify(topic)},${retain ? '"retained":true,' : ''}`
  return `${id === null ? '' : `id: ${id}\n`}data: {${place}${content(topic, payload)}}\n\n`
}

/** What the broker made is one line of JSON and goes as it is; anything else as text, or as base64 where it is none. */
function content(topic: string, payload: Buffer): string {
  if (isChatTopic(topic) && !topic.endsWith('/text') && payload.length > 0) return `"message":${payload}`
  return isUtf8(payload) ? `"text":${JSON.stringify(payload.toString())}` : `"base64":"${payload.toString('base64')}"`
}

/** Numbers of a log that are not replayed: `history` has them, or says why it has not. */
export function gapText(gap: { topic: string; after: number; next: number; reset?: true }): string {
  return `event: gap\ndata: ${JSON.stringify(gap)}\n\n`
}
