/** A client whose CONNECT was accepted: what the handlers of its packets work with. */
import type { Principal } from '../auth/principal.js'
import type { LiveSession } from '../chat/commands/sessions.js'
import type { Actor } from '../chat/model/actor.js'
import type { FeedSet } from '../following/feed-set.js'
import type { ByteStream } from '../net/byte-stream.js'
import { type Fence, type Writer, writerBehind } from '../store/fence.js'
import { Lane } from '../store/lane.js'
import type { SessionRecord } from '../store/sessions.js'
import { LazyMap } from '../util/lazy.js'
import type { BrokerPort, RegisteredClient } from './broker-port.js'
import type { CloseReason } from './close-reason.js'
import { encodeAck, encodeAuth } from './codec/encode.js'
import type { AuthPacket, Version, Will } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { reasonProperties } from './connack.js'
import { InboundQos2 } from './inbound-qos2.js'
import type { KeepAlive } from './keep-alive.js'
import type { PacketQueue } from './packet-queue.js'
import type { LiveClient, LiveConnection } from './registry.js'
import type { MqttServices } from './services.js'
import type { Session } from './session.js'

/** What a client needs of its connection. */
export interface ClientConnection extends LiveConnection, RegisteredClient {
  readonly conn: ByteStream
  /** The upgrade request of a WebSocket; undefined over TCP. */
  readonly req: unknown
  readonly services: MqttServices
  readonly broker: BrokerPort
  readonly packets: PacketQueue
  readonly keepAlive: KeepAlive
  send(bytes: Uint8Array): void
  /** Sends what `encode` makes; without `properties` if the packet would exceed the client's maximum packet size. */
  sendFitting(encode: (properties?: Properties) => Buffer, properties?: Properties): void
}

/** What CONNECT decided. */
export interface AcceptedConnect {
  readonly version: Version
  /** A renewal replaces its principal; every holder of the actor sees the new one. */
  readonly actor: Actor & { principal: Principal; rechecking?: Promise<unknown> }
  readonly session: Session
  readonly feedSet: FeedSet
  readonly record: SessionRecord
  readonly will: Will | null
  readonly hasStoredWill: boolean
  readonly fence: Fence | null
  /** Whether the client wants reason strings and user properties on acks [MQTT5-3.1.2.11.7]. */
  readonly wantsProblemInformation: boolean
  /** Of enhanced authentication [MQTT5-4.12]; null: the client logged in without. */
  readonly authMethod: string | null
  /** Its session goes on from an earlier connection. */
  readonly resumed: boolean
}

export class ConnectedClient implements LiveClient {
  readonly connection: ClientConnection
  readonly services: MqttServices
  readonly broker: BrokerPort
  readonly version: Version
  readonly actor: AcceptedConnect['actor']
  readonly session: Session
  readonly feedSet: FeedSet
  readonly record: SessionRecord
  readonly wantsProblemInformation: boolean
  readonly authMethod: string | null
  readonly resumed: boolean
  will: Will | null
  hasStoredWill: boolean
  stored: LiveClient['stored'] = 'no'
  /** Its QoS 2 publishes that await PUBREL. */
  readonly inboundQos2: InboundQos2
  /** Topic aliases this client has set [MQTT5-3.3.2.3.4]. */
  readonly aliases = new LazyMap<number, string>()
  /** Continuation of re-authentication: takes the client's answer to an AUTH. */
  exchange: ((answer: AuthPacket) => Promise<void>) | null = null
  /** What it publishes is acknowledged in order. */
  readonly lane: Lane
  /** The last publish that has not entered the lane yet. */
  entering: Promise<void> | null = null

  constructor(connection: ClientConnection, accepted: AcceptedConnect) {
    this.connection = connection
    this.services = connection.services
    this.broker = connection.broker
    this.version = accepted.version
    this.actor = accepted.actor
    this.session = accepted.session
    this.feedSet = accepted.feedSet
    this.record = accepted.record
    this.wantsProblemInformation = accepted.wantsProblemInformation
    this.authMethod = accepted.authMethod
    this.resumed = accepted.resumed
    this.will = accepted.will
    this.hasStoredWill = accepted.hasStoredWill
    this.lane = new Lane(connection.services.store, accepted.fence)
    this.inboundQos2 = new InboundQos2(connection.services.limits.inboundQos2)
  }

  /** `{user}/{clientId}` */
  get id(): string {
    return this.session.id
  }

  /** For what is stored of its session. */
  get writer(): Writer {
    return writerBehind(this.services.store, this.lane.fence)
  }

  /** Its connection is closed. */
  get closed(): boolean {
    return this.connection.closed
  }

  /** Key of the rate limit: publishes are counted per user, of anonymous clients per session. */
  get rateKey(): string {
    const { user, anonymous } = this.actor.principal
    return anonymous ? this.id : user
  }

  /** QoS 1 and 2 messages of the client that count against the receive maximum [MQTT5-4.9]; those of QoS 2 until their PUBREL. */
  get underWay(): number {
    return this.connection.packets.qos1UnderWay + this.inboundQos2.current
  }

  /** For `sessions.list`. */
  describe(): LiveSession {
    const { req, conn } = this.connection
    const protocol = this.version === 5 ? '5.0' : this.version === 4 ? '3.1.1' : '3.1'
    return { record: this.record, via: req ? 'websocket' : 'mqtt', protocol, address: conn.remoteAddress ?? '' }
  }

  /** Others have what is stored of its session, or removed it: nothing more of it is saved, and its will is theirs. */
  sessionLost(): void {
    this.stored = 'lost'
    this.will = null
    this.hasStoredWill = false
  }

  finish(ending: CloseReason): Promise<void> {
    return this.connection.finish(ending)
  }

  /** Reason string for packets other than CONNACK and DISCONNECT, if the client requested problem information [MQTT5-3.1.2-29]. */
  reasonFor(why: string): Properties | undefined {
    return this.wantsProblemInformation ? reasonProperties(why) : undefined
  }

  /** Sends an acknowledgement at once: what it acknowledges is durable by now. */
  sendAck(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reason = 0,
    properties?: Properties,
  ): void {
    if (this.closed) return
    // Nearly always without properties: then without a closure.
    if (!properties) this.connection.send(encodeAck(this.version, type, packetId, reason))
    else this.connection.sendFitting((more) => encodeAck(this.version, type, packetId, reason, more), properties)
  }

  /** PUBREC, now or when fewer QoS 2 exchanges are open (`limits.inboundQos2`). */
  sendPubrec(packetId: number, reason = 0, properties?: Properties): void {
    if (this.inboundQos2.answer(packetId)) this.sendAck('pubrec', packetId, reason, properties)
  }

  /** QoS 2 exchanges ended: withheld PUBRECs may be sent. */
  sendWithheldPubrecs(): void {
    for (let id = this.inboundQos2.next(); id !== undefined; id = this.inboundQos2.next()) this.sendAck('pubrec', id)
  }

  sendAuth(reason: number, method: string): void {
    this.connection.send(encodeAuth(reason, { authMethod: method }))
  }
}
