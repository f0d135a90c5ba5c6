/** Formats server-sent events: `data: {"topic":…,"message":…}`. */
import { isUtf8 } from 'node:buffer'
import { isChatTopic } from '../../schemas/topics.js'

/** The parts of a message that a stream shows. */
export interface StreamMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly retain?: boolean
}

/** A comment; keeps proxies from closing an idle connection. */
export const PING = ':\n\n'

export function eventText({ topic, payload, retain }: StreamMessage, id: string | null): string {
  const place = `"topic":${JSON.stringify(topic)},${retain ? '"retained":true,' : ''}`
  return `${id === null ? '' : `id: ${id}\n`}data: {${place}${content(topic, payload)}}\n\n`
}

/**
 * Messages made by the broker are one line of JSON and are inserted unchanged; others as a string, or as base64 if they
 * are not UTF-8.
 */
function content(topic: string, payload: Buffer): string {
  if (isChatTopic(topic) && !topic.endsWith('/text') && payload.length > 0) return `"message":${payload}`
  return isUtf8(payload) ? `"text":${JSON.stringify(payload.toString())}` : `"base64":"${payload.toString('base64')}"`
}

/** Reports entries that are not replayed; `history` has them, or says why not. */
export function gapText(gap: { topic: string; after: number; next: number; reset?: true }): string {
  return `event: gap\ndata: ${JSON.stringify(gap)}\n\n`
}
