/** A client whose CONNECT was accepted: what the handlers of its packets work with. */
import type { Principal } from '../auth/principal.js'
import type { LiveSession } from '../chat/commands/sessions.js'
import type { Actor } from '../chat/model/actor.js'
import type { FeedSet } from '../following/feed-set.js'
import type { ByteStream } from '../net/byte-stream.js'
import type { SessionRecord } from '../store/sessions.js'
import { LazyMap } from '../util/lazy.js'
import type { BrokerPort, RegisteredClient } from './broker-port.js'
import { encodeAck, encodeAuth } from './codec/encode.js'
import type { Auth, Version, Will } from './codec/packets.js'
import type { Properties } from './codec/properties.js'
import { explained } from './connack.js'
import type { Ending } from './endings.js'
import { Incoming } from './incoming.js'
import type { KeepAlive } from './keep-alive.js'
import type { PacketQueue } from './packet-queue.js'
import type { LiveClient, LiveConnection } from './registry.js'
import type { MqttServices } from './services.js'
import type { Session } from './session.js'

/** What a client needs of its connection. */
export interface ClientConnection extends LiveConnection, RegisteredClient {
  readonly conn: ByteStream
  /** The upgrade request of a WebSocket; undefined: it came by TCP. */
  readonly req: unknown
  readonly services: MqttServices
  readonly broker: BrokerPort
  readonly packets: PacketQueue
  readonly keepAlive: KeepAlive
  send(bytes: Uint8Array): void
  /** Sends what `encode` makes, without what explains it where that would be more than the client takes. */
  explain(encode: (properties?: Properties) => Buffer, properties?: Properties): void
}

/** What CONNECT decided. */
export interface AcceptedConnect {
  readonly version: Version
  /** Its principal is another after a renewal; whoever holds the actor sees the new one. */
  readonly actor: Actor & { principal: Principal }
  readonly session: Session
  readonly feedSet: FeedSet
  readonly record: SessionRecord
  readonly will: Will | null
  readonly hasStoredWill: boolean
  /** Whether the client wants reason strings and user properties on acks [MQTT5-3.1.2.11.7]. */
  readonly explains: boolean
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
  readonly explains: boolean
  readonly authMethod: string | null
  readonly resumed: boolean
  will: Will | null
  hasStoredWill: boolean
  /** Its QoS 2 publishes that await PUBREL. */
  readonly incoming: Incoming
  /** Topic aliases this client has set [MQTT5-3.3.2.3.4]. */
  readonly aliases = new LazyMap<number, string>()
  /** The client was asked for something with AUTH: what its answer leads to. */
  exchange: ((answer: Auth) => Promise<void>) | null = null
  /** A publish on its way to its place in the store's queue. */
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
    this.explains = accepted.explains
    this.authMethod = accepted.authMethod
    this.resumed = accepted.resumed
    this.will = accepted.will
    this.hasStoredWill = accepted.hasStoredWill
    this.incoming = new Incoming(connection.services.limits.inboundQos2)
  }

  /** `{user}/{clientId}` */
  get id(): string {
    return this.session.id
  }

  /** Its connection is over. */
  get closed(): boolean {
    return this.connection.closed
  }

  /** Whose publishes are counted together. */
  get rateKey(): string {
    const { user, anonymous } = this.actor.principal
    return anonymous ? this.id : user
  }

  /** QoS 1 and 2 messages of the client that are not done [MQTT5-4.9]; those of QoS 2 end with their PUBREL. */
  get underWay(): number {
    return this.connection.packets.qos1UnderWay + this.incoming.current
  }

  /** What its user may know of it. */
  describe(): LiveSession {
    const { req, conn } = this.connection
    const protocol = this.version === 5 ? '5.0' : this.version === 4 ? '3.1.1' : '3.1'
    return { record: this.record, via: req ? 'websocket' : 'mqtt', protocol, address: conn.remoteAddress ?? '' }
  }

  finish(ending: Ending): Promise<void> {
    return this.connection.finish(ending)
  }

  /** For packets other than CONNACK and DISCONNECT: only to who wants to know [MQTT5-3.1.2-29]. */
  explanation(why: string): Properties | undefined {
    return this.explains ? explained(why) : undefined
  }

  /** Acknowledges without a store: used where nothing has to be waited for. */
  sendAck(
    type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp',
    packetId: number,
    reason = 0,
    properties?: Properties,
  ): void {
    if (this.closed) return
    this.connection.explain((more) => encodeAck(this.version, type, packetId, reason, more), properties)
  }

  /** PUBREC, now or when the client has room for it. */
  sendPubrec(packetId: number, reason = 0, properties?: Properties): void {
    if (this.incoming.answer(packetId)) this.sendAck('pubrec', packetId, reason, properties)
  }

  /** Flows have ended: PUBRECs that were withheld may leave. */
  sendWithheldPubrecs(): void {
    for (let id = this.incoming.next(); id !== undefined; id = this.incoming.next()) this.sendAck('pubrec', id)
  }

  sendAuth(reason: number, method: string): void {
    this.connection.send(encodeAuth(reason, { authMethod: method }))
  }
}
