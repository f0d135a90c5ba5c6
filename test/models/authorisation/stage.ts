/**
 * Plays a program against a broker. After each step every received message is checked against the model: it must have been allowed before
 * the step or after it; and every required message must have arrived.
 */
import type { Test } from 'tap'
import type { TestBroker } from '../../helpers/broker.js'
import { Attendance } from './attendance.js'
import { Company, ROOT } from './company.js'
import { type Listener, markersIn, Violation } from './listener.js'
import { MqttSession } from './mqtt-session.js'
import { Prober } from './prober.js'
import { Rights } from './rights.js'
import { Speaking } from './speaking.js'
import type { Told } from './told.js'
import { type Command, type Joining, type Program, USERS } from './words.js'
import type { World } from './world.js'

export class Stage {
  /** Log of all steps. */
  readonly script: string[] = []
  readonly #company: Company
  readonly #speaking: Speaking
  readonly #rights: Rights
  readonly #attendance: Attendance
  readonly #prober: Prober
  readonly #told: Told
  /** Filters of each listener before the step. */
  readonly #asked = new Map<Listener, string[]>()
  #ticks = 0

  constructor(owner: Test, broker: TestBroker, told: Told) {
    this.#told = told
    const company = new Company(owner, broker)
    this.#company = company
    this.#speaking = new Speaking(company)
    this.#rights = new Rights(company)
    this.#attendance = new Attendance(company)
    this.#prober = new Prober(company)
  }

  /** Plays the program. Throws the violation, with the log. */
  async play({ roles, cast, commands }: Program): Promise<void> {
    try {
      await this.#company.enterVoices()
      await this.#company.makeRooms(roles)
      for (const [slot, wish] of cast.entries()) await this.#perform({ do: 'come', slot, ...wish })
      for (const command of commands) await this.#perform(command)
      await this.#finale()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.script.join('\n')}`, { cause: error })
    }
  }

  async #perform(command: Command): Promise<void> {
    this.#company.world.step++
    const before = this.#company.world.clone()
    this.script.push(`${this.#company.world.step} ${JSON.stringify(command)}`)
    await this.#act(command)
    await this.#settle()
    this.#judge(before)
  }

  #act(command: Command): void | Promise<void> {
    if ('user' in command && this.#company.world.gone.has(command.user)) return
    if ('slot' in command) return this.#actOfListener(command)
    switch (command.do) {
      case 'say':
        return this.#speaking.say(command)
      case 'erase':
        return this.#speaking.erase(command)
      case 'tell':
        return this.#speaking.tell(command)
      case 'signal':
      case 'notify':
        return this.#speaking.address(command)
      case 'typing':
        return this.#speaking.typing(command)
      case 'read':
        return this.#speaking.read(command)
      case 'status':
        return this.#speaking.status(command)
      case 'announce':
        return this.#speaking.announce(command)
      case 'plain':
        return this.#speaking.plain(command)
      case 'slash':
        return this.#speaking.slash(command)
      case 'report':
        return this.#speaking.report(command)
      case 'forward':
        return this.#speaking.forward(command)
      case 'gauge':
        return this.#speaking.gauge(command)
      case 'order':
        return this.#speaking.order(command)
      case 'privacy':
        return this.#rights.privacy(command)
      case 'device':
        return this.#rights.device(command)
      case 'forge':
        return this.#speaking.forge(command)
      case 'act':
        return this.#rights.actInRoom(command.user, command)
      case 'race':
        return this.#rights.race(command)
      case 'social':
        return this.#rights.social(command)
      case 'probe':
        return this.#prober.probe(command.user)
      case 'logout':
        return this.#rights.logout(command)
      case 'restart':
        return this.#attendance.restart()
      default:
        command satisfies never
    }
  }

  #actOfListener(command: Extract<Command, { slot: number }>): void | Promise<void> {
    const listener = this.#company.listeners[command.slot]!
    if (this.#company.world.gone.has(listener.reader.user)) return
    if (command.do === 'come') return this.#attendance.come(listener, command)
    if (command.do === 'end') return this.#attendance.end(listener)
    if (!listener.connected) return
    if (command.do === 'cut') return this.#attendance.cut(listener)
    if (!(listener instanceof MqttSession)) return
    switch (command.do) {
      case 'thaw':
        return listener.thaw()
      case 'subscribe':
        return this.#attendance.subscribe(listener, [command])
      case 'unsubscribe':
        return this.#attendance.unsubscribe(listener, command)
      case 'renew':
        return this.#attendance.renew(listener, command)
      default:
        command satisfies never
    }
  }

  // --- the end of a step ----------------------------------------------------------------------------------------------------

  /**
   * Waits until all required messages have arrived; then a tick to all and a PINGREQ each, twice, so that superfluous messages have arrived
   * too.
   */
  async #settle(): Promise<void> {
    for (const listener of this.#company.listeners) listener.prune(this.#company.world)
    await Promise.all(this.#company.listeners.map((listener) => listener.satisfied()))
    const tick = `tick ${++this.#ticks}`
    await this.#company.voices.get(ROOT)!.publish('tick', tick, 1)
    const present = this.#company.listeners.filter(({ connected }) => connected)
    const ticked = (one: Listener): Promise<void> =>
      one.until(
        () => one.ticked === tick || one.held || !one.connected,
        () => `never got ${tick}`,
      )
    await Promise.all(present.map(ticked))
    const sessions = [...present, ...this.#company.voices.values()].filter((one) => one instanceof MqttSession)
    for (let i = 0; i < 2; i++) await Promise.all(sessions.map((session) => session.pinged()))
  }

  #judge(before: World): void {
    const { listeners, voices } = this.#company
    for (const listener of [...listeners, ...voices.values()]) {
      const asked = this.#asked.get(listener) ?? []
      for (const { topic, text } of listener.heard.splice(0)) {
        if (!listener.asksFor(topic, asked)) throw new Violation(`${listener.name} did not ask for ${topic}: ${text}`)
        this.#judgeOne(listener, topic, text, before)
      }
      this.#asked.set(listener, [...listener.filters.keys()])
    }
  }

  #judgeOne({ name, reader }: Listener, topic: string, text: string, before: World): void {
    if (topic.endsWith('/presence') && isBlank(text)) return
    const worlds = [before, this.#company.world]
    if (!worlds.some((world) => world.mayHear(reader, topic)))
      throw new Violation(`${name} must hear nothing on ${topic}, and got ${text}`)
    const told = topic.startsWith('rooms/') && topic.endsWith('/messages') ? JSON.parse(text) : {}
    const origin = told.forwarded?.room
    if (origin !== undefined && origin !== told.room && !this.#company.world.toldOf.has(`${told.room} ${origin}`))
      throw new Violation(`${name} must not know where it is from: ${text}`)
    if (topic.endsWith('/receipts')) {
      const { user } = JSON.parse(text)
      const room = topic.split('/')[1]!
      if (!worlds.some((world) => world.tellsReading(room, user, reader.user)))
        throw new Violation(`${name} must not know what ${user} has read, and got ${text}`)
    }
    for (const marker of markersIn(text)) {
      const secret = this.#company.secrets.get(marker)!
      const reply = topic === `users/${reader.user}/replies`
      const known = (world: World): boolean =>
        reply ? world.mayRead(reader.user, secret) : world.mayBeTold(reader, topic, secret)
      if (!worlds.some(known))
        throw new Violation(`${name} must not know ${JSON.stringify(secret)}, and got on ${topic}: ${text}`)
    }
  }

  /** All sessions reconnect and send their acks, then every user reads all they can. */
  async #finale(): Promise<void> {
    for (const [slot, listener] of this.#company.listeners.entries()) {
      if (listener instanceof MqttSession && listener.connected) await this.#perform({ do: 'thaw', slot })
      else if (listener instanceof MqttSession && listener.kept) {
        const { version, reader } = listener
        const wish: Joining = { version, clean: false, held: false, roles: reader.roles, filters: [], will: null }
        await this.#perform({ do: 'come', slot, ...wish })
      }
    }
    for (const user of USERS) await this.#perform({ do: 'probe', user })
    await this.#told.check(this.#company)
  }
}

/** Whether a presence is that of an unknown user, as users see it who may not see the presence any more. */
function isBlank(text: string): boolean {
  const { state, status, lastSeen, devices } = JSON.parse(text)
  return state === 'offline' && status === null && lastSeen === null && devices === 0
}
