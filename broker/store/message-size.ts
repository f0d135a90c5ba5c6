import type { Extra } from './logs.js'

/** `topic` is absent for entries of a log: it is that of the log, and not counted. */
export interface Sized {
  readonly topic?: string
  readonly payload: Buffer
  readonly extra?: Extra | null | undefined
}

/**
 * The size of a message in bytes, as every limit in bytes counts it: payload, topic, and MQTT 5 properties set by the
 * publisher (user properties, content type, response topic, correlation data). The memory it takes to hold a message
 * besides is bounded by the limits on numbers.
 */
export function messageSize({ topic, payload, extra }: Sized): number {
  return payload.length + (topic === undefined ? 0 : Buffer.byteLength(topic)) + (extra ? extra.properties.length : 0)
}
