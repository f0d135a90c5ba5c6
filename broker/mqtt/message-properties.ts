/** The property section of what MQTT 5 clients receive, and what is kept of the one they send. Clauses are of MQTT 5. */
import { isChatTopic } from '../../schemas/topics.js'
import type { Extra } from '../store/logs.js'
import { encodeProperties, encodeVarint, NO_PROPERTIES, type Properties } from './codec/properties.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'

const EMPTY = Buffer.alloc(0)
const NONE = Buffer.from([0])

/** Without the length prefix. */
function encodeBare(properties: Properties): Buffer {
  const section = encodeProperties(properties)
  let at = 0
  while (section[at]! & 0x80) at++
  return section.subarray(at + 1)
}

const JSON_MESSAGE = encodeBare({ payloadFormat: 1, contentType: 'application/json' })
const TEXT_MESSAGE = encodeBare({ payloadFormat: 1 })
const JSON_SECTION = Buffer.concat([encodeVarint(JSON_MESSAGE.length), JSON_MESSAGE])
const TEXT_SECTION = Buffer.concat([encodeVarint(TEXT_MESSAGE.length), TEXT_MESSAGE])

/**
 * The property section of a message on `topic`, with its length prefix. `ids`: the identifiers of the subscriptions that matched [MQTT5-3.3.4-3].
 * The expiry interval is the remaining time [MQTT5-3.3.2-6].
 */
export function messageProperties(
  topic: string,
  extra: Extra | null,
  ids: readonly number[],
  now = Date.now(),
): Buffer {
  const kind = isChatTopic(topic) ? (topic.endsWith('/text') ? 'text' : 'json') : 'plain'
  if (!extra && ids.length === 0) return kind === 'json' ? JSON_SECTION : kind === 'text' ? TEXT_SECTION : NONE
  const parts = [kind === 'json' ? JSON_MESSAGE : kind === 'text' ? TEXT_MESSAGE : EMPTY, extra?.properties ?? EMPTY]
  if (extra && extra.expiresAt > 0) {
    const left = Math.max(1, Math.ceil((extra.expiresAt - now) / 1000))
    parts.push(encodeBare({ messageExpiry: left }))
  }
  if (ids.length > 0) parts.push(encodeBare({ subscriptionIds: [...ids] }))
  const body = Buffer.concat(parts)
  return Buffer.concat([encodeVarint(body.length), body])
}

/**
 * What is kept of a publisher's properties: user properties in order, response topic, correlation data; on plain topics content type and
 * payload format too, which on chat topics are the broker's. Null: nothing.
 */
export function keptProperties(topic: string, given: Properties, now = Date.now()): Extra | null {
  // Nearly all publishes have none.
  if (given === NO_PROPERTIES) return null
  const { userProperties, responseTopic, correlationData, contentType, payloadFormat, messageExpiry } = given
  const kept: Properties = {}
  if (userProperties) kept.userProperties = userProperties
  if (responseTopic !== undefined) kept.responseTopic = responseTopic
  if (correlationData) kept.correlationData = correlationData
  if (!isChatTopic(topic)) {
    if (contentType !== undefined) kept.contentType = contentType
    if (payloadFormat !== undefined) kept.payloadFormat = payloadFormat
  }
  const properties = encodeBare(kept)
  if (properties.length === 0 && messageExpiry === undefined) return null
  return {
    properties: Buffer.from(properties),
    expiresAt: messageExpiry === undefined ? 0 : now + messageExpiry * 1000,
  }
}

/** A response topic is a topic: not empty, without wildcards. */
export function checkResponseTopic({ responseTopic }: Properties): void {
  if (responseTopic !== undefined && (responseTopic === '' || /[+#]/.test(responseTopic))) {
    throw new ProtocolError(Reason.protocolError, 'a response topic that is empty or has wildcards [MQTT5-3.3.2-14]')
  }
}

/** Correlation data alone, for a reply. */
export function correlation(correlationData: Buffer | undefined): Extra | null {
  return correlationData ? { properties: Buffer.from(encodeBare({ correlationData })), expiresAt: 0 } : null
}
