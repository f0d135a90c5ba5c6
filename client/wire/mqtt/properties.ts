/** Properties of MQTT 5 [MQTT5-2.2.2]: one table says what exists, how it is written, and in which packets a broker may send it. */
import type { Properties } from '../wire.js'
import { malformed, protocolError } from './malformed.js'
import type { PacketReader } from './reader.js'
import type { PacketWriter } from './writer.js'

type WireType = 'flag' | 'uint16' | 'uint32' | 'string' | 'binary' | 'pairs' | 'varints'

/** Packets that a broker sends. `ack`: PUBACK, SUBACK and UNSUBACK have the same ones. */
export type Carrier = 'connack' | 'publish' | 'ack' | 'disconnect' | 'auth'

const EVERYWHERE: readonly Carrier[] = ['connack', 'publish', 'ack', 'disconnect', 'auth']

const TABLE: readonly (readonly [id: number, name: keyof Properties, type: WireType, from: readonly Carrier[]])[] = [
  [0x01, 'payloadFormat', 'flag', ['publish']],
  [0x02, 'messageExpiry', 'uint32', ['publish']],
  [0x03, 'contentType', 'string', ['publish']],
  [0x08, 'responseTopic', 'string', ['publish']],
  [0x09, 'correlationData', 'binary', ['publish']],
  [0x0b, 'subscriptionIds', 'varints', ['publish']],
  [0x11, 'sessionExpiry', 'uint32', ['connack']],
  [0x12, 'assignedClientId', 'string', ['connack']],
  [0x13, 'serverKeepAlive', 'uint16', ['connack']],
  [0x15, 'authMethod', 'string', ['connack', 'auth']],
  [0x16, 'authData', 'binary', ['connack', 'auth']],
  [0x17, 'requestProblemInformation', 'flag', []],
  [0x19, 'requestResponseInformation', 'flag', []],
  [0x1a, 'responseInformation', 'string', ['connack']],
  [0x1c, 'serverReference', 'string', ['connack', 'disconnect']],
  [0x1f, 'reasonString', 'string', ['connack', 'ack', 'disconnect', 'auth']],
  [0x21, 'receiveMaximum', 'uint16', ['connack']],
  [0x22, 'topicAliasMaximum', 'uint16', ['connack']],
  [0x23, 'topicAlias', 'uint16', ['publish']],
  [0x24, 'maximumQos', 'flag', ['connack']],
  [0x25, 'retainAvailable', 'flag', ['connack']],
  [0x26, 'userProperties', 'pairs', EVERYWHERE],
  [0x27, 'maximumPacketSize', 'uint32', ['connack']],
  [0x28, 'wildcardAvailable', 'flag', ['connack']],
  [0x29, 'subscriptionIdsAvailable', 'flag', ['connack']],
  [0x2a, 'sharedAvailable', 'flag', ['connack']],
]

/** 0 would say nothing, or forbid everything [MQTT5-3.2.2.3.3, MQTT5-3.2.2.3.6]. */
const NEVER_ZERO: readonly (keyof Properties)[] = ['receiveMaximum', 'maximumPacketSize', 'topicAlias']

/** The property section of a packet. Throws `Malformed`. */
export function readProperties(reader: PacketReader, carrier: Carrier): Properties {
  const length = reader.varint('property length')
  const behind = reader.remaining - length
  if (behind < 0) throw malformed('the packet ends within its properties')
  const properties: Properties = {}
  while (reader.remaining > behind) {
    const id = reader.varint('property identifier')
    const row = TABLE.find((one) => one[0] === id)
    if (!row?.[3].includes(carrier)) throw malformed(`property ${id} has no place in ${carrier}`)
    const [, name, type] = row
    if (type === 'pairs') (properties.userProperties ??= []).push([reader.string(name), reader.string(name)])
    else if (type === 'varints') (properties.subscriptionIds ??= []).push(reader.varint(name))
    else if (properties[name] !== undefined) throw protocolError(`property ${name} given twice`)
    else Object.assign(properties, { [name]: readValue(reader, name, type) })
  }
  if (reader.remaining < behind) throw malformed('a property crosses the end of the properties')
  return properties
}

function readValue(
  reader: PacketReader,
  name: keyof Properties,
  type: Exclude<WireType, 'pairs' | 'varints'>,
): unknown {
  if (type === 'string' || type === 'binary') return reader[type](name)
  const value = type === 'flag' ? reader.byte(name) : reader[type](name)
  if (type === 'flag' && value > 1) throw protocolError(`property ${name} must be 0 or 1`)
  if (value === 0 && NEVER_ZERO.includes(name)) throw protocolError(`property ${name} must not be 0`)
  return value
}

/** Writes a property section, its length in front. */
export function writeProperties(writer: PacketWriter, properties: Properties): void {
  const start = writer.mark()
  for (const [id, name, type] of TABLE) {
    const value = properties[name]
    if (value === undefined) continue
    for (const one of type === 'pairs' || type === 'varints' ? (value as unknown[]) : [value]) {
      writer.byte(id)
      writeValue(writer, type, one)
    }
  }
  writer.lengthSince(start)
}

function writeValue(writer: PacketWriter, type: WireType, value: unknown): void {
  switch (type) {
    case 'flag':
      return writer.byte(value as number)
    case 'uint16':
      return writer.uint16(value as number)
    case 'uint32':
      return writer.uint32(value as number)
    case 'varints':
      return writer.varint(value as number)
    case 'string':
      return writer.string(value as string)
    case 'binary':
      return writer.binary(value as Uint8Array)
    case 'pairs':
      for (const text of value as [string, string]) writer.string(text)
  }
}
