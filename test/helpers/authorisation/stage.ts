/**
 * Plays a program against a broker. After each step everything that reached anyone is held against the model: it must have been allowed
 * before the step or after it, and what the model owes must have come.
 */
import type { Test } from 'tap'
import type { TestBroker } from '../broker.js'
import { fetchFrom, requestOf } from '../http.js'
import { type Listener, markersIn, Violation } from './listener.js'
import { MqttSession } from './mqtt-session.js'
import { PLAIN_TOPICS } from './plain-rights.js'
import { Prober } from './prober.js'
import { Stream } from './stream.js'
import {
  ACCESS,
  CAST,
  CHANNEL,
  type Command,
  type Joining,
  type Program,
  type QoS,
  ROOMS,
  type RoomAct,
  USERS,
} from './words.js'
import { type Secret, World } from './world.js'

// biome-ignore lint/suspicious/noExplicitAny: an answer is any JSON
type Json = any

export type Do<What extends Command['do']> = Extract<Command, { do: What }>

const ROOT = 'root'
/** Roles of the sessions people speak through. */
const VOICES: Record<string, string[]> = {
  ann: ['red'],
  bob: ['blue'],
  cat: [],
  dan: ['red'],
  root: ['admin', 'publisher', 'notifier'],
}

export class Stage {
  readonly world = new World()
  readonly secrets = new Map<string, Secret>()
  readonly broker: TestBroker
  /** All that was done. */
  readonly script: string[] = []
  readonly #owner: Test
  readonly #listeners: (MqttSession | Stream)[]
  readonly #voices = new Map<string, MqttSession>()
  readonly #retained = new Map<string, { secret: Secret; qos: QoS }>()
  /** Numbers of messages, by marker. */
  readonly #seqs = new Map<string, number>()
  readonly #prober: Prober
  #ticks = 0

  constructor(owner: Test, broker: TestBroker) {
    this.#owner = owner
    this.broker = broker
    this.#prober = new Prober(this.world, this.secrets, (user, name, params) => this.ask(user, name, params))
    this.#listeners = CAST.map(({ user, id }) => {
      const anonymous = user === 'anonymous'
      const clientId = id === 'stream' ? '' : id
      const reader = { user, anonymous, clientId, roles: [] }
      return new (id === 'stream' ? Stream : MqttSession)(`${user}/${id}`, reader)
    })
  }

  /** Throws what went wrong, with all that was done. */
  async play({ roles, cast, commands }: Program): Promise<void> {
    try {
      await this.#enterVoices()
      await this.#makeRooms(roles)
      for (const [slot, wish] of cast.entries()) await this.#perform({ do: 'come', slot, ...wish })
      for (const command of commands) await this.#perform(command)
      await this.#finale()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.script.join('\n')}`, { cause: error })
    }
  }

  async #perform(command: Command): Promise<void> {
    this.world.step++
    const before = this.world.clone()
    this.script.push(`${this.world.step} ${JSON.stringify(command)}`)
    await this.#act(command)
    await this.#settle()
    this.#judge(before)
  }

  #act(command: Command): void | Promise<void> {
    if ('user' in command && this.world.gone.has(command.user)) return
    if ('slot' in command) return this.#actOfListener(command)
    switch (command.do) {
      case 'say':
        return this.#say(command)
      case 'erase':
        return this.#erase(command)
      case 'tell':
        return this.#tell(command)
      case 'signal':
      case 'notify':
        return this.#address(command)
      case 'typing':
        return this.#typing(command)
      case 'read':
        return this.#read(command)
      case 'status':
        return this.#status(command)
      case 'announce':
        return this.#announce(command)
      case 'plain':
        return this.#plain(command)
      case 'forge':
        return this.#forge(command)
      case 'act':
        return this.#actInRoom(command.user, command)
      case 'race':
        return this.#race(command)
      case 'social':
        return this.#social(command)
      case 'probe':
        return this.#prober.probe(command.user)
      case 'logout':
        return this.#logout(command)
      case 'restart':
        return this.#restart()
    }
  }

  #actOfListener(command: Extract<Command, { slot: number }>): void | Promise<void> {
    const listener = this.#listeners[command.slot]!
    if (this.world.gone.has(listener.reader.user)) return
    if (command.do === 'come') return this.#come(listener, command)
    if (command.do === 'end') return this.#end(listener)
    if (!listener.connected) return
    if (command.do === 'cut') return this.#cut(listener)
    if (!(listener instanceof MqttSession)) return
    switch (command.do) {
      case 'thaw':
        return listener.thaw()
      case 'subscribe':
        return this.#subscribe(listener, [command])
      case 'unsubscribe':
        return this.#unsubscribe(listener, command)
      case 'renew':
        return this.#renew(listener, command)
    }
  }

  // --- the end of a step ----------------------------------------------------------------------------------------------------

  /** Until everyone has what they are owed; then a tick to all and a PINGREQ each, twice, so that what is too much has come too. */
  async #settle(): Promise<void> {
    for (const listener of this.#listeners) listener.prune(this.world)
    await Promise.all(this.#listeners.map((listener) => listener.satisfied()))
    const tick = `tick ${++this.#ticks}`
    await this.#voices.get(ROOT)!.publish('tick', tick, 1)
    const present = this.#listeners.filter(({ connected }) => connected)
    const ticked = (one: Listener): Promise<void> =>
      one.until(
        () => one.ticked === tick || one.held || !one.connected,
        () => `never got ${tick}`,
      )
    await Promise.all(present.map(ticked))
    const sessions = [...present, ...this.#voices.values()].filter((one) => one instanceof MqttSession)
    for (let i = 0; i < 2; i++) await Promise.all(sessions.map((session) => session.pinged()))
  }

  #judge(before: World): void {
    for (const listener of [...this.#listeners, ...this.#voices.values()]) {
      for (const { topic, text } of listener.heard.splice(0)) this.#judgeOne(listener, topic, text, before)
    }
  }

  #judgeOne({ name, reader }: Listener, topic: string, text: string, before: World): void {
    const worlds = [before, this.world]
    if (!worlds.some((world) => world.mayHear(reader, topic)))
      throw new Violation(`${name} must hear nothing on ${topic}, and got ${text}`)
    for (const marker of markersIn(text)) {
      const secret = this.secrets.get(marker)!
      const reply = topic === `users/${reader.user}/replies`
      const known = (world: World): boolean =>
        reply ? world.mayRead(reader.user, secret) : world.mayBeTold(reader, topic, secret)
      if (!worlds.some(known))
        throw new Violation(`${name} must not know ${JSON.stringify(secret)}, and got on ${topic}: ${text}`)
    }
  }

  /** Everyone comes back and acknowledges what was held, then reads all they can. */
  async #finale(): Promise<void> {
    for (const [slot, listener] of this.#listeners.entries()) {
      if (listener instanceof MqttSession && listener.connected) await this.#perform({ do: 'thaw', slot })
      else if (listener instanceof MqttSession && listener.kept) {
        const { version, reader } = listener
        const wish: Joining = { version, clean: false, held: false, roles: reader.roles, filters: [], will: null }
        await this.#perform({ do: 'come', slot, ...wish })
      }
    }
    for (const user of USERS) await this.#perform({ do: 'probe', user })
  }

  // --- what is said ---------------------------------------------------------------------------------------------------------

  #secret(from: string, topics: string[], of: Secret['of']): Secret {
    const secret = { marker: `mk${this.secrets.size}x`, from, topics, of, at: this.world.step }
    this.secrets.set(secret.marker, secret)
    return secret
  }

  /** It was said, or refused: then nobody may know of it. */
  #said(secret: Secret, allowed: boolean, ok: boolean, kind: 'moment' | 'log' | QoS): void {
    if (ok !== allowed)
      throw new Violation(`${secret.from} was ${ok ? '' : 'not '}allowed to say ${JSON.stringify(secret)}`)
    if (!allowed) secret.of = { kind: 'nobody' }
    else for (const listener of this.#listeners) listener.owe(this.world, secret, kind)
  }

  #roomSecret(from: string, room: string): Secret {
    return this.#secret(from, [`rooms/${room}/messages`, `rooms/${room}/text`], { kind: 'room', room })
  }

  async #say({ user, room, how }: Do<'say'>): Promise<void> {
    this.world.enter(room, user)
    const allowed = this.world.mayWrite(room, user)
    const secret = this.#roomSecret(user, room)
    const { marker } = secret
    if (how === 'http') {
      const { ok, body } = await this.ask(user, 'send', { room, text: marker })
      if (ok) this.#seqs.set(marker, body.seq)
      return this.#said(secret, allowed, ok, 'log')
    }
    const topic = `rooms/${room}/${how === 'text' ? 'text' : 'messages'}`
    const { ok, seq } = await this.#voice(user).publish(topic, marker, how === 'text' ? 1 : how)
    if (seq !== null && how !== 0) this.#seqs.set(marker, seq)
    this.#said(secret, allowed, how === 0 ? allowed : ok, 'log')
  }

  async #erase({ user, room, nth }: Do<'erase'>): Promise<void> {
    const { world } = this
    const there = [...this.secrets.values()].filter(
      ({ marker, of }) =>
        of.kind === 'room' && of.room === room && !of.details && !world.erased.has(marker) && this.#seqs.has(marker),
    )
    const secret = there[nth % there.length]
    if (!secret || !world.member(room, user)) return
    const allowed = world.mayWrite(room, user) && (secret.from === user || world.mayModerate(room, user))
    const { ok } = await this.ask(user, 'send', { room, type: 'delete', target: this.#seqs.get(secret.marker) })
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed to delete ${secret.marker}`)
    if (ok) world.erased.add(secret.marker)
  }

  async #tell({ user, peer, how }: Do<'tell'>): Promise<void> {
    const allowed = this.world.mayTell(user, peer)
    const secret = this.#secret(user, ['users/{reader}/messages'], { kind: 'pair', users: [user, peer] })
    if (allowed) this.world.pairs.add(`dm:${[user, peer].sort().join(':')}`)
    if (how === 'http') {
      const { ok } = await this.ask(user, 'send', { room: `@${peer}`, text: secret.marker })
      return this.#said(secret, allowed, ok, 'log')
    }
    const { ok } = await this.#voice(user).publish(`users/${peer}/messages`, secret.marker, how)
    this.#said(secret, allowed, how === 0 ? allowed : ok, 'log')
  }

  async #address({ do: what, user, peer }: Do<'signal' | 'notify'>): Promise<void> {
    const notify = what === 'notify'
    const topic = `users/${peer}/${notify ? 'notifications' : 'signals'}`
    const allowed = notify ? user === ROOT : user === peer || this.world.mayTell(user, peer)
    const secret = this.#secret(user, [topic], { kind: 'pair', users: [peer] })
    const payload = notify ? JSON.stringify({ title: secret.marker, body: 'x' }) : secret.marker
    const { ok } = await this.#voice(user).publish(topic, payload, 1)
    this.#said(secret, allowed, ok, notify ? 'log' : 'moment')
  }

  async #typing({ user, room }: Do<'typing'>): Promise<void> {
    const { ok } = await this.#voice(user).publish(`rooms/${room}/typing`, '{"typing":true}', 1)
    if (ok !== this.world.mayWrite(room, user)) throw new Violation(`${user} types in ${room}: ${ok}`)
  }

  async #read({ user, room }: Do<'read'>): Promise<void> {
    const { body } = await this.ask(ROOT, 'history', { room, limit: 1 })
    const [newest] = body.messages
    if (!newest) return
    const { ok } = await this.#voice(user).publish(`rooms/${room}/receipts`, JSON.stringify({ read: newest.seq }), 1)
    if (ok !== (this.world.member(room, user) !== undefined)) throw new Violation(`${user} has read ${room}: ${ok}`)
  }

  async #status({ user }: Do<'status'>): Promise<void> {
    const topic = `users/${user}/presence`
    const secret = this.#secret(user, [topic], { kind: 'status' })
    const { ok } = await this.#voice(user).publish(topic, JSON.stringify({ status: secret.marker }), 1)
    this.#said(secret, true, ok, 'moment')
  }

  async #announce({ user, retain }: Do<'announce'>): Promise<void> {
    const secret = this.#secret(user, [CHANNEL], { kind: 'everyone' })
    const { ok } = await this.#voice(user).publish(CHANNEL, secret.marker, 1, retain)
    this.#said(secret, user === ROOT, ok, 'log')
    if (ok && retain) this.#retained.set(CHANNEL, { secret, qos: 1 })
  }

  async #plain({ user, topic, qos, retain }: Do<'plain'>): Promise<void> {
    const voice = this.#voice(user)
    const allowed = this.world.maySay(voice.reader, topic)
    const secret = this.#secret(user, [topic], { kind: 'plain' })
    const { ok } = await voice.publish(topic, secret.marker, qos, retain)
    this.#said(secret, allowed, qos === 0 ? allowed : ok, qos)
    if (allowed && retain) this.#retained.set(topic, { secret, qos })
  }

  async #forge({ user, topic }: Do<'forge'>): Promise<void> {
    const secret = this.#secret(user, [topic], { kind: 'nobody' })
    const { ok } = await this.#voice(user).publish(topic, JSON.stringify({ text: secret.marker }), 1, true)
    if (ok) throw new Violation(`${user} was allowed to publish on ${topic}`)
  }

  // --- rights change --------------------------------------------------------------------------------------------------------

  async #actInRoom(user: string, what: RoomAct): Promise<void> {
    const { act, room, peer, role, access } = what
    const about: Record<RoomAct['act'], [string, object]> = {
      join: ['rooms.join', {}],
      leave: ['rooms.leave', {}],
      invite: ['rooms.invite', { user: peer }],
      remove: ['rooms.remove', { user: peer }],
      ban: ['rooms.ban', { user: peer }],
      unban: ['rooms.unban', { user: peer }],
      mute: ['rooms.mute', { user: peer }],
      unmute: ['rooms.unmute', { user: peer }],
      setRole: ['rooms.setRole', { user: peer, role }],
      update: ['rooms.update', { access }],
      request: ['rooms.request', {}],
      approve: ['rooms.approve', { user: peer }],
    }
    const [name, more] = about[act]
    const hidden = this.#hides(user, room)
    const secret =
      act === 'update' ? this.#secret(user, [`rooms/${room}/info`], { kind: 'room', room, details: true }) : null
    const { ok, body } = await this.ask(user, name, { room, ...more, ...(secret && { topic: secret.marker }) })
    const allowed = this.world.act(user, what)
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed: ${JSON.stringify(body)}`)
    if (secret && !ok) secret.of = { kind: 'nobody' }
    if (hidden && !ok && body.code !== 'not_found')
      throw new Violation(`${name}: ${user} heard of ${room}: ${body.code}`)
    this.#loseFilters(act, user, what)
  }

  #hides(user: string, room: string): boolean {
    const { access, members, invited } = this.world.rooms.get(room)!
    return access === 'private' && !members.has(user) && !invited.has(user)
  }

  /** Losing membership ends the filters that name the room. */
  #loseFilters(act: RoomAct['act'], user: string, { peer, room }: Pick<RoomAct, 'peer' | 'room'>): void {
    const who = act === 'leave' ? user : peer
    if (!['leave', 'remove', 'ban'].includes(act) || this.world.member(room, who)) return
    for (const { reader, filters } of this.#listeners) {
      if (reader.user !== who) continue
      for (const filter of filters.keys()) if (filter.includes(`rooms/${room}/`)) filters.delete(filter)
    }
  }

  async #race({ user, peer, speaker, room, ban }: Do<'race'>): Promise<void> {
    const act = {
      act: ban ? ('ban' as const) : ('remove' as const),
      room,
      peer,
      role: 'member' as const,
      access: 'public' as const,
    }
    const speaks = speaker !== peer && !this.world.gone.has(speaker) && this.world.mayWrite(room, speaker)
    const secrets = speaks ? Array.from({ length: 6 }, () => this.#roomSecret(speaker, room)) : []
    const said = secrets.map(({ marker }) => this.#voice(speaker).publish(`rooms/${room}/messages`, marker, 1))
    await this.#actInRoom(user, act)
    for (const [i, answer] of (await Promise.all(said)).entries()) this.#said(secrets[i]!, true, answer.ok, 'log')
  }

  async #social({ user, peer, how }: Do<'social'>): Promise<void> {
    const { blocks, wants } = this.world
    const [mine, theirs] = [`${user}>${peer}`, `${peer}>${user}`]
    const names = {
      block: 'blocks.add',
      unblock: 'blocks.remove',
      ask: 'contacts.request',
      accept: 'contacts.accept',
      part: 'contacts.remove',
    }
    const { ok } = await this.ask(user, names[how], { user: peer })
    const other = user !== peer
    const may = {
      block: other,
      unblock: true,
      ask: other && !blocks.has(theirs),
      accept: wants.has(theirs),
      part: true,
    }
    if (ok !== may[how]) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed: ${how} ${peer}`)
    if (!ok) return
    if (how === 'ask' || how === 'accept') wants.add(mine)
    if (how === 'part' || how === 'block') for (const one of [mine, theirs]) wants.delete(one)
    if (how === 'block') blocks.add(mine)
    if (how === 'unblock') blocks.delete(mine)
  }

  /** For good: tokens of before are void, sessions and streams end with all they hold. */
  async #logout({ user }: Do<'logout'>): Promise<void> {
    const token = await this.broker.token(user)
    const { ok } = await this.ask(user, 'auth.logoutEverywhere', {})
    if (!ok) throw new Violation(`${user} could not log out`)
    this.world.gone.add(user)
    await this.#voice(user).ended()
    for (const listener of this.#listeners) {
      if (listener.reader.user !== user) continue
      await listener.until(
        () => !listener.connected,
        () => 'was logged out, and is connected',
      )
      listener.kept = false
      listener.dropped()
    }
    const { status } = await fetchFrom(this.broker, '/v1/rooms', { headers: { authorization: `Bearer ${token}` } })
    if (status !== 401) throw new Violation(`after a logout a token of ${user} is good for ${status}`)
  }

  // --- listeners come and go ------------------------------------------------------------------------------------------------

  async #come(listener: MqttSession | Stream, wish: Joining): Promise<void> {
    if (listener instanceof Stream) return this.#openStream(listener, wish)
    // A takeover sends the will of the connection before: with one, the two are told apart.
    if (listener.connected && listener.will) await this.#cut(listener)
    const will = wish.will === null ? null : { payload: `mk${this.secrets.size}x`, qos: 1 as const }
    listener.lastWill = will ? this.#secret(listener.reader.user, [], { kind: 'nobody' }) : null
    listener.dropped()
    const wasKept = listener.kept && !wish.clean
    if (!wasKept) listener.filters.clear()
    if (!wasKept) listener.owed.clear()
    await listener.connect(this.broker, wish, will)
    this.#recheckFilters(listener, () => true)
    await listener.subscribe([{ filter: 'tick', qos: 0 }])
    if (wish.filters.length > 0) await this.#subscribe(listener, wish.filters)
  }

  async #openStream(stream: Stream, { roles, filters }: Joining): Promise<void> {
    if (stream.connected) await stream.cut()
    const reader = { ...stream.reader, roles }
    const allowed = filters.every(
      ({ filter }) => !filter.startsWith('$share') && this.world.grants(reader, filter, PLAIN_TOPICS),
    )
    const status = await stream.open(this.#owner, this.broker, roles, filters)
    if ((status === 200) !== allowed) throw new Violation(`${stream.name}: ${status} for ${JSON.stringify(filters)}`)
    if (allowed)
      this.#oweRetained(
        stream,
        filters.map(({ filter }) => filter),
      )
  }

  /** Filters that stand no more when a session comes back, or when its roles change. */
  #recheckFilters(session: MqttSession, concerned: (filter: string) => boolean): void {
    for (const filter of session.filters.keys())
      if (concerned(filter) && !this.world.grants(session.reader, filter, PLAIN_TOPICS)) session.filters.delete(filter)
  }

  async #subscribe(session: MqttSession, wishes: readonly { filter: string; qos: QoS }[]): Promise<void> {
    const { reader, name } = session
    const expected = wishes.map(({ filter }) => {
      const [, room] = /^(?:\$share\/\w+\/)?rooms\/(\w+)\/(?:messages|text)$/.exec(filter) ?? []
      if (room && !reader.anonymous) this.world.enter(room, reader.user)
      return this.world.grants(reader, filter, PLAIN_TOPICS)
    })
    const codes = await session.subscribe(wishes)
    for (const [i, { filter, qos }] of wishes.entries()) {
      if (codes[i]! < 0x80 !== expected[i]) throw new Violation(`${name}: SUBACK of ${filter} says ${codes[i]}`)
      if (!expected[i]) continue
      // What was on its way at another QoS may or may not come.
      if (session.filters.has(filter)) session.owed.clear()
      session.filters.set(filter, qos)
    }
    this.#oweRetained(
      session,
      wishes.flatMap(({ filter }, i) => (expected[i] ? [filter] : [])),
    )
  }

  #oweRetained(listener: Listener, filters: readonly string[]): void {
    for (const { secret, qos } of this.#retained.values()) {
      const [topic] = secret.topics as [string]
      if (filters.some((filter) => listener.covers(filter, topic))) listener.owe(this.world, secret, qos)
    }
  }

  async #unsubscribe(session: MqttSession, { nth }: Do<'unsubscribe'>): Promise<void> {
    const filters = [...session.filters.keys()]
    const filter = filters[nth % filters.length]
    if (filter === undefined) return
    await session.unsubscribe(filter)
    session.filters.delete(filter)
  }

  /** Another token for a live login. */
  async #renew(session: MqttSession, { roles }: Do<'renew'>): Promise<void> {
    const { user, anonymous } = session.reader
    if (anonymous) return
    const token = await this.broker.token(user, roles)
    await session.publish(`users/${user}/requests/auth.refresh`, JSON.stringify({ id: 'r', token }), 1)
    session.reader = { ...session.reader, roles }
    this.#recheckFilters(session, (filter) => !/^(\$share\/\w+\/)?(rooms|users|broadcast)\//.test(filter))
  }

  async #cut(listener: MqttSession | Stream): Promise<void> {
    const will = listener instanceof MqttSession ? listener.will : null
    await listener.cut()
    listener.dropped()
    if (will) await this.#sendWill(listener as MqttSession, will)
  }

  /** A will has the rights of its owner, and joins no room. */
  async #sendWill({ reader, lastWill }: MqttSession, topic: string): Promise<void> {
    const secret = lastWill!
    const [, room] = /^rooms\/(\w+)\//.exec(topic) ?? []
    const allowed = room
      ? !reader.anonymous && this.world.mayWrite(room, reader.user)
      : this.world.maySay(reader, topic)
    if (!allowed) return
    secret.at = this.world.step
    Object.assign(secret, room ? this.#roomTopics(room) : { topics: [topic], of: { kind: 'plain' } })
    for (const listener of this.#listeners) listener.owe(this.world, secret, room ? 'log' : 1)
    const root = this.#voice(ROOT)
    await root.until(
      () => root.heard.some(({ text }) => text.includes(secret.marker)),
      () => `no will ${secret.marker}`,
    )
  }

  #roomTopics(room: string): Pick<Secret, 'topics' | 'of'> {
    return { topics: [`rooms/${room}/messages`, `rooms/${room}/text`], of: { kind: 'room', room } }
  }

  /** The session goes with all it holds, its will included. */
  async #end(listener: MqttSession | Stream): Promise<void> {
    const { reader, connected, kept } = listener
    if (listener instanceof Stream || reader.anonymous) return
    const { ok } = await this.ask(reader.user, 'sessions.end', { session: reader.clientId })
    if (ok !== (connected || kept)) throw new Violation(`${listener.name}: sessions.end: ${ok}`)
    await listener.ended()
    listener.forget()
  }

  async #restart(): Promise<void> {
    for (const listener of this.#listeners) if (listener.connected) await this.#cut(listener)
    await this.broker.restart()
    for (const [user, voice] of this.#voices) {
      await voice.ended()
      if (!this.world.gone.has(user)) await this.#enterVoice(voice)
    }
  }

  // --- the cast -------------------------------------------------------------------------------------------------------------

  async #enterVoices(): Promise<void> {
    for (const [user, roles] of Object.entries(VOICES)) {
      const voice = new MqttSession(`${user}/voice`, { user, roles, clientId: 'voice', anonymous: false })
      await this.#enterVoice(voice)
      this.#voices.set(user, voice)
    }
  }

  async #enterVoice(voice: MqttSession): Promise<void> {
    const { user, roles } = voice.reader
    await voice.connect(this.broker, { version: 5, clean: true, held: false, roles, will: null }, null)
    const all = ['#', 'devices/#', 'rooms/+/messages'].map((filter) => ({ filter, qos: 0 as const }))
    if (user === ROOT) await voice.subscribe(all)
  }

  async #makeRooms(roles: Program['roles']): Promise<void> {
    for (const [i, room] of ROOMS.entries()) {
      const access = ACCESS[room]
      await this.#must(ROOT, 'rooms.create', { room, access })
      const members = new Map([[ROOT, { role: 'owner' as const, since: 0 }]])
      const lists = { invited: new Set<string>(), asked: new Set<string>(), banned: new Set<string>() }
      this.world.rooms.set(room, { access, members, ...lists, muted: new Set(), departed: new Set() })
      for (const [j, role] of roles[i]!.entries()) if (role) await this.#admit(room, USERS[j]!, role)
    }
  }

  async #admit(room: string, user: string, role: RoomAct['role']): Promise<void> {
    await this.#must(ROOT, 'rooms.invite', { room, user })
    await this.#must(user, 'rooms.join', { room })
    await this.#must(ROOT, 'rooms.setRole', { room, user, role })
    this.world.rooms.get(room)!.members.set(user, { role, since: 0 })
  }

  async #must(user: string, name: string, params: Record<string, unknown>): Promise<void> {
    const { ok, body } = await this.ask(user, name, params)
    if (!ok) throw new Violation(`${name} ${JSON.stringify(params)}: ${JSON.stringify(body)}`)
  }

  #voice(user: string): MqttSession {
    return this.#voices.get(user)!
  }

  /** A command through HTTP; its answer is read by nobody else. */
  async ask(
    user: string,
    name: string,
    params: Record<string, unknown>,
  ): Promise<{ ok: boolean; text: string; body: Json }> {
    const { path, request } = requestOf(name, params)
    const { status, text, body } = await fetchFrom(this.broker, path, { ...request, as: user, roles: VOICES[user]! })
    if (status >= 500) throw new Violation(`${name} ${JSON.stringify(params)}: ${text}`)
    return { ok: status < 300, text, body }
  }
}
