/** Plays a program against a broker: connects clients, publishes, and waits after each step until nothing more is owed. */
import type { IConnackPacket, Packet } from 'mqtt-packet'
import { commit } from '../../../broker/store/commit.js'
import type { TestBroker } from '../../helpers/broker.js'
import type { Clock } from '../../helpers/clock.js'
import { connectPacket, goneOf } from '../../helpers/protocol.js'
import { RawClient } from '../../helpers/raw-client.js'
import { Violation } from './arrivals.js'
import { Model } from './model.js'
import { type Do, Prompter, Role } from './role.js'
import type { Message } from './session.js'
import { CAST, type Command, type Connecting, LONG, type Program, ROOMS, SHORT } from './words.js'

export class Stage {
  readonly #broker: TestBroker
  readonly #clock: Clock
  readonly #model = new Model()
  readonly #prompter: Prompter
  readonly #roles: (Role | null)[] = CAST.map(() => null)

  /** `patience`: as in Prompter. */
  constructor(broker: TestBroker, clock: Clock, patience: number) {
    this.#broker = broker
    this.#clock = clock
    this.#prompter = new Prompter(this.#model, patience)
  }

  /** Plays the program. Throws the violation, with the log. */
  async play({ cast, commands }: Program): Promise<void> {
    try {
      await this.#enterRooms()
      for (const [who, { filters, identifier, ...wish }] of cast.entries()) {
        await this.#perform({ do: 'connect', who, ...wish })
        await this.#perform({ do: 'subscribe', who, filters, identifier })
      }
      for (const command of commands) await this.#perform(command)
      await this.#finale()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#prompter.script.join('\n')}`, { cause: error })
    }
  }

  async #perform(command: Command): Promise<void> {
    this.#prompter.script.push(`- ${JSON.stringify(command)}`)
    await this.#act(command)
    await this.#settle()
  }

  #act(command: Command): void | Promise<void> {
    if (command.do === 'connect') return this.#connect(command, command.who)
    if (command.do === 'return') return this.#return(command)
    if (command.do === 'restart') return this.#restart()
    if (command.do === 'expire') return this.#expire(command)
    if (command.do === 'outlive') return this.#outlive(command)
    const here = this.#roles.filter((role) => role !== null)
    if (here.length === 0) return
    const role = here[command.who % here.length]!
    switch (command.do) {
      case 'leave':
        return this.#leave(role, command)
      case 'cut':
        return this.#cut(role)
      case 'lose':
        return this.#lose(role, here[(command.who + 1) % here.length]!, command)
      case 'together':
        return this.#publishTogether(here, command)
      case 'subscribe':
        return role.subscribe(command)
      case 'unsubscribe':
        return role.unsubscribe(command)
      case 'publish':
        return role.publish(command)
      case 'release':
        return role.release()
      case 'repeat':
        return role.repeat()
      case 'acknowledge':
        return role.choose(command)
      default:
        command satisfies never
    }
  }

  /** Waits until nothing is owed; then a PINGREQ each, twice, so that superfluous packets have arrived too. */
  async #settle(): Promise<void> {
    for (const asked of [false, true, true]) {
      for (const role of this.#roles) {
        if (!role) continue
        if (asked) role.ping()
        while (role.owed) await role.hear()
      }
    }
  }

  // --- coming and going -----------------------------------------------------------------------------------------------------

  /** Makes everyone a member of every room before the program begins. */
  async #enterRooms(): Promise<void> {
    for (const user of new Set(CAST.map((member) => member.user))) {
      const client = new RawClient(this.#broker)
      client.send(await connectPacket(this.#broker, { user }))
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: ROOMS.map((topic) => ({ topic, qos: 0 })) })
      await client.next()
      const suback = await client.next()
      if (suback?.cmd !== 'suback') throw new Error('no SUBACK')
      client.send({ cmd: 'disconnect' })
      await client.whenClosed()
    }
  }

  async #return(command: Do<'return'>): Promise<void> {
    const away = [...CAST.keys()].filter((who) => !this.#roles[who])
    if (away.length > 0) await this.#connect(command, away[command.who % away.length]!)
  }

  /** CONNECT; if the slot is connected already, a takeover. */
  async #connect(wish: Connecting, who: number): Promise<void> {
    const will = wish.will?.retain ? { ...wish.will, topic: `w/${who}` } : wish.will
    const connecting = { ...wish, will }
    const { user, id } = CAST[who]!
    const name = `${user}/${id}`
    const payload = `will ${this.#prompter.payload()}`
    const client = new RawClient(this.#broker, wish.version)
    client.send(await this.#connectPacket(connecting, who, payload))
    const older = this.#roles[who]
    if (older) {
      this.#model.drop(name)
      this.#roles[who] = null
      await older.hearOut()
    }
    const present = this.#model.connect(name, user, payload, connecting)
    await this.#requireConnack(client, name, present)
    const session = this.#model.sessions.get(name)!
    if (!present) session.halfway.clear()
    this.#roles[who] = new Role(this.#prompter, who, client, session, wish.acks)
  }

  #connectPacket({ version, clean, expiry, window, will }: Connecting, who: number, payload: string): Promise<Packet> {
    const five = version === 5
    const about = five && will && will.delay > 0 ? { properties: { willDelayInterval: will.delay } } : {}
    const limits = window > 0 ? { receiveMaximum: window } : {}
    return connectPacket(this.#broker, {
      ...CAST[who]!,
      version,
      clean,
      ...(will ? { will: { ...will, payload, ...about } } : {}),
      ...(five ? { properties: { sessionExpiryInterval: expiry, ...limits } } : {}),
    })
  }

  async #requireConnack(client: RawClient, name: string, present: boolean): Promise<void> {
    const connack = (await this.#prompter.next(client, name, 'CONNACK')) as IConnackPacket
    if (connack.cmd !== 'connack' || (connack.returnCode ?? connack.reasonCode) !== 0)
      throw new Violation(`no CONNACK, but ${JSON.stringify(connack)}`)
    if (connack.sessionPresent !== present)
      throw new Violation(`session present ${connack.sessionPresent} [MQTT-3.2.2-2, MQTT-3.2.2-3]`)
  }

  /** Breaks the connection. `inHaste`: with packets in flight. */
  async #cut(role: Role, inHaste = false): Promise<void> {
    await this.#gone(role, () => void role.client.stream.destroy())
    this.#model.drop(role.name, true, inHaste)
  }

  #publishTogether(here: readonly Role[], { who, wishes }: Do<'together'>): void {
    const publishing = wishes.slice(0, here.length)
    const pools = new Map<string, Message['numbers']>()
    for (const { topic } of publishing) pools.set(topic, this.#model.numbers(topic, pools.get(topic)))
    for (const [i, wish] of publishing.entries()) here[(who + i) % here.length]!.publish(wish, pools.get(wish.topic))
  }

  /** One client publishes, and the connection of another breaks before it receives anything of that. */
  async #lose(publisher: Role, other: Role, { taken, ...wish }: Do<'lose'>): Promise<void> {
    if (publisher === other) return
    publisher.publish(wish)
    while (taken && publisher.unanswered) await publisher.hear()
    await this.#cut(other, true)
  }

  async #leave(role: Role, { expiry, withWill }: Do<'leave'>): Promise<void> {
    const { session } = role
    const five = session.version === 5
    const keepsWill = five && withWill
    const changes = five && expiry !== null && session.kept
    const properties = changes ? { properties: { sessionExpiryInterval: expiry } } : {}
    if (changes) session.expiry = expiry
    const packet = { cmd: 'disconnect', ...(five ? { reasonCode: keepsWill ? 4 : 0, ...properties } : {}) } as Packet
    await this.#gone(role, () => role.client.send(packet))
    this.#model.drop(role.name, keepsWill)
  }

  /** Resolves when the broker has finished with the session. */
  async #gone({ who, client, name }: Role, end: () => void): Promise<void> {
    this.#roles[who] = null
    const gone = goneOf(this.#broker, client)
    end()
    await this.#prompter.inTime(Promise.all([gone, client.whenClosed()]), `${name} was never done with`)
  }

  async #restart(): Promise<void> {
    this.#model.shutDown()
    const closing = this.#roles.map((role) => role?.hearOut())
    this.#roles.fill(null)
    await Promise.all([this.#broker.restart(), ...closing])
    this.#model.stopped()
  }

  /** Ages the session in the store. Its will must not be pending, because that has a timer of its own. */
  async #expire({ who }: Do<'expire'>): Promise<void> {
    const name = `${CAST[who]!.user}/${CAST[who]!.id}`
    const session = this.#model.sessions.get(name)
    if (!session || session.connected || session.will) return
    const { store } = this.#broker.running
    const { record } = (await store.sessions.load(name))!
    const old = { ...record, disconnectedAt: Date.now() - record.expiry * 1000 - 1000 }
    await commit(store, { ops: [store.sessions.recordOp(old)] })
    this.#model.end(name)
  }

  /** The end of the session cuts the will's delay short [MQTT5-3.1.3-9]. */
  async #outlive({ who, will, publishing }: Do<'outlive'>): Promise<void> {
    const wish = { version: 5, clean: false, expiry: LONG, window: 0, acks: 'at once', will } as const
    await this.#connect(wish, who)
    await this.#settle()
    const role = this.#roles[who]!
    role.publish(publishing)
    await this.#settle()
    const { name, session } = role
    const sent = this.#sent(session.will!.payload)
    await this.#leave(role, { do: 'leave', who, expiry: SHORT, withWill: true })
    this.#clock.forward(SHORT)
    await this.#prompter.inTime(sent, 'the will was never sent', 1000)
    // Packets that arrived in time without being required.
    for (const other of this.#roles) while (other && other.client.pending.length > 0) await other.hear()
    this.#model.passTime()
    this.#model.end(name)
  }

  /** Resolves when the broker has sent a message with this payload. */
  #sent(payload: string): Promise<void> {
    const { aedes } = this.#broker.running
    return new Promise((resolve) => {
      const look = (packet: { payload: string | Buffer }): void => {
        if (packet.payload.toString() !== payload) return
        aedes.off('publish', look)
        resolve()
      }
      aedes.on('publish', look)
    })
  }

  // --- the end --------------------------------------------------------------------------------------------------------------

  /** All clients reconnect and acknowledge everything; then nothing is left, and nothing arrives after another reconnect. */
  async #finale(): Promise<void> {
    for (const role of this.#roles) role?.catchUp()
    await this.#settle()
    for (const _ of ['what is left', 'nothing more']) {
      for (const [who, { user, id }] of CAST.entries()) {
        const session = this.#model.sessions.get(`${user}/${id}`)
        if (!session?.kept) continue
        const wish = { version: session.version, clean: false, expiry: LONG, window: 0, will: null } as const
        await this.#perform({ do: 'connect', who, ...wish, acks: 'at once' })
        this.#roles[who]!.release()
        await this.#settle()
      }
    }
    for (const { name, flows } of this.#model.sessions.values())
      if (flows.length > 0) throw new Violation(`${name} has ${flows.length} messages under way`)
  }
}
