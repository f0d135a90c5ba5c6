import type { Extra } from './logs.js'

/** Of an entry of a log the topic is its log's, and counts nothing. */
export interface Sized {
  readonly topic?: string
  readonly payload: Buffer
  readonly extra?: Extra | null | undefined
}

/**
 * How many bytes a message is: what every bound in bytes counts of messages that wait, are read or are kept. Its payload, its topic, and
 * what an MQTT 5 publisher added (user properties, content type, response topic, correlation data). What it costs to hold one beside that
 * is for the bounds in numbers.
 */
export function messageSize({ topic, payload, extra }: Sized): number {
  return payload.length + (topic === undefined ? 0 : Buffer.byteLength(topic)) + (extra ? extra.properties.length : 0)
}
