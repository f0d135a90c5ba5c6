/**
 * The broker as Aedes knows it: registry, takeover, events, hooks, will sweep and `$SYS` are Aedes'; connections, delivery and storing are ours,
 * put in where Aedes allows it (DESIGN §3). Hooks that a plugin sets can only narrow what TopicTalk allows: our checks run in any case.
 */
import type { EventEmitter } from 'node:events'
import { Aedes, type PublishPacket } from 'aedes'
import aedesPacket from 'aedes-packet'
import type { Refusal } from '../../schemas/errors.js'
import { SYSTEM } from '../../schemas/ids.js'
import { parseTopic } from '../../schemas/topics.js'
import type { PlainTopics } from '../chat/messages/plain-topics.js'
import type { Actor } from '../chat/model/actor.js'
import type { Pipeline } from '../chat/pipeline.js'
import type { ByteStream } from '../net/byte-stream.js'
import { Lane } from '../store/lane.js'
import type { QoS } from '../store/qos.js'
import type { Store } from '../store/store.js'
import type { BrokerPort, PublishedMessage, RegisteredClient } from './broker-port.js'
import { Reason } from './codec/reason-codes.js'
import { type ConnectRefused, refusalOfAll } from './connect-refused.js'
import { Connection } from './connection.js'
import { type AedesHooks, Gates, type HookClient } from './gates.js'
import { Mq, type MqMessage } from './mq.js'
import { callPlugin, emitTo, type PluginFailed } from './plugin-calls.js'
import type { MqttServices } from './services.js'
import type { UnservedSessions } from './unserved-sessions.js'
import { WillPublisher } from './will-publisher.js'

type Hook = (...args: never[]) => void

/** The packet class that plugins get; its own types describe it as a namespace. */
const AedesPacket = aedesPacket as unknown as new (
  original: object,
  broker: object,
) => MqMessage & { clientId?: string }

/** Members that plugins use and Aedes' own types leave out. */
interface AedesInternals {
  mq: Mq
  clients: Record<string, Connection>
  connectedClients: number
  brokers: Record<string, number>
  authorizeForward: Hook
  _clearWillInterval: NodeJS.Timeout
  _finishRegisterClient(client: RegisteredClient): void
  unregisterClient(client: RegisteredClient): void
}

/** As plugins and `$SYS` publish. */
interface PublishRequest {
  topic: string
  payload?: Buffer | string
  qos?: QoS
  retain?: boolean
}

/** The actor of what the broker itself publishes. */
const BROKER_ACTOR: Actor = {
  principal: { user: SYSTEM, roles: new Set(['admin']), anonymous: false, expiresAt: null },
  clientId: '',
  sessionId: null,
}

function toMessage({ topic, payload, qos, retain }: PublishPacket | PublishRequest): PublishedMessage {
  return { topic, payload: Buffer.from(payload ?? ''), qos: (qos ?? 0) as QoS, retain: retain ?? false }
}

/** Connections beyond `limits.connections` that are kept until their CONNECT, to be told why; more are closed at once. */
const MAX_TURNED_AWAY = 64

/** Seconds between heartbeats; wills of a dead broker, and those that could not be sent, are looked for at four times that. */
const HEARTBEAT = 5

export class Broker
  extends (Aedes as unknown as new (options: object) => Aedes & AedesInternals)
  implements BrokerPort, AedesHooks
{
  readonly gates: Gates
  readonly wills: WillPublisher
  /** What Aedes itself installed: it stands for "nobody set a hook". */
  readonly #publishedDefault: Aedes['published']
  readonly #deps: BrokerDeps
  /** Of what the broker itself and plugins publish. */
  readonly #lane: Lane
  readonly #registering = new Map<string, Promise<void>>()
  /** All that are open, logged in or not. */
  readonly connections = new Set<Connection>()
  #unserved: UnservedSessions | null = null
  /** Those beyond `limits.connections`: their CONNECT is refused. */
  readonly #turnedAway = new Set<Connection>()
  /** Why every CONNECT is refused from now on; null: it is not. */
  closedTo: ConnectRefused | null = null

  constructor(deps: BrokerDeps) {
    super({
      mq: new Mq({}, deps.pluginFailed),
      persistence: deps.store.persistence,
      heartbeatInterval: HEARTBEAT * 1000,
    })
    this.#deps = deps
    this.#lane = new Lane(deps.store)
    this.handle = ((stream: ByteStream, request?: unknown) => this.#accept(stream, request)) as never
    this.setMaxListeners(0)
    // Plugins report here; an `error` that nobody hears would end the process.
    ;(this as EventEmitter).on('error', (error) => this.#failed(error))
    this.#publishedDefault = this.published
    this.gates = new Gates(this, deps.services, deps.pluginFailed)
    this.wills = new WillPublisher({
      ...deps,
      gates: this.gates,
      published: (will) => this.announce(will, null),
      failed: (error) => this.#failed(error),
    })
  }

  /** Listeners are code of plugins: Aedes would let what they throw end what it is doing. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (this.listenerCount(event) === 0) return super.emit(event as never, ...(args as never[]))
    return emitTo(this, event, args, this.#deps.pluginFailed)
  }

  /** An event of one client. */
  emitFor(client: EventEmitter, event: string | symbol, args: unknown[]): boolean {
    return emitTo(client, event, args, this.#deps.pluginFailed)
  }

  #accept(stream: ByteStream, request: unknown): Connection {
    const services = this.#deps.services()
    const full = this.connections.size >= services.limits.connections
    if (full) services.counters.add('refused.connections')
    const connection = new Connection(
      services,
      this,
      stream,
      request,
      this.closedTo ?? refusalOfAll(services.redirect, full),
    )
    const place = full ? this.#turnedAway : this.connections
    place.add(connection)
    if (this.closed || this.#turnedAway.size > MAX_TURNED_AWAY)
      void connection.finish({ reason: Reason.serverBusy, why: 'too many connections (limits.connections)' })
    return connection
  }

  forget(connection: RegisteredClient): void {
    this.connections.delete(connection as Connection)
    this.#turnedAway.delete(connection as Connection)
  }

  /** Ends every connection, those that have not sent CONNECT included, then Aedes itself. */
  async shutDown(): Promise<void> {
    const open = [...this.connections, ...this.#turnedAway]
    const closed = new Promise<void>((resolve) => this.close(() => resolve()))
    await Promise.all(open.map((connection) => new Promise<void>((resolve) => connection.close(resolve))))
    await closed
  }

  // --- registry ---------------------------------------------------------------------------------------------------------------------------

  /** One at a time per session: an older connection of it is closed completely first. */
  async register(client: RegisteredClient): Promise<void> {
    const before = this.#registering.get(client.id) ?? Promise.resolve()
    const turn = before.then(() => this.#register(client))
    const done = turn.catch(() => {})
    this.#registering.set(client.id, done)
    await turn.finally(() => {
      if (this.#registering.get(client.id) === done) this.#registering.delete(client.id)
    })
  }

  async #register(client: RegisteredClient): Promise<void> {
    const older = this.clients[client.id]
    if (older) await new Promise<void>((resolve) => older.close(resolve))
    if (!client.closed) this._finishRegisterClient(client)
  }

  isRegistered(client: RegisteredClient): boolean {
    return client.id !== '' && (this.clients[client.id] as RegisteredClient | undefined) === client
  }

  unregister(client: RegisteredClient): void {
    this.unregisterClient(client)
  }

  // --- publishing ---------------------------------------------------------------------------------------------------------------------------

  /** As Aedes has it: on behalf of the server, or of `client`. Chat topics go through the pipeline like every message. */
  override publish(packet: PublishPacket | PublishRequest, client?: unknown, done?: unknown): void {
    const callback = (typeof client === 'function' ? client : done) as ((error?: Error) => void) | undefined
    const connection = client instanceof Connection ? client : null
    const actor = connection?.client?.actor ?? BROKER_ACTOR
    const lane = connection?.client?.lane ?? this.#lane
    const message = toMessage(packet)
    const receipt = {
      settled: (refusal: Refusal | null) => {
        if (!refusal) this.announce(message, connection)
        if (callback) callPlugin(() => callback(refusal ?? undefined), this.#deps.pluginFailed)
      },
    }
    const { pipeline, plainTopics } = this.#deps
    const kind = parseTopic(message.topic).kind
    if (actor === BROKER_ACTOR && (kind === 'plain' || kind === 'device' || kind === 'sys' || kind === 'invalid')) {
      plainTopics.send({ ...message, lane, clientId: null }, receipt)
      return
    }
    const entering = pipeline.publish(actor, { ...message, ops: [], lane, joins: connection !== null }, receipt)
    entering?.catch((error: unknown) => this.#failed(error))
  }

  #failed(error: unknown): void {
    this.#deps.services().log.error({ err: error }, 'the broker could not publish')
  }

  /** In place of Aedes' own sweep, which stops at the first will that is refused, and keeps it. */
  override async listen(): Promise<void> {
    await super.listen()
    clearInterval(this._clearWillInterval)
    const sweep = (): void => void this.sweepWills().catch((error) => this.#failed(error))
    this._clearWillInterval = setInterval(sweep, HEARTBEAT * 4000)
    await this.wills.adopt()
  }

  /** Other nodes share the store: what is due of sessions is done by who has them. */
  shareSessions(unserved: UnservedSessions): void {
    this.#unserved = unserved
    this.wills.settle = (session) => unserved.settle(session)
  }

  /** Sends the wills of clients whose broker died. */
  sweepWills(): Promise<void> {
    if (this.#unserved) return this.#unserved.sweepWills()
    const alive: Record<string, number> = { [this.id]: Date.now() }
    for (const [id, seen] of Object.entries(this.brokers))
      if (seen + 3 * HEARTBEAT * 1000 >= Date.now()) alive[id] = seen
    return this.wills.sweep(alive)
  }

  /** Tells plugins of an accepted message: `mq`, the `published` hook, the `publish` event. Costs nothing while nobody listens. */
  announce(message: PublishedMessage, client: HookClient | null): void {
    const heard = this.mq.hears(message.topic)
    const watched = this.listenerCount('publish') > 0
    const hooked = this.published !== this.#publishedDefault
    if (!heard && !watched && !hooked) return
    const packet = this.toPacket({ cmd: 'publish', ...message, dup: false })
    if (client) packet.clientId = client.id
    if (heard) this.mq.emit(packet)
    if (hooked) callPlugin(() => this.published(packet as never, client as never, () => {}), this.#deps.pluginFailed)
    if (watched) this.emit('publish', packet as never, client as never)
  }

  /** The class that plugins get. */
  toPacket(message: object): MqMessage & { clientId?: string } {
    return new AedesPacket(message, this)
  }

  subscribed(client: HookClient, subs: object[]): void {
    this.emit('subscribe', subs as never, client as never)
    this.#tell('new/subscribes', { clientId: client.id, subs })
  }

  unsubscribed(client: HookClient, filters: string[]): void {
    this.emit('unsubscribe', filters, client as never)
    this.#tell('new/unsubscribes', { clientId: client.id, subs: filters })
  }

  #tell(what: string, facts: object): void {
    this.publish({ topic: `$SYS/${this.id}/${what}`, payload: JSON.stringify(facts) })
  }
}

export interface BrokerDeps {
  readonly store: Store
  readonly pipeline: Pipeline
  readonly plainTopics: PlainTopics
  /** Seconds; see `WillPublisherDeps`. */
  readonly restartGrace: number
  /** Told of what listeners and hooks of plugins throw. */
  readonly pluginFailed: PluginFailed
  /** Read when a connection comes: the services name this broker, so they are made after it. */
  readonly services: () => MqttServices
}
