/**
 * A client that goes to another node when its own one is silent or gone, and keeps its session. All that it sends and gets goes into the history;
 * what still arrives on a connection that it has given up, too.
 */
import type { IConnackPacket, IPublishPacket, Packet } from 'mqtt-packet'
import type { Event, QoS } from '../../models/history/events.js'
import { eventOf } from './heard.js'
import { Line } from './line.js'
import type { Recorder } from './recorder.js'
import { type Reply, Requests } from './requests.js'
import { type Outgoing, Sender } from './sender.js'

/** Ms between two PINGREQs. */
const PING_EVERY = 250
/** PINGREQs without an answer, or as long without CONNACK, until the client gives up a connection. */
const PATIENCE = 6
const RECONNECT_MS = 20

export interface Place {
  readonly name: string
  readonly port: number
}

export interface Subscription {
  readonly filter: string
  readonly qos: QoS
  /** Logs that it covers; null: plain topics. */
  readonly logs: readonly (string | null)[]
}

export interface WandererOptions {
  readonly user: string
  readonly clientId: string
  readonly password: string
  readonly persistent: boolean
  readonly subscriptions: readonly Subscription[]
  /** Where to connect next, if not `last`. */
  readonly next: (last: Place | null) => Place
}

export class Wanderer {
  readonly session: string
  readonly user: string
  readonly #options: WandererOptions
  readonly #recorder: Recorder
  readonly #sender: Sender
  readonly #requests: Requests
  /** Packet ids of QoS 2 that wait for PUBREL. */
  readonly #incoming = new Set<number>()
  #place: Place | null = null
  #line: Line | null = null
  readonly #given: Line[] = []
  #connection = 0
  #unanswered = 0
  #isUp = false
  #timer: NodeJS.Timeout | null = null
  #subscribed: (() => void) | null = null

  constructor(recorder: Recorder, options: WandererOptions) {
    this.#recorder = recorder
    this.#options = options
    this.#sender = new Sender(recorder, options.user)
    this.#requests = new Requests(options.user)
    this.user = options.user
    this.session = `${options.user}/${options.clientId}`
  }

  /** Resolves when its subscriptions are granted. */
  async start(): Promise<void> {
    this.#timer = setInterval(() => this.#look(), PING_EVERY)
    await new Promise<void>((resolve) => {
      this.#subscribed = resolve
      this.#connect()
    })
    for (const { qos, logs } of this.#options.subscriptions)
      for (const log of logs) this.#recorder.add(this.#following(log, qos))
  }

  /** Its session goes with it from node to node. */
  get isWandering(): boolean {
    return this.#options.persistent
  }

  get isIdle(): boolean {
    return this.#sender.isIdle
  }

  send(outgoing: Outgoing): void {
    this.#sender.send(outgoing)
  }

  /** Null: it is not known what became of it. */
  request(method: string, params: object): Promise<Reply | null> {
    return this.#requests.ask(method, params)
  }

  /** Goes to another node, as a client does that changes its network: neither node hears of the end of the connection. */
  move(): void {
    if (this.#line) this.#leave()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** It loses its connection, and does not come back. */
  vanish(): void {
    const line = this.#line
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    if (line) this.#leave()
    line?.end()
    this.#place = null
  }

  /** Whether it uses, or tries to use, that node. */
  isAt(place: Place): boolean {
    return this.#place === place
  }

  end(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    for (const line of [...this.#given, ...(this.#line ? [this.#line] : [])]) line.end()
  }

  #following(log: string | null, qos: QoS): Event {
    return { type: 'following', session: this.session, log, after: 0, qos, persistent: this.#options.persistent }
  }

  #connect(): void {
    const { user, clientId, password, persistent, next } = this.#options
    const connection = this.#recorder.nextConnection()
    this.#place = next(this.#place)
    this.#connection = connection
    this.#unanswered = 0
    const line: Line = new Line(
      this.#place.port,
      (packet) => (line === this.#line ? this.#take(packet) : this.#overhear(packet, connection)),
      () => void (line === this.#line && this.#leave()),
    )
    this.#line = line
    line.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 5,
      clean: !persistent,
      clientId,
      keepalive: 0,
      username: user,
      password: Buffer.from(password),
      properties: { sessionExpiryInterval: persistent ? 3600 : 0 },
    })
  }

  /** Its socket stays open: the node may be there, and only be slow. */
  #leave(): void {
    this.#given.push(this.#line!)
    this.#line = null
    this.#sender.disconnected()
    this.#requests.disconnected()
    if (this.#isUp) this.#recorder.add({ type: 'disconnected', connection: this.#connection })
    this.#isUp = false
    if (this.#timer) setTimeout(() => void (this.#timer && this.#connect()), RECONNECT_MS)
  }

  #look(): void {
    if (!this.#line) return
    if (this.#unanswered++ >= PATIENCE) this.#leave()
    else if (this.#isUp) this.#line.send({ cmd: 'pingreq' })
  }

  #take(packet: Packet): void {
    const { cmd } = packet
    if (cmd === 'connack') this.#accepted(packet)
    else if (cmd === 'pingresp') this.#unanswered = 0
    else if (cmd === 'suback') this.#granted()
    else if (cmd === 'puback' || cmd === 'pubrec' || cmd === 'pubcomp') this.#sender.take(packet)
    else if (cmd === 'publish') this.#arrived(packet)
    else if (cmd === 'pubrel') this.#released(packet.messageId!)
  }

  #released(messageId: number): void {
    this.#incoming.delete(messageId)
    this.#line!.send({ cmd: 'pubcomp', messageId })
  }

  /** A refusal is followed by the close. */
  #accepted({ reasonCode, sessionPresent: resumed }: IConnackPacket): void {
    if (reasonCode !== 0) return
    const { session, user } = this
    const line = this.#line!
    this.#recorder.add({
      type: 'connected',
      session,
      user,
      connection: this.#connection,
      node: this.#place!.name,
      resumed,
    })
    this.#isUp = true
    this.#unanswered = 0
    if (resumed) this.#granted()
    else this.#subscribe(line)
    this.#sender.connected((packet) => line.send(packet), resumed)
  }

  #granted(): void {
    const line = this.#line!
    this.#requests.connected((packet) => line.send(packet))
    this.#subscribed?.()
  }

  #subscribe(line: Line): void {
    this.#incoming.clear()
    const subscriptions = this.#options.subscriptions.map(({ filter, qos }) => ({ topic: filter, qos }))
    if (subscriptions.length === 0) this.#subscribed?.()
    else line.send({ cmd: 'subscribe', messageId: 0xffff, subscriptions } as never)
  }

  #arrived(packet: IPublishPacket): void {
    const { qos, messageId } = packet
    if (qos === 1) this.#line!.send({ cmd: 'puback', messageId: messageId! })
    if (qos === 2) this.#line!.send({ cmd: 'pubrec', messageId: messageId! })
    if (qos === 2 && this.#incoming.has(messageId!)) return
    if (qos === 2) this.#incoming.add(messageId!)
    const message = { session: this.session, connection: this.#connection, topic: packet.topic, qos }
    const event = eventOf({ ...message, payload: packet.payload.toString() })
    if (event) this.#recorder.add(event)
    else this.#requests.take(JSON.parse(packet.payload.toString()))
  }

  #overhear(packet: Packet, connection: number): void {
    if (packet.cmd !== 'publish') return
    const { topic, payload, qos } = packet
    const { session } = this
    const event = eventOf({ session, connection, topic, payload: payload.toString(), qos })
    if (event?.type === 'delivered')
      this.#recorder.add({ type: 'overheard', session, connection, message: event.message })
  }
}
