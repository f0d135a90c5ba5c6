/** Packets of MQTT 5 at random, as the SDK and as mqtt-packet name their parts. */

import type { Packet as TheirPacket } from 'mqtt-packet'
import type { Packet } from '../../client/wire/mqtt/decode.js'
import type { Properties } from '../../client/wire/wire.js'
import fc from './fast-check.js'

const NAMES: Readonly<Record<keyof Properties, string>> = {
  payloadFormat: 'payloadFormatIndicator',
  messageExpiry: 'messageExpiryInterval',
  contentType: 'contentType',
  responseTopic: 'responseTopic',
  correlationData: 'correlationData',
  subscriptionIds: 'subscriptionIdentifier',
  sessionExpiry: 'sessionExpiryInterval',
  assignedClientId: 'assignedClientIdentifier',
  serverKeepAlive: 'serverKeepAlive',
  authMethod: 'authenticationMethod',
  authData: 'authenticationData',
  requestProblemInformation: 'requestProblemInformation',
  requestResponseInformation: 'requestResponseInformation',
  responseInformation: 'responseInformation',
  serverReference: 'serverReference',
  reasonString: 'reasonString',
  receiveMaximum: 'receiveMaximum',
  topicAliasMaximum: 'topicAliasMaximum',
  topicAlias: 'topicAlias',
  maximumQos: 'maximumQoS',
  retainAvailable: 'retainAvailable',
  userProperties: 'userProperties',
  maximumPacketSize: 'maximumPacketSize',
  wildcardAvailable: 'wildcardSubscriptionAvailable',
  subscriptionIdsAvailable: 'subscriptionIdentifiersAvailable',
  sharedAvailable: 'sharedSubscriptionAvailable',
}

/** What mqtt-packet has as true and false. */
const FLAGS: ReadonlySet<string> = new Set([
  ...['payloadFormat', 'requestProblemInformation', 'requestResponseInformation', 'retainAvailable'],
  ...['wildcardAvailable', 'subscriptionIdsAvailable', 'sharedAvailable'],
])

/** Properties as mqtt-packet has them. */
export function theirProperties(properties: Properties): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      const theirs = NAMES[name as keyof Properties]
      if (name === 'userProperties') return [theirs, Object.fromEntries(value as [string, string][])]
      if (name === 'subscriptionIds') return [theirs, (value as number[]).length === 1 ? value[0] : value]
      if (value instanceof Uint8Array) return [theirs, Buffer.from(value)]
      return [theirs, FLAGS.has(name) ? value === 1 : value]
    }),
  )
}

/** Text of any script, without what MQTT does not allow. */
export const text = fc.string({ unit: 'binary', maxLength: 40 }).map((any) => any.replaceAll('\0', '_'))
export const bytes = fc.uint8Array({ maxLength: 300 })
export const packetId = fc.integer({ min: 1, max: 0xffff })
const uint16 = fc.integer({ min: 1, max: 0xffff })
const uint32 = fc.integer({ min: 1, max: 0xffffffff })
const flag = fc.constantFrom(0, 1)
/** Each name once: mqtt-packet does not keep the order of others. Numbers would change places, too. */
const pairs = fc.uniqueArray(
  fc.tuple(
    text.map((name) => `x${name}`),
    text,
  ),
  {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 4,
  },
)
export const topic = text.map((any) => `t/${any.replaceAll(/[+#]/g, '-')}`)

const of = (values: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Properties> =>
  fc.record(values, { requiredKeys: [] }) as fc.Arbitrary<Properties>

export const publishProperties = of({
  payloadFormat: flag,
  messageExpiry: uint32,
  contentType: text,
  responseTopic: topic,
  correlationData: bytes,
  userProperties: pairs,
})

const REASONS = { userProperties: pairs, reasonString: text }
const refusal = fc.constantFrom(0x80, 0x82, 0x87, 0x97)

/** A packet that a broker sends, and what mqtt-packet makes it from. */
export const fromBroker: fc.Arbitrary<{ ours: Packet; theirs: TheirPacket }> = fc.oneof(
  fc
    .record({
      sessionPresent: fc.boolean(),
      reason: fc.constantFrom(0, 0x80, 0x86, 0x87, 0x97),
      properties: of({
        sessionExpiry: uint32,
        receiveMaximum: uint16,
        maximumQos: flag,
        retainAvailable: flag,
        maximumPacketSize: uint32,
        assignedClientId: text,
        topicAliasMaximum: uint16,
        wildcardAvailable: flag,
        subscriptionIdsAvailable: flag,
        sharedAvailable: flag,
        serverKeepAlive: uint16,
        responseInformation: text,
        serverReference: text,
        authMethod: text,
        authData: bytes,
        ...REASONS,
      }),
    })
    .map((ours) =>
      pair({ type: 'connack', ...ours }, 'connack', { sessionPresent: ours.sessionPresent, reasonCode: ours.reason }),
    ),
  fc
    .record({ topic, payload: bytes, qos: fc.constantFrom(0, 1), retain: fc.boolean(), id: packetId })
    .chain(({ id, ...rest }) =>
      fc
        .tuple(
          publishProperties,
          fc.option(fc.array(fc.integer({ min: 1, max: 0xfffffff }), { minLength: 1 }), { nil: [] }),
        )
        .map(([properties, ids]) => ({
          ...rest,
          packetId: rest.qos === 0 ? 0 : id,
          properties: ids.length > 0 ? { ...properties, subscriptionIds: ids } : properties,
        })),
    )
    .map((ours) => {
      const { topic, qos, retain, packetId } = ours
      const payload = Buffer.from(ours.payload)
      const id = qos === 0 ? {} : { messageId: packetId }
      return pair({ type: 'publish', ...ours } as Packet, 'publish', { topic, payload, qos, retain, dup: false, ...id })
    }),
  fc
    .record({ packetId, reason: fc.oneof(fc.constant(0), refusal), properties: of(REASONS) })
    .map((ours) => pair({ type: 'puback', ...ours }, 'puback', { messageId: ours.packetId, reasonCode: ours.reason })),
  fc
    .record({
      type: fc.constantFrom('suback' as const, 'unsuback' as const),
      packetId,
      reasons: fc.array(fc.constantFrom(0, 1, 0x11, 0x80, 0x87), { minLength: 1, maxLength: 5 }),
      properties: of(REASONS),
    })
    .map((ours) => pair(ours, ours.type, { messageId: ours.packetId, granted: [...ours.reasons] })),
  fc.constant(pair({ type: 'pingresp' }, 'pingresp', {})),
  fc
    .record({ reason: refusal, properties: of({ ...REASONS, serverReference: text }) })
    .map((ours) => pair({ type: 'disconnect', ...ours }, 'disconnect', { reasonCode: ours.reason })),
  fc
    .record({ reason: fc.constantFrom(0, 0x18), properties: of({ ...REASONS, authMethod: text, authData: bytes }) })
    .map((ours) => pair({ type: 'auth', ...ours }, 'auth', { reasonCode: ours.reason })),
)

function pair(ours: Packet, cmd: string, fields: object): { ours: Packet; theirs: TheirPacket } {
  const properties = 'properties' in ours ? { properties: theirProperties(ours.properties) } : {}
  return { ours, theirs: { cmd, ...fields, ...properties } as TheirPacket }
}
