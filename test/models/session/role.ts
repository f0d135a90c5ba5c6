/** One client of the program while it is connected: what it sends, what it is owed, and how it handles what arrives. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import { inTime } from '../../helpers/patience.js'
import type { RawClient } from '../../helpers/raw-client.js'
import { Violation } from './arrivals.js'
import type { Model } from './model.js'
import type { Delivery, Message, SessionModel } from './session.js'
import type { Command, Connecting, Publishing } from './words.js'

export type Do<What extends Command['do']> = Extract<Command, { do: What }>

/** What the clients of one program share. */
export class Prompter {
  readonly model: Model
  /** Log of all that was sent and received. */
  readonly script: string[] = []
  /** Clock ticks without a packet after which a message counts as lost. A correct broker never lets this happen. */
  readonly #patience: number
  #packetId = 0
  #messages = 0

  constructor(model: Model, patience: number) {
    this.model = model
    this.#patience = patience
  }

  /** Packet ids of requests are never reused, so that answers cannot be confused. */
  packetId(): number {
    return ++this.#packetId
  }

  payload(): string {
    return `${++this.#messages}`
  }

  async next(client: RawClient, name: string, owed: string): Promise<Packet> {
    const packet = await this.inTime(client.next(), `${name} never got: ${owed}`)
    if (!packet) throw new Violation(`the connection of ${name} closed instead of: ${owed}`)
    return packet
  }

  /** `more`: ms to wait in any case. */
  async inTime<T>(event: Promise<T>, violation: string, more = 0): Promise<T> {
    return inTime(event, this.#patience, () => new Violation(violation), more)
  }
}

export class Role {
  readonly who: number
  readonly client: RawClient
  readonly session: SessionModel
  acks: Connecting['acks']
  readonly #prompter: Prompter
  /** Answers the broker owes, as `puback 7`. */
  readonly #answers = new Map<string, (packet: Packet) => void>()
  #pongs = 0

  constructor(prompter: Prompter, who: number, client: RawClient, session: SessionModel, acks: Connecting['acks']) {
    this.#prompter = prompter
    this.who = who
    this.client = client
    this.session = session
    this.acks = acks
  }

  get name(): string {
    return this.session.name
  }

  // --- what it says ---------------------------------------------------------------------------------------------------------

  subscribe({ filters, identifier }: Do<'subscribe'>): void {
    const five = this.session.version === 5
    const subscriptions = filters.map(({ filter, qos, noLocal: nl, asPublished: rap, handling: rh }) =>
      five ? { topic: filter, qos, nl, rap, rh } : { topic: filter, qos },
    )
    const about = five && identifier > 0 ? { properties: { subscriptionIdentifier: identifier } } : {}
    const messageId = this.#prompter.packetId()
    this.client.send({ cmd: 'subscribe', messageId, subscriptions, ...about } as never)
    this.#await('suback', messageId, filters.map(({ qos }) => qos).join())
    this.#prompter.model.subscribe(this.name, filters, identifier)
  }

  unsubscribe({ filters }: Do<'unsubscribe'>): void {
    const messageId = this.#prompter.packetId()
    this.client.send({ cmd: 'unsubscribe', messageId, unsubscriptions: filters })
    const left = new Set(this.session.subscriptions.keys())
    const codes = filters.map((filter) => (left.delete(filter) ? 0 : 17)).join()
    for (const filter of filters) this.#prompter.model.unsubscribe(this.name, filter)
    this.#await('unsuback', messageId, this.session.version === 5 ? codes : '')
  }

  /** `numbers`: possible seqs of a message in a room, if several are sent at once. */
  publish({ topic, qos, retain, count, ...wish }: Publishing, numbers?: Message['numbers']): void {
    const packets: IPublishPacket[] = []
    const empty = wish.empty && retain && !topic.startsWith('rooms/')
    const expiry = this.session.version === 5 ? wish.expiry : 0
    const about = expiry > 0 ? { properties: { messageExpiryInterval: expiry } } : {}
    for (let i = 0; i < count; i++) {
      const payload = empty ? '' : this.#prompter.payload()
      const messageId = this.#prompter.packetId()
      packets.push({ cmd: 'publish', topic, payload, qos, retain, dup: false, messageId, ...about })
      this.#prompter.model.publish(this.name, { topic, payload, qos, retain, expiry }, numbers)
      this.#awaitTaken(packets[i]!, wish.halfway)
    }
    // Acks leave in the order of the publishes, so this one confirms those without an ack.
    if (qos === 0) packets.push(this.#marker())
    this.client.send(...packets)
  }

  #marker(): IPublishPacket {
    const messageId = this.#prompter.packetId()
    this.#await('puback', messageId)
    // A topic that no filter of a program matches.
    const topic = `devices/${this.session.user}/marker`
    return { cmd: 'publish', topic, payload: '', qos: 1, retain: false, dup: false, messageId }
  }

  #awaitTaken({ qos, messageId, topic, payload, retain }: IPublishPacket, halfway: boolean): void {
    if (qos === 1) this.#await('puback', messageId!)
    if (qos < 2) return
    this.session.halfway.set(messageId!, { topic, payload: payload.toString(), retain })
    this.#await('pubrec', messageId!, '', () => {
      if (!halfway) this.#releaseOne(messageId!)
    })
  }

  /** Sends PUBREL for an incomplete QoS 2 publish. */
  release(): void {
    for (const messageId of this.session.halfway.keys()) this.#releaseOne(messageId)
  }

  #releaseOne(messageId: number): void {
    this.client.send({ cmd: 'pubrel', messageId })
    this.#await('pubcomp', messageId)
    this.session.halfway.delete(messageId)
  }

  /** Repeats an incomplete QoS 2 publish. */
  repeat(): void {
    for (const [messageId, told] of this.session.halfway) {
      this.client.send({ cmd: 'publish', ...told, qos: 2, dup: true, messageId })
      this.#await('pubrec', messageId)
    }
  }

  ping(): void {
    this.client.send({ cmd: 'pingreq' })
    this.#pongs++
  }

  // --- acknowledging --------------------------------------------------------------------------------------------------------

  /** Acknowledges one of the messages in flight. */
  choose({ which, how }: Do<'acknowledge'>): void {
    const open = this.session.flows.filter(({ here, state }) => here || state === 'received')
    const flow = open[which % open.length]
    if (!flow) return
    if (how === 'wholly') flow.swift = true
    this.#acknowledge(flow, how === 'refuse')
  }

  /** Acknowledges all messages in flight, and all later ones. */
  catchUp(): void {
    this.acks = 'at once'
    for (const flow of this.session.flows.filter(({ here, released }) => here || released)) this.#acknowledge(flow)
  }

  /** Sends the client's next packet of the flow. */
  #acknowledge(flow: Delivery, refuse = false): void {
    const { packetId: messageId, qos, state } = flow
    const refused = refuse && this.session.version === 5
    if (qos === 2 && state === 'sent' && !refused) {
      this.client.send({ cmd: 'pubrec', messageId })
      flow.state = 'received'
      return
    }
    const cmd = qos === 1 ? 'puback' : state === 'sent' ? 'pubrec' : 'pubcomp'
    this.client.send({ cmd, messageId, ...(cmd === 'pubrec' ? { reasonCode: 0x80 } : {}) } as Packet)
    this.#prompter.model.arrivals.done(this.session, flow)
  }

  // --- what comes -----------------------------------------------------------------------------------------------------------

  /** The next packet that the broker must send; null: none. */
  get owed(): string | null {
    return [...this.#answers.keys()][0] ?? this.session.awaited ?? (this.#pongs > 0 ? 'PINGRESP' : null)
  }

  /** Whether answers to its own packets are outstanding. */
  get unanswered(): boolean {
    return this.#answers.size > 0
  }

  /** Receives one of the packets that are owed. */
  async hear(): Promise<void> {
    this.show(await this.#prompter.next(this.client, this.name, this.owed ?? 'nothing'), true)
  }

  /** The broker closes this connection: what arrives until then counts. */
  async hearOut(): Promise<void> {
    for (;;) {
      const packet = await this.#prompter.inTime(this.client.next(), `the connection of ${this.name} never closed`)
      if (!packet) return
      if (packet.cmd !== 'disconnect') this.show(packet, false)
    }
  }

  /** `open`: the connection can still send. */
  show(packet: Packet, open: boolean): void {
    const { script, model } = this.#prompter
    if (packet.cmd !== 'pingresp') script.push(`  ${this.name} < ${summary(packet)}`)
    switch (packet.cmd) {
      case 'publish': {
        const delivery = model.arrivals.published(this.session, packet)
        if (delivery && open) this.#goOn(delivery)
        // Too late to be acknowledged on this connection: it will be sent again.
        else if (delivery) delivery.here = false
        return
      }
      case 'pubrel': {
        const delivery = model.arrivals.released(this.session, packet.messageId!)
        if (open) this.#goOn(delivery)
        return
      }
      case 'pingresp':
        this.#pongs--
        return
      default:
        this.#answered(packet)
    }
  }

  #goOn(delivery: Delivery): void {
    if (this.acks === 'at once' || delivery.swift) this.#acknowledge(delivery)
  }

  #await(cmd: string, id: number, codes = '', then = (): void => {}): void {
    this.#answers.set(`${cmd} ${id}`, (packet) => {
      const given = (packet as { granted?: number[] }).granted?.join() ?? ''
      if (codes !== given) throw new Violation(`${cmd} says ${given}, not ${codes}`)
      const reason = (packet as { reasonCode?: number }).reasonCode ?? 0
      if (reason !== 0) throw new Violation(`${cmd} with reason ${reason}`)
      then()
    })
  }

  #answered(packet: Packet): void {
    const key = `${packet.cmd} ${packet.messageId}`
    const then = this.#answers.get(key)
    if (!then) throw new Violation(`${key} was not asked for: ${JSON.stringify(packet)}`)
    this.#answers.delete(key)
    then(packet)
  }
}

function summary(packet: Packet): string {
  if (packet.cmd !== 'publish') return `${packet.cmd} ${packet.messageId ?? ''}`
  const { topic, payload, qos, retain, dup, messageId, properties } = packet
  const about = properties ? ` ${JSON.stringify(properties)}` : ''
  return `publish ${topic} ${payload} q${qos}${retain ? ' retain' : ''}${dup ? ' dup' : ''} ${messageId ?? ''}${about}`
}
