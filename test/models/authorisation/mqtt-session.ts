/** An MQTT session over a real socket, which acknowledges messages or holds its acks back. */
import net from 'node:net'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import type { TestBroker } from '../../helpers/broker.js'
import { connectPacket } from '../../helpers/protocol.js'
import { RawClient } from '../../helpers/raw-client.js'
import { Listener, Violation } from './listener.js'
import type { Joining, QoS } from './words.js'
import type { Secret } from './world.js'

/** The answer to a publish: reason code, and the seq of an accepted message. */
export interface Answer {
  ok: boolean
  seq: number | null
}

/** Seconds (MQTT 5) that outlast every program. */
const LASTING = 1000

export class MqttSession extends Listener {
  /** Topic and payload of the will. */
  will: string | null = null
  lastWill: Secret | null = null
  #client: RawClient | null = null
  #version: 4 | 5 = 5
  #packetId = 0
  readonly #answers = new Map<string, (packet: Packet) => void>()
  #pongs = 0
  #unacknowledged: IPublishPacket[] = []

  /** Connects; filters are subscribed separately. */
  async connect(
    broker: TestBroker,
    wish: Omit<Joining, 'filters'>,
    will: { payload: string; qos: QoS } | null,
    key: string | null = null,
  ): Promise<void> {
    const { version, clean, held, roles } = wish
    const { anonymous, user, clientId: id } = this.reader
    const stream = net.connect({ port: broker.port, host: '127.0.0.1', noDelay: true })
    const client = new RawClient(broker, version, stream)
    const properties = { sessionExpiryInterval: clean ? 0 : LASTING, ...(held ? { receiveMaximum: 2 } : {}) }
    const opening = { user, id, clean, version, roles, ...(version === 5 ? { properties } : {}) }
    const last = will && wish.will ? { will: { topic: wish.will, ...will } } : {}
    const { username, password: token, ...packet } = await connectPacket(broker, { ...opening, ...last })
    const password = key === null ? token : Buffer.from(key)
    client.send(anonymous ? packet : { ...packet, username: username!, password: password! })
    const connack = await client.next()
    const code = connack?.cmd === 'connack' ? (connack.reasonCode ?? connack.returnCode) : -1
    if (code !== 0) throw new Violation(`${this.name}: CONNACK says ${code}`)
    this.#client = client
    this.#version = version
    this.#unacknowledged = []
    this.reader = { ...this.reader, roles: anonymous ? [] : roles }
    this.will = wish.will
    Object.assign(this, { connected: true, kept: !clean, held })
    void this.#listen(client)
  }

  async #listen(client: RawClient): Promise<void> {
    for (let packet = await client.next(); packet; packet = await client.next()) this.#take(packet, client)
    if (this.#client !== client) return
    this.#client = null
    this.#pongs = 0
    this.#answers.clear()
    this.dropped()
  }

  #take(packet: Packet, client: RawClient): void {
    switch (packet.cmd) {
      case 'publish':
        this.hear(packet.topic, packet.payload.toString())
        if (packet.qos === 0) return
        if (this.held) this.#unacknowledged.push(packet)
        else this.#acknowledge(packet, client)
        return
      case 'pubrel':
        return client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
      case 'pingresp':
        this.#pongs--
        return this.wake()
      default:
        this.#answers.get(`${packet.cmd} ${packet.messageId}`)?.(packet)
    }
  }

  #acknowledge({ qos, messageId }: IPublishPacket, client: RawClient): void {
    client.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: messageId! } as Packet)
  }

  /** Sends all acks that were held back. */
  thaw(): void {
    this.held = false
    for (const packet of this.#unacknowledged.splice(0)) this.#acknowledge(packet, this.#client!)
  }

  /** Resolves when all earlier packets were handled. */
  async pinged(): Promise<void> {
    if (!this.#client) return
    this.#pongs++
    this.#client.send({ cmd: 'pingreq' })
    await this.until(
      () => this.#pongs === 0,
      () => 'never got PINGRESP',
    )
  }

  async subscribe(filters: readonly { filter: string; qos: QoS }[]): Promise<number[]> {
    const subscriptions = filters.map(({ filter, qos }) => ({ topic: filter, qos }))
    const messageId = ++this.#packetId
    const suback = await this.#ask({ cmd: 'subscribe', messageId, subscriptions } as Packet, 'suback')
    return (suback as { granted: number[] }).granted
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#ask({ cmd: 'unsubscribe', messageId: ++this.#packetId, unsubscriptions: [filter] }, 'unsuback')
  }

  /** At QoS 0 there is no ack; a later acknowledged publish shows that it was handled. */
  async publish(topic: string, payload: string, qos: QoS, retain = false): Promise<Answer> {
    const messageId = ++this.#packetId
    const packet: Packet = { cmd: 'publish', topic, payload, qos, retain, dup: false, messageId }
    if (qos === 0) {
      this.#client!.send(packet)
      return this.publish(`devices/${this.reader.user}/flush`, '', 1)
    }
    const ack = await this.#ask(packet, qos === 1 ? 'puback' : 'pubrec')
    const ok = (ack.reasonCode ?? 0) < 0x80
    if (qos === 2 && ok) await this.#ask({ cmd: 'pubrel', messageId }, 'pubcomp')
    const seq = (ack as { properties?: { userProperties?: Record<string, string> } }).properties?.userProperties?.[
      'seq'
    ]
    return { ok, seq: seq === undefined ? null : Number(seq) }
  }

  #ask(packet: Packet & { messageId?: number }, cmd: string): Promise<Packet & { reasonCode?: number }> {
    const key = `${cmd} ${packet.messageId}`
    let answer: Packet | null = null
    this.#answers.set(key, (came) => {
      answer = came
      this.#answers.delete(key)
      this.wake()
    })
    this.#client!.send(packet)
    const lost = () => `never got ${key} of ${JSON.stringify(packet)}${this.connected ? '' : ': the connection closed'}`
    return this.until(() => answer !== null, lost).then(() => answer!)
  }

  /** Closes the socket without DISCONNECT. */
  async cut(): Promise<void> {
    this.#client?.stream.destroy()
    await this.ended()
  }

  async ended(): Promise<void> {
    await this.until(
      () => !this.connected,
      () => 'is still connected',
    )
  }

  /** The broker has deleted the session. */
  forget(): void {
    this.kept = false
    this.dropped()
  }

  get version(): 4 | 5 {
    return this.#version
  }
}
