/** CONNECT [MQTT-3.1], as a list of steps over one context. Each may refuse by throwing; the connection answers and closes. */
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { Refusal } from '../../schemas/errors.js'
import { isClientId } from '../../schemas/ids.js'
import { topicNameFault } from '../../schemas/topics.js'
import { requireFewProperties } from '../chat/model/publication.js'
import { encodeConnack } from './codec/encode.js'
import type { AuthPacket, ConnectPacket } from './codec/packets.js'
import { ProtocolError, Reason } from './codec/reason-codes.js'
import { connackProperties, keepAlive } from './connack.js'
import type { ConnectContext } from './connect-context.js'
import { admitPassword, admitToken, authenticate, recheckLogin } from './connect-login.js'
import { ConnectRefused } from './connect-refused.js'
import { beginDelivery, openSession } from './connect-session.js'
import {
  claimSession,
  loadSession,
  requirePlace,
  requirePlaceForClean,
  storeWill,
  takeOver,
} from './connect-takeover.js'
import { askForToken, checkMethod } from './enhanced-authentication.js'
import { checkResponseTopic, keptProperties } from './message-properties.js'

/** After each step the connection may be closed: then no further step runs. A step without a promise runs in the same turn as the next. */
type Step = (context: ConnectContext) => void | Promise<void>

/** The packet. */
const CHECKS: readonly Step[] = [passPreConnectHook, checkProperties, chooseClientId, checkWill, askForToken]

/** Authentication, then the session. */
const LOGIN: readonly Step[] = [
  admitToken,
  authenticate,
  admitPassword,
  nameSession,
  takeOver,
  claimSession,
  requirePlaceForClean,
  loadSession,
  storeWill,
  recheckLogin,
  requirePlace,
  openSession,
  sendConnack,
  beginDelivery,
  accept,
]

export async function connect(context: ConnectContext): Promise<void> {
  if ((await run(CHECKS, context)) && !context.exchange) await login(context)
}

/** The client answered the AUTH it was sent [MQTT5-4.12.0-3]. */
export async function continueConnect(context: ConnectContext, answer: AuthPacket): Promise<void> {
  const { exchange } = context
  if (!exchange) throw new ProtocolError(Reason.protocolError, 'AUTH before the login is done [MQTT5-3.1.2-30]')
  context.exchange = null
  exchange(answer)
  await login(context)
}

async function login(context: ConnectContext): Promise<void> {
  try {
    await run(LOGIN, context)
  } finally {
    if (context.admitted) context.connection.services.admission.leave()
  }
}

/** False: the connection was closed meanwhile. */
async function run(steps: readonly Step[], context: ConnectContext): Promise<boolean> {
  for (const step of steps) {
    const waiting = step(context)
    if (waiting) await waiting
    if (context.connection.closed) return false
  }
  return true
}

async function passPreConnectHook(context: ConnectContext): Promise<void> {
  const { connection, packet } = context
  context.packet = await connection.broker.gates.preConnect(connection, withoutMetrics(packet))
}

/** The SDKs of AWS append metrics to the user name, like a query string: `ann?SDK=JavaScript&Version=1.0`. */
function withoutMetrics(packet: ConnectPacket): ConnectPacket {
  const [, username] = /^([^?]*)\?SDK=/.exec(packet.username ?? '') ?? []
  return username === undefined ? packet : { ...packet, username }
}

/** Values that MQTT 5 forbids, and authentication methods that are not supported. */
function checkProperties({ packet }: ConnectContext): void {
  const { properties, will } = packet
  checkMethod(packet)
  const { receiveMaximum, maximumPacketSize } = properties
  if (receiveMaximum === 0) throw new ProtocolError(Reason.protocolError, 'receive maximum 0 [MQTT5-3.1.2.11.3]')
  if (maximumPacketSize === 0) throw new ProtocolError(Reason.protocolError, 'maximum packet size 0 [MQTT5-3.1.2.11.4]')
  if (will?.properties.payloadFormat === 1 && !isUtf8(will.payload)) {
    throw new ProtocolError(Reason.payloadFormatInvalid, 'the will is not the UTF-8 it says it is [MQTT5-3.1.3.2.3]')
  }
  if (will) checkResponseTopic(will.properties)
}

/**
 * An empty client id is assigned one, for a clean session only [MQTT-3.1.3-7, MQTT-3.1.3-8]. The maximum of 23 characters in MQTT 3.1 is not
 * enforced, because its clients ignore it.
 */
function chooseClientId(context: ConnectContext): void {
  const { clientId, clean, version } = context.packet
  const bytes = context.connection.services.limits.clientIdBytes
  const identifierRejected = (why: string): ConnectRefused => new ConnectRefused(2, Reason.clientIdNotValid, why)
  if (clientId === '') {
    if (version === 3) throw identifierRejected('MQTT 3.1 needs a client id')
    if (version === 4 && !clean)
      throw identifierRejected('a session that outlives its connection needs a client id [MQTT-3.1.3-8]')
  }
  if (Buffer.byteLength(clientId) > bytes)
    throw identifierRejected(`a client id has at most ${bytes} bytes (limits.clientIdBytes)`)
  if (clientId !== '' && !isClientId(clientId)) throw identifierRejected('a client id has no control characters')
  context.clientId = clientId === '' ? `auto-${randomUUID()}` : clientId
}

function checkWill({ connection: { services }, packet: { will } }: ConnectContext): void {
  if (!will) return
  const fault = topicNameFault(will.topic, services.limits.topicLevels)
  if (fault) throw new ProtocolError(Reason.topicNameInvalid, `will topic: ${fault}`)
  try {
    requireFewProperties(keptProperties(will.topic, will.properties), services.limits.propertyBytes)
  } catch (error) {
    throw new ConnectRefused(5, Reason.packetTooLarge, `the will: ${(error as Refusal).message}`)
  }
}

/** Sets the id of the session, and checks that the CONNACK fits the client. */
function nameSession(context: ConnectContext): void {
  const { connection, packet, clientId, principal } = context
  context.properties = connackProperties(connection.services.limits, connection.maxPacket, packet, clientId, principal)
  connection.id = `${principal.user}/${clientId}`
  connection.clean = packet.clean
}

function sendConnack({ connection, packet, properties, saved }: ConnectContext): void {
  const sessionPresent = saved !== null
  connection.send(encodeConnack(packet.version, sessionPresent, 0, properties))
  connection.broker.emit('connackSent', { cmd: 'connack', returnCode: 0, sessionPresent }, connection)
}

function accept({ connection, packet, client }: ConnectContext): void {
  // Keep alive 0 switches it off [MQTT-3.1.2.10].
  const silence = keepAlive(packet, connection.services.limits.keepAlive) * 1.5 || Number.POSITIVE_INFINITY
  connection.accepted(client!, silence)
}
