/** Connects and disconnects listeners, and subscribes them to filters. */
import { type Company, ROOT } from './company.js'
import { type Listener, Violation } from './listener.js'
import { MqttSession } from './mqtt-session.js'
import { PLAIN_TOPICS } from './plain-rights.js'
import { Stream } from './stream.js'
import type { Do, Joining, QoS } from './words.js'
import type { Secret } from './world.js'

export class Attendance {
  readonly #company: Company

  constructor(company: Company) {
    this.#company = company
  }

  async come(listener: MqttSession | Stream, wish: Joining): Promise<void> {
    if (listener instanceof Stream) return this.#openStream(listener, wish)
    // The will tells the old connection from the new one: a takeover publishes the will of the old one.
    if (listener.connected && listener.will) await this.cut(listener)
    const will = wish.will === null ? null : { payload: `mk${this.#company.secrets.size}x`, qos: 1 as const }
    listener.lastWill = will ? this.#company.secret(listener.reader.user, [], { kind: 'nobody' }) : null
    listener.dropped()
    const wasKept = listener.kept && !wish.clean
    if (!wasKept) for (const known of [listener.filters, listener.lingering, listener.owed]) known.clear()
    await listener.connect(this.#company.broker, wish, will)
    this.#recheckFilters(listener, () => true)
    await listener.subscribe([{ filter: 'tick', qos: 0 }])
    if (wish.filters.length > 0) await this.subscribe(listener, wish.filters)
  }

  async #openStream(stream: Stream, { roles, filters }: Joining): Promise<void> {
    if (stream.connected) await stream.cut()
    const reader = { ...stream.reader, roles }
    const allowed = filters.every(
      ({ filter }) => !filter.startsWith('$share') && this.#company.world.grants(reader, filter, PLAIN_TOPICS),
    )
    const status = await stream.open(this.#company.owner, this.#company.broker, roles, filters)
    if ((status === 200) !== allowed) throw new Violation(`${stream.name}: ${status} for ${JSON.stringify(filters)}`)
    if (allowed)
      this.#oweRetained(
        stream,
        filters.map(({ filter }) => filter),
      )
  }

  /** Drops filters that are no longer allowed when a session is restored or its roles change. */
  #recheckFilters(session: MqttSession, concerned: (filter: string) => boolean): void {
    for (const filter of session.filters.keys())
      if (concerned(filter) && !this.#company.world.grants(session.reader, filter, PLAIN_TOPICS))
        session.filters.delete(filter)
  }

  async subscribe(session: MqttSession, wishes: readonly { filter: string; qos: QoS }[]): Promise<void> {
    const { reader, name } = session
    const expected = wishes.map(({ filter }) => {
      const [, room] = /^(?:\$share\/\w+\/)?rooms\/(\w+)\/(?:messages|text)$/.exec(filter) ?? []
      if (room && !reader.anonymous) this.#company.world.enter(room, reader.user)
      return this.#company.world.grants(reader, filter, PLAIN_TOPICS)
    })
    const codes = await session.subscribe(wishes)
    for (const [i, { filter, qos }] of wishes.entries()) {
      if (codes[i]! < 0x80 !== expected[i]) throw new Violation(`${name}: SUBACK of ${filter} says ${codes[i]}`)
      if (!expected[i]) continue
      // Messages in flight at another QoS may or may not arrive.
      if (session.filters.has(filter)) session.owed.clear()
      session.filters.set(filter, qos)
    }
    this.#oweRetained(
      session,
      wishes.flatMap(({ filter }, i) => (expected[i] ? [filter] : [])),
    )
  }

  #oweRetained(listener: Listener, filters: readonly string[]): void {
    for (const { secret, qos } of this.#company.retained.values()) {
      const [topic] = secret.topics as [string]
      if (filters.some((filter) => listener.covers(filter, topic))) listener.owe(this.#company.world, secret, qos)
    }
  }

  async unsubscribe(session: MqttSession, { nth }: Do<'unsubscribe'>): Promise<void> {
    const filters = [...session.filters.keys()]
    const filter = filters[nth % filters.length]
    if (filter === undefined) return
    await session.unsubscribe(filter)
    session.filters.delete(filter)
    session.lingering.add(filter)
  }

  /** Renews a live login with another token. */
  async renew(session: MqttSession, { roles }: Do<'renew'>): Promise<void> {
    const { user, anonymous } = session.reader
    if (anonymous) return
    const token = await this.#company.broker.token(user, roles)
    await session.publish(`users/${user}/requests/auth.refresh`, JSON.stringify({ id: 'r', token }), 1)
    session.reader = { ...session.reader, roles }
    this.#recheckFilters(session, (filter) => !/^(\$share\/\w+\/)?(rooms|users|broadcast)\//.test(filter))
  }

  async cut(listener: MqttSession | Stream): Promise<void> {
    const will = listener instanceof MqttSession ? listener.will : null
    await listener.cut()
    listener.dropped()
    if (will) await this.#sendWill(listener as MqttSession, will)
  }

  /** Publishes the will: with the rights of its owner, and without joining a room. */
  async #sendWill({ reader, lastWill }: MqttSession, topic: string): Promise<void> {
    const secret = lastWill!
    const [, room] = /^rooms\/(\w+)\//.exec(topic) ?? []
    const allowed = room
      ? !reader.anonymous && this.#company.world.mayWrite(room, reader.user)
      : this.#company.world.maySay(reader, topic)
    if (!allowed) return
    secret.at = this.#company.world.step
    Object.assign(secret, room ? this.#roomTopics(room) : { topics: [topic], of: { kind: 'plain' } })
    for (const listener of this.#company.listeners) listener.owe(this.#company.world, secret, room ? 'log' : 1)
    const root = this.#company.voice(ROOT)
    await root.until(
      () => root.heard.some(({ text }) => text.includes(secret.marker)),
      () => `no will ${secret.marker}`,
    )
  }

  #roomTopics(room: string): Pick<Secret, 'topics' | 'of'> {
    return { topics: [`rooms/${room}/messages`, `rooms/${room}/text`], of: { kind: 'room', room } }
  }

  /** Ends the session and deletes its state; its will is published. */
  async end(listener: MqttSession | Stream): Promise<void> {
    const { reader, connected, kept } = listener
    if (listener instanceof Stream || reader.anonymous) return
    const { ok } = await this.#company.ask(reader.user, 'sessions.end', { session: reader.clientId })
    if (ok !== (connected || kept)) throw new Violation(`${listener.name}: sessions.end: ${ok}`)
    await listener.ended()
    listener.forget()
  }

  async restart(): Promise<void> {
    for (const listener of this.#company.listeners) if (listener.connected) await this.cut(listener)
    await this.#company.broker.restart()
    for (const [user, voice] of this.#company.voices) {
      await voice.ended()
      if (!this.#company.world.gone.has(user)) await this.#company.enterVoice(voice)
    }
  }
}
