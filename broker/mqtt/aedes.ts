/**
 * The broker as Aedes knows it: registry, takeover, events, hooks, will sweep and `$SYS` are Aedes'; connections, delivery and storing are ours,
 * put in at its own seams (DESIGN §3). Hooks that a plugin sets can only narrow what TopicTalk allows: our checks run in any case.
 */
import type { EventEmitter } from 'node:events'
import { Aedes, type PublishPacket } from 'aedes'
import aedesPacket from 'aedes-packet'
import { Refusal } from '../../schemas/errors.js'
import { SYSTEM } from '../../schemas/ids.js'
import { parseTopic } from '../../schemas/topics.js'
import { REFUSED_BY_HOOK } from '../auth/principal.js'
import type { PlainTopics } from '../chat/messages/plain-topics.js'
import type { Actor } from '../chat/model/actor.js'
import type { Pipeline } from '../chat/pipeline.js'
import type { ByteStream } from '../net/byte-stream.js'
import type { Persistence, WillPacket } from '../store/persistence.js'
import type { QoS } from '../store/qos.js'
import type { Connect, Publish, RequestedSubscription } from './codec/packets.js'
import { Reason } from './codec/reason-codes.js'
import { Connection } from './connection.js'
import { ConnectRefused, connectRefusal } from './endings.js'
import { Mq, type MqMessage } from './mq.js'
import { askPlugin, callPlugin, emitTo, type PluginFailed } from './plugin-calls.js'
import type { MqttServices } from './services.js'
import type { Forward } from './session-parts.js'
import { DelayedWill, fromStored, lastMomentOf, principalOfWill, type WillMessage } from './wills.js'

type Hook = (...args: never[]) => void

/** The packet class that plugins get; its own types describe it as a namespace. */
const AedesPacket = aedesPacket as unknown as new (
  original: object,
  broker: object,
) => MqMessage & { clientId?: string }

/** What plugins use of a broker and Aedes' own types leave out. */
interface AedesInternals {
  mq: Mq
  clients: Record<string, Connection>
  connectedClients: number
  brokers: Record<string, number>
  authorizeForward: Hook
  _clearWillInterval: NodeJS.Timeout
  _finishRegisterClient(client: Connection): void
  unregisterClient(client: Connection): void
}

export interface PublishedMessage {
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

interface Message {
  topic: string
  payload: Buffer
  qos: QoS
  retain: boolean
}

function toMessage({ topic, payload, qos, retain }: PublishPacket | PublishedMessage): Message {
  return { topic, payload: Buffer.from(payload ?? ''), qos: (qos ?? 0) as QoS, retain: retain ?? false }
}

/** Most connections beyond the limit that may say CONNECT; a flood finds the rest of its connections closed at once. */
const MAX_TURNED_AWAY = 64

/** Seconds between heartbeats; wills of a dead broker are looked for at four times that. */
const HEARTBEAT = 5

export class Broker extends (Aedes as unknown as new (options: object) => Aedes & AedesInternals) {
  readonly #defaults: Record<string, unknown>
  /** The same, of those that every message asks for. */
  readonly #plainly: Pick<Aedes, 'authorizePublish' | 'authorizeForward' | 'published'>
  readonly #parts: BrokerParts
  readonly #registering = new Map<string, Promise<void>>()
  /** All that are open, logged in or not. */
  readonly connections = new Set<Connection>()
  /** Those beyond `limits.connections`, which are told so in answer to their CONNECT. */
  readonly #turnedAway = new Set<Connection>()

  constructor(parts: BrokerParts) {
    super({ mq: new Mq({}, parts.pluginFailed), persistence: parts.persistence, heartbeatInterval: HEARTBEAT * 1000 })
    this.#parts = parts
    this.handle = ((stream: ByteStream, request?: unknown) => this.#accept(stream, request)) as never
    this.setMaxListeners(0)
    // Plugins report here; an `error` that nobody hears would end the process.
    ;(this as EventEmitter).on('error', (error) => this.#failed(error))
    // What Aedes installed stands for "nobody set a hook"; our own checks do not live in hooks.
    const hooks = [
      'preConnect',
      'authenticate',
      'authorizePublish',
      'authorizeSubscribe',
      'authorizeForward',
      'published',
    ] as const
    this.#plainly = {
      authorizePublish: this.authorizePublish,
      authorizeForward: this.authorizeForward,
      published: this.published,
    }
    this.#defaults = Object.fromEntries(hooks.map((name) => [name, this[name]]))
  }

  /** Listeners are code of plugins: Aedes would let what they throw end what it is doing. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (this.listenerCount(event) === 0) return super.emit(event as never, ...(args as never[]))
    return emitTo(this, event, args, this.#parts.pluginFailed)
  }

  /** An event of one client. */
  emitFor(client: Connection, event: string | symbol, args: unknown[]): boolean {
    return emitTo(client, event, args, this.#parts.pluginFailed)
  }

  #accept(stream: ByteStream, request: unknown): Connection {
    const services = this.#parts.services()
    const connection = new Connection(services, this, stream, request)
    const full = this.connections.size >= services.limits.connections
    if (full) services.counters.add('refused.connections')
    const refusal = connectRefusal(services.redirect, full)
    if (refusal) connection.turnAway(refusal)
    const place = full ? this.#turnedAway : this.connections
    place.add(connection)
    if (this.closed || this.#turnedAway.size > MAX_TURNED_AWAY)
      void connection.finish({ reason: Reason.serverBusy, why: 'too many connections (limits.connections)' })
    return connection
  }

  forget(connection: Connection): void {
    this.connections.delete(connection)
    this.#turnedAway.delete(connection)
  }

  /** Ends every connection, those that have not sent CONNECT included, then Aedes itself. */
  async shutDown(): Promise<void> {
    const open = [...this.connections, ...this.#turnedAway]
    const closed = new Promise<void>((resolve) => this.close(() => resolve()))
    await Promise.all(open.map((connection) => new Promise<void>((resolve) => connection.close(resolve))))
    await closed
  }

  // --- registry ---------------------------------------------------------------------------------------------------------------------------

  /** Registers a connection, one at a time per session: an older one is closed first, wholly. */
  async register(connection: Connection): Promise<void> {
    const before = this.#registering.get(connection.id) ?? Promise.resolve()
    const turn = before.then(() => this.#register(connection))
    const done = turn.catch(() => {})
    this.#registering.set(connection.id, done)
    await turn.finally(() => {
      if (this.#registering.get(connection.id) === done) this.#registering.delete(connection.id)
    })
  }

  async #register(connection: Connection): Promise<void> {
    const older = this.clients[connection.id]
    if (older) await new Promise<void>((resolve) => older.close(resolve))
    if (!connection.closed) this._finishRegisterClient(connection)
  }

  // --- publishing ---------------------------------------------------------------------------------------------------------------------------

  /** As Aedes has it: on behalf of the server, or of `client`. Topics of DESIGN §2 take the way of every message. */
  override publish(packet: PublishPacket | PublishedMessage, client?: unknown, done?: unknown): void {
    const callback = (typeof client === 'function' ? client : done) as ((error?: Error) => void) | undefined
    const connection = client instanceof Connection ? client : null
    const actor = connection?.login?.actor ?? BROKER_ACTOR
    const message = toMessage(packet)
    const receipt = {
      settled: (refusal: Refusal | null) => {
        if (!refusal) this.announce(message, connection)
        if (callback) callPlugin(() => callback(refusal ?? undefined), this.#parts.pluginFailed)
      },
    }
    const { pipeline, plainTopics } = this.#parts
    const kind = parseTopic(message.topic).kind
    if (actor === BROKER_ACTOR && (kind === 'plain' || kind === 'device' || kind === 'sys' || kind === 'invalid')) {
      plainTopics.send({ ...message, clientId: null }, [], receipt)
      return
    }
    const entering = pipeline.publish(actor, { ...message, ops: [], joins: connection !== null }, receipt)
    entering?.catch((error: unknown) => this.#failed(error))
  }

  #failed(error: unknown): void {
    this.#parts.services().log.error({ err: error }, 'the broker could not publish')
  }

  /**
   * A will goes out with what the login of its owner is worth now, which may be nothing: between the end of a connection and its will the account
   * may be suspended or removed. A refused one is dropped and counted. `connection` is the one that ended.
   */
  async publishWill(left: Actor, message: WillMessage, connection: Connection | null): Promise<void> {
    const { authenticator, counters } = this.#parts.services()
    try {
      const principal = await authenticator.asOfNow(left.principal, lastMomentOf(left.principal))
      const sent = principal !== null && !(await this.#sendWill({ ...left, principal }, message, connection))
      if (sent) this.announce(message, null)
      else counters.add('refused.will')
    } catch (error) {
      this.#failed(error)
    }
  }

  async #sendWill(actor: Actor, message: WillMessage, connection: Connection | null): Promise<Refusal | null> {
    const denied = await this.publishGateFor(connection, actor, message)
    if (denied) return denied
    return new Promise((settled, failed) => {
      const incoming = { ...message, ops: [], joins: false }
      const entering = this.#parts.pipeline.publish({ ...actor, sessionId: null }, incoming, { settled })
      entering?.catch(failed)
    })
  }

  /** In place of Aedes' own sweep, which stops at the first will that is refused, and keeps it. */
  override async listen(): Promise<void> {
    await super.listen()
    clearInterval(this._clearWillInterval)
    const sweep = (): void => void this.sweepWills().catch((error) => this.#failed(error))
    this._clearWillInterval = setInterval(sweep, HEARTBEAT * 4000)
  }

  async publishStoredWill(will: WillPacket): Promise<void> {
    const principal = principalOfWill(will, Date.now())
    if (!principal) return this.#parts.services().counters.add('refused.will')
    const actor = { principal, clientId: will.clientId ?? '', sessionId: null }
    await this.publishWill(actor, fromStored(will), null)
  }

  delayedWill(id: string, due: number): DelayedWill {
    const send = (kept: WillPacket): Promise<void> => this.publishStoredWill(kept)
    return new DelayedWill(id, due, this.#parts.persistence, send, (error) => this.#failed(error))
  }

  /** Sends the wills of clients whose broker died. */
  async sweepWills(): Promise<void> {
    const alive: Record<string, number> = { [this.id]: Date.now() }
    for (const [id, seen] of Object.entries(this.brokers))
      if (seen + 3 * HEARTBEAT * 1000 >= Date.now()) alive[id] = seen
    for await (const will of this.#parts.persistence.streamWill(alive) as AsyncIterable<WillPacket>) {
      await this.publishStoredWill(will)
      await this.#parts.persistence.delWill({ id: will.clientId ?? '' })
    }
  }

  /** Tells plugins of a message that was taken: `mq`, the `published` hook, the `publish` event. Costs nothing while nobody listens. */
  announce(message: Message, client: Connection | null): void {
    const heard = this.mq.hears(message.topic)
    const watched = this.listenerCount('publish') > 0
    const hooked = this.published !== this.#plainly.published
    if (!heard && !watched && !hooked) return
    const packet = new AedesPacket({ cmd: 'publish', ...message, dup: false }, this)
    if (client) packet.clientId = client.id
    if (heard) this.mq.emit(packet)
    if (hooked) callPlugin(() => this.published(packet as never, client as never, () => {}), this.#parts.pluginFailed)
    if (watched) this.emit('publish', packet as never, client as never)
  }

  subscribed(connection: Connection, subs: object[]): void {
    this.emit('subscribe', subs as never, connection as never)
    this.#tell('new/subscribes', { clientId: connection.id, subs })
  }

  unsubscribed(connection: Connection, filters: string[]): void {
    this.emit('unsubscribe', filters, connection as never)
    this.#tell('new/unsubscribes', { clientId: connection.id, subs: filters })
  }

  #tell(what: string, facts: object): void {
    this.publish({ topic: `$SYS/${this.id}/${what}`, payload: JSON.stringify(facts) })
  }

  // --- gates: the hooks of Aedes and of auth.hooks, in front of our own checks -----------------------------------------------------------------

  #hooked(name: string): boolean {
    return (this as unknown as Record<string, unknown>)[name] !== this.#defaults[name]
  }

  #ask<T>(hook: Parameters<typeof askPlugin<T>>[0]): Promise<T | undefined> {
    return askPlugin(hook, this.#parts.pluginFailed)
  }

  /** The hook may change the packet, which has not been looked at yet. */
  async preConnectGate(connection: Connection, packet: Connect): Promise<Connect> {
    if (!this.#hooked('preConnect')) return packet
    const shown = { ...packet, cmd: 'connect', protocolVersion: packet.version }
    const allowed = await this.#ask<boolean>((done) =>
      this.preConnect(connection as never, shown as never, done as never),
    ).catch((error: Error) => error)
    if (allowed === true) return shown
    const why = allowed instanceof Error ? `: ${allowed.message}` : ''
    const told = 'not authorized'
    throw new ConnectRefused(5, Reason.notAuthorized, `refused by the preConnect hook${why}`, { told })
  }

  /** `id` is what the client would be, or is. */
  async authenticateGate(
    connection: Connection,
    { username, password }: Pick<Connect, 'username' | 'password'>,
    id: string,
  ): Promise<void> {
    if (!this.#hooked('authenticate')) return
    const before = connection.id
    connection.id = id
    let allowed: unknown = false
    let code = 5
    try {
      allowed = await this.#ask((done) =>
        this.authenticate(connection as never, username as never, password as never, done as never),
      )
    } catch (error) {
      const given = (error as { returnCode?: number }).returnCode
      if (given && given >= 2 && given <= 5) code = given
    } finally {
      connection.id = before
    }
    if (allowed) return
    const told = 'not authorized'
    throw new ConnectRefused(code, Reason.notAuthorized, REFUSED_BY_HOOK, { told })
  }

  /** Of a login without a connection, over HTTP: the hook gets no client. One that cannot do without lets nobody in. */
  async mayLogIn(username: string, password: Buffer | undefined): Promise<boolean> {
    if (!this.#hooked('authenticate')) return true
    try {
      const asked = this.#ask((done) => this.authenticate(null as never, username, password as never, done as never))
      return Boolean(await asked)
    } catch {
      return false
    }
  }

  /** Null: nothing to wait for, go on. */
  publishGate(connection: Connection, packet: Publish): Promise<Refusal | null> | null {
    const { hooks } = this.#parts.services()
    if (!hooks.authorizePublish && this.authorizePublish === this.#plainly.authorizePublish) return null
    return this.publishGateFor(connection, connection.login!.actor, packet)
  }

  /** The Aedes hook may change topic and payload of `message`; what it leaves is checked like everything else. */
  async publishGateFor(
    connection: Connection | null,
    actor: Actor,
    message: { topic: string; payload: Buffer; qos: QoS },
  ): Promise<Refusal | null> {
    const { hooks } = this.#parts.services()
    if (this.#hooked('authorizePublish')) {
      const shown = { cmd: 'publish', dup: false, retain: false, ...message } as PublishPacket
      const asked = this.#ask((done) => this.authorizePublish(connection as never, shown, done))
      const error = await asked.then(
        () => null,
        (error: Error) => error,
      )
      if (error) return new Refusal('forbidden', `refused: ${error.message}`)
      Object.assign(message, { topic: shown.topic, payload: Buffer.from(shown.payload) })
    }
    const { user, roles } = actor.principal
    const request = {
      user,
      roles: [...roles],
      clientId: actor.clientId,
      topic: message.topic,
      payload: message.payload,
    }
    if (hooks.authorizePublish && !(await hooks.authorizePublish(request)))
      return new Refusal('forbidden', 'refused by the authorizePublish hook')
    return null
  }

  /** `actor`: who asks, where it is no connection. */
  async subscribeGate(
    connection: Connection | null,
    requested: RequestedSubscription,
    actor: Actor = connection!.login!.actor,
  ): Promise<RequestedSubscription | Refusal> {
    const { hooks } = this.#parts.services()
    let passed = requested
    if (this.#hooked('authorizeSubscribe')) {
      const asked = { topic: requested.filter, qos: requested.qos }
      const answer = await this.#ask<typeof asked>((done) =>
        this.authorizeSubscribe(connection as never, asked, done as never),
      ).catch((error: Error) => error)
      if (answer instanceof Error || !answer) return new Refusal('forbidden', 'refused by the authorizeSubscribe hook')
      passed = { ...requested, filter: answer.topic, qos: answer.qos as QoS }
    }
    if (!hooks.authorizeSubscribe) return passed
    const { principal, clientId } = actor
    const request = { user: principal.user, roles: [...principal.roles], clientId, filter: passed.filter }
    return (await hooks.authorizeSubscribe(request))
      ? passed
      : new Refusal('forbidden', 'refused by the authorizeSubscribe hook')
  }

  /** Null while nobody set `authorizeForward`: deliveries then take the short way. The hook may change the payload. */
  forwardGate(connection: Connection | null): Forward | null {
    if (this.authorizeForward === this.#plainly.authorizeForward) return null
    const hook = this.authorizeForward as unknown as (
      client: Connection | null,
      packet: object,
    ) => PublishedMessage | null
    return (topic, payload, qos) => {
      const packet = new AedesPacket({ cmd: 'publish', topic, payload, qos, retain: false, dup: false }, this)
      try {
        const passed = hook.call(this, connection, packet)
        return passed ? Buffer.from(passed.payload ?? '') : null
      } catch (error) {
        this.#parts.pluginFailed(error)
        return null
      }
    }
  }
}

export interface BrokerParts {
  readonly persistence: Persistence
  readonly pipeline: Pipeline
  readonly plainTopics: PlainTopics
  /** Told of what listeners and hooks of plugins throw. */
  readonly pluginFailed: PluginFailed
  /** Read when a connection comes: the services name this broker, so they are made after it. */
  readonly services: () => MqttServices
}
