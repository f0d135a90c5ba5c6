/** MQTT 5 properties [MQTT5-2.2.2]: one table says what exists, its wire type, and which packets may carry it. */
import type { PacketReader } from './reader.js'
import { malformed, ProtocolError, Reason } from './reason-codes.js'

type WireType = 'byte' | 'flag' | 'uint16' | 'uint32' | 'varint' | 'string' | 'binary' | 'pair' | 'varints'

export type PacketName =
  | 'connect'
  | 'connack'
  | 'publish'
  | 'will'
  | 'ack'
  | 'subscribe'
  | 'suback'
  | 'unsubscribe'
  | 'disconnect'
  | 'auth'

export interface Properties {
  payloadFormat?: number
  messageExpiry?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Buffer
  subscriptionIds?: number[]
  sessionExpiry?: number
  assignedClientId?: string
  serverKeepAlive?: number
  authMethod?: string
  authData?: Buffer
  requestProblemInformation?: boolean
  willDelay?: number
  requestResponseInformation?: boolean
  responseInformation?: string
  serverReference?: string
  reasonString?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  topicAlias?: number
  maximumQos?: number
  retainAvailable?: boolean
  userProperties?: [string, string][]
  maximumPacketSize?: number
  wildcardAvailable?: boolean
  subscriptionIdsAvailable?: boolean
  sharedAvailable?: boolean
}

interface Definition {
  id: number
  name: keyof Properties
  type: WireType
  in: readonly PacketName[]
}

const DEFINITIONS: readonly Definition[] = [
  { id: 0x01, name: 'payloadFormat', type: 'byte', in: ['publish', 'will'] },
  { id: 0x02, name: 'messageExpiry', type: 'uint32', in: ['publish', 'will'] },
  { id: 0x03, name: 'contentType', type: 'string', in: ['publish', 'will'] },
  { id: 0x08, name: 'responseTopic', type: 'string', in: ['publish', 'will'] },
  { id: 0x09, name: 'correlationData', type: 'binary', in: ['publish', 'will'] },
  { id: 0x0b, name: 'subscriptionIds', type: 'varints', in: ['publish', 'subscribe'] },
  { id: 0x11, name: 'sessionExpiry', type: 'uint32', in: ['connect', 'connack', 'disconnect'] },
  { id: 0x12, name: 'assignedClientId', type: 'string', in: ['connack'] },
  { id: 0x13, name: 'serverKeepAlive', type: 'uint16', in: ['connack'] },
  { id: 0x15, name: 'authMethod', type: 'string', in: ['connect', 'connack', 'auth'] },
  { id: 0x16, name: 'authData', type: 'binary', in: ['connect', 'connack', 'auth'] },
  { id: 0x17, name: 'requestProblemInformation', type: 'flag', in: ['connect'] },
  { id: 0x18, name: 'willDelay', type: 'uint32', in: ['will'] },
  { id: 0x19, name: 'requestResponseInformation', type: 'flag', in: ['connect'] },
  { id: 0x1a, name: 'responseInformation', type: 'string', in: ['connack'] },
  { id: 0x1c, name: 'serverReference', type: 'string', in: ['connack', 'disconnect'] },
  { id: 0x1f, name: 'reasonString', type: 'string', in: ['connack', 'ack', 'suback', 'disconnect', 'auth'] },
  { id: 0x21, name: 'receiveMaximum', type: 'uint16', in: ['connect', 'connack'] },
  { id: 0x22, name: 'topicAliasMaximum', type: 'uint16', in: ['connect', 'connack'] },
  { id: 0x23, name: 'topicAlias', type: 'uint16', in: ['publish'] },
  { id: 0x24, name: 'maximumQos', type: 'byte', in: ['connack'] },
  { id: 0x25, name: 'retainAvailable', type: 'flag', in: ['connack'] },
  {
    id: 0x26,
    name: 'userProperties',
    type: 'pair',
    in: ['connect', 'connack', 'publish', 'will', 'ack', 'subscribe', 'suback', 'unsubscribe', 'disconnect', 'auth'],
  },
  { id: 0x27, name: 'maximumPacketSize', type: 'uint32', in: ['connect', 'connack'] },
  { id: 0x28, name: 'wildcardAvailable', type: 'flag', in: ['connack'] },
  { id: 0x29, name: 'subscriptionIdsAvailable', type: 'flag', in: ['connack'] },
  { id: 0x2a, name: 'sharedAvailable', type: 'flag', in: ['connack'] },
]

const BY_ID = new Map(DEFINITIONS.map((definition) => [definition.id, definition]))

export const NO_PROPERTIES: Readonly<Properties> = Object.freeze({})

/** Reads a property section. Unknown, misplaced or repeated properties are refused [MQTT5-2.2.2.2]. */
export function readProperties(reader: PacketReader, packet: PacketName): Properties {
  const length = reader.varint('property length')
  if (length === 0) return NO_PROPERTIES as Properties
  if (length > reader.remaining) throw malformed('the packet ends within its properties')
  const end = reader.remaining - length
  const properties: Record<string, unknown> = {}
  while (reader.remaining > end) {
    const id = reader.varint('property identifier')
    const definition = BY_ID.get(id)
    if (!definition?.in.includes(packet)) throw malformed(`property 0x${id.toString(16)} has no place in ${packet}`)
    readProperty(reader, definition, packet, properties)
  }
  if (reader.remaining < end) throw malformed('a property crosses the end of the properties')
  return properties as Properties
}

function readProperty(
  reader: PacketReader,
  definition: Definition,
  packet: PacketName,
  into: Record<string, unknown>,
): void {
  const { name, type } = definition
  if (type === 'pair') {
    const pairs = (into[name] ??= []) as [string, string][]
    pairs.push([reader.string('user property name'), reader.string('user property value')])
    return
  }
  if (type === 'varints') {
    const ids = (into[name] ??= []) as number[]
    if (ids.length > 0 && packet === 'subscribe') throw twice(name)
    const value = reader.varint(name)
    if (value === 0) throw new ProtocolError(Reason.protocolError, 'subscription identifier 0 [MQTT5-3.8.2.1.2]')
    ids.push(value)
    return
  }
  if (into[name] !== undefined) throw twice(name)
  into[name] = readValue(reader, name, type)
}

function twice(name: string): ProtocolError {
  return new ProtocolError(Reason.protocolError, `property ${name} given twice`)
}

function readValue(reader: PacketReader, name: string, type: Exclude<WireType, 'pair' | 'varints'>): unknown {
  switch (type) {
    case 'byte':
    case 'flag': {
      const value = reader.byte(name)
      if (value > 1) throw new ProtocolError(Reason.protocolError, `property ${name} must be 0 or 1`)
      return type === 'flag' ? value === 1 : value
    }
    case 'uint16':
      return reader.uint16(name)
    case 'uint32':
      return reader.uint32(name)
    case 'varint':
      return reader.varint(name)
    case 'string':
      return reader.string(name)
    case 'binary':
      return reader.binary(name)
  }
}

/** The property section, its length in front. */
export function encodeProperties(properties: Properties): Buffer {
  const parts: Buffer[] = []
  for (const { id, name, type } of DEFINITIONS) {
    const value = properties[name]
    if (value !== undefined) encodeProperty(parts, id, type, value)
  }
  const body = Buffer.concat(parts)
  return Buffer.concat([encodeVarint(body.length), body])
}

function encodeProperty(parts: Buffer[], id: number, type: WireType, value: unknown): void {
  const tag = Buffer.from([id])
  switch (type) {
    case 'byte':
    case 'flag':
      parts.push(tag, Buffer.from([Number(value)]))
      return
    case 'uint16':
      parts.push(tag, uint16(value as number))
      return
    case 'uint32': {
      const bytes = Buffer.allocUnsafe(4)
      bytes.writeUInt32BE(value as number)
      parts.push(tag, bytes)
      return
    }
    case 'varint':
      parts.push(tag, encodeVarint(value as number))
      return
    case 'varints':
      for (const item of value as number[]) parts.push(tag, encodeVarint(item))
      return
    case 'string':
      parts.push(tag, encodeString(value as string))
      return
    case 'binary':
      parts.push(tag, uint16((value as Buffer).length), value as Buffer)
      return
    case 'pair':
      for (const [key, item] of value as [string, string][]) parts.push(tag, encodeString(key), encodeString(item))
  }
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  return Buffer.concat([uint16(bytes.length), bytes])
}

export function encodeVarint(value: number): Buffer {
  const bytes: number[] = []
  do {
    const rest = value >>> 7
    bytes.push((value & 0x7f) | (rest > 0 ? 0x80 : 0))
    value = rest
  } while (value > 0)
  return Buffer.from(bytes)
}
