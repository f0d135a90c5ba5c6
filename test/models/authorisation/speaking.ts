/** Publishes messages: each must be accepted exactly if the model allows it. */
import { type Company, ROOT } from './company.js'
import { Violation } from './listener.js'
import { BOT, BOT_ROOMS, CHANNEL, DEVICE, type Do } from './words.js'
import type { Secret } from './world.js'

export class Speaking {
  /** Seqs of messages, by marker. */
  readonly #seqs = new Map<string, number>()
  readonly #company: Company

  constructor(company: Company) {
    this.#company = company
  }

  async say({ user, room, how }: Do<'say'>): Promise<void> {
    this.#company.world.enter(room, user)
    const allowed = this.#company.world.mayWrite(room, user)
    const secret = this.#company.roomSecret(user, room)
    const { marker } = secret
    if (how === 'http') {
      const { ok, body } = await this.#company.ask(user, 'send', { room, text: marker })
      if (ok) this.#seqs.set(marker, body.seq)
      return this.#company.said(secret, allowed, ok, 'log')
    }
    const topic = `rooms/${room}/${how === 'text' ? 'text' : 'messages'}`
    const { ok, seq } = await this.#company.voice(user).publish(topic, marker, how === 'text' ? 1 : how)
    if (seq !== null && how !== 0) this.#seqs.set(marker, seq)
    this.#company.said(secret, allowed, how === 0 ? allowed : ok, 'log')
  }

  async erase({ user, room, nth }: Do<'erase'>): Promise<void> {
    const { world } = this.#company
    const secret = this.#saidIn(room, nth)
    if (!secret || !world.member(room, user)) return
    const allowed = world.mayWrite(room, user) && (secret.from === user || world.mayModerate(room, user))
    const { ok } = await this.#company.ask(user, 'send', {
      room,
      type: 'delete',
      target: this.#seqs.get(secret.marker),
    })
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed to delete ${secret.marker}`)
    if (ok) world.erased.add(secret.marker)
  }

  #saidIn(room: string, nth: number): Secret | undefined {
    const there = [...this.#company.secrets.values()].filter(
      ({ marker, of }) =>
        of.kind === 'room' &&
        of.room === room &&
        !of.details &&
        !this.#company.world.erased.has(marker) &&
        this.#seqs.has(marker),
    )
    return there[nth % there.length]
  }

  /** A bot command must reach its bot only. */
  async slash({ user, room }: Do<'slash'>): Promise<void> {
    const { world } = this.#company
    if (!BOT_ROOMS.some((one) => one === room)) return
    world.enter(room, user)
    const allowed = world.mayWrite(room, user)
    const secret = this.#company.secret(user, [`users/${BOT}/events`], { kind: 'pair', users: [BOT] })
    const { ok } = await this.#company.voice(user).publish(`rooms/${room}/messages`, `/deploy ${secret.marker}`, 1)
    this.#company.said(secret, allowed, ok, 'log')
    const bot = this.#company.voice(BOT)
    if (ok)
      await bot.until(
        () => bot.heard.some(({ text }) => text.includes(secret.marker)),
        () => `never got ${secret.marker}`,
      )
  }

  async report({ user, room, nth }: Do<'report'>): Promise<void> {
    const secret = this.#saidIn(room, nth)
    if (!secret) return
    const { world } = this.#company
    const params = { room, seq: this.#seqs.get(secret.marker), reason: 'spam' }
    const { ok, text } = await this.#company.ask(user, 'reports.create', params)
    const allowed = world.member(room, user) !== undefined && secret.from !== user
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed to report: ${text}`)
    if (ok) world.reported.set(secret.marker, room)
  }

  /** The content of a forward may be known in the room it goes to; its origin only where that room is known anyway. */
  async forward({ user, from, room, nth }: Do<'forward'>): Promise<void> {
    const { world } = this.#company
    const secret = this.#saidIn(from, nth)
    if (!secret) return
    world.enter(room, user)
    const allowed = world.mayWrite(room, user) && world.member(from, user) !== undefined
    const forward = { room: from, seq: this.#seqs.get(secret.marker) }
    const place = { topics: [`rooms/${room}/messages`, `rooms/${room}/text`], of: { kind: 'room' as const, room } }
    if (allowed) secret.copies = [...(secret.copies ?? []), { ...place, by: user, at: world.step }]
    const { ok, text } = await this.#company.ask(user, 'send', { room, forward })
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed to forward: ${text}`)
    if (ok && world.rooms.get(from)!.access === 'public') world.toldOf.add(`${room} ${from}`)
  }

  async gauge({ qos, retain }: Do<'gauge'>): Promise<void> {
    const topic = `devices/${DEVICE}/state`
    const secret = this.#company.secret(DEVICE, [topic], { kind: 'device' })
    const { ok } = await this.#company.voice(DEVICE).publish(topic, secret.marker, qos, retain)
    this.#company.said(secret, true, qos === 0 || ok, qos)
    if (retain) this.#company.retained.set(topic, { secret, qos })
  }

  /** Sends a command to the device, which never answers it. */
  async order({ user }: Do<'order'>): Promise<void> {
    const { world } = this.#company
    const secret = this.#company.secret(user, [`devices/${DEVICE}/commands`], { kind: 'device' })
    const { ok, text } = await this.#company.ask(user, 'devices.command', { device: DEVICE, name: secret.marker })
    const may = world.mayWith(user)
    if (ok !== (may === 'own' || may === 'control')) throw new Violation(`${user} commands the device: ${text}`)
    if (!ok) secret.of = { kind: 'nobody' }
  }

  async tell({ user, peer, how }: Do<'tell'>): Promise<void> {
    const allowed = this.#company.world.mayTell(user, peer)
    const secret = this.#company.secret(user, ['users/{reader}/messages'], { kind: 'pair', users: [user, peer] })
    if (allowed) this.#company.world.wrote.add(`${user}>${peer}`)
    if (allowed) this.#company.world.pairs.add(`dm:${[user, peer].sort().join(':')}`)
    if (how === 'http') {
      const { ok } = await this.#company.ask(user, 'send', { room: `@${peer}`, text: secret.marker })
      return this.#company.said(secret, allowed, ok, 'log')
    }
    const { ok } = await this.#company.voice(user).publish(`users/${peer}/messages`, secret.marker, how)
    this.#company.said(secret, allowed, how === 0 ? allowed : ok, 'log')
  }

  async address({ do: what, user, peer }: Do<'signal' | 'notify'>): Promise<void> {
    const notify = what === 'notify'
    const topic = `users/${peer}/${notify ? 'notifications' : 'signals'}`
    const allowed = notify ? user === ROOT : this.#company.world.mayTell(user, peer)
    const secret = this.#company.secret(user, [topic], { kind: 'pair', users: [peer] })
    const payload = notify ? JSON.stringify({ title: secret.marker, body: 'x' }) : secret.marker
    const { ok } = await this.#company.voice(user).publish(topic, payload, 1)
    this.#company.said(secret, allowed, ok, notify ? 'log' : 'ephemeral')
  }

  async typing({ user, room }: Do<'typing'>): Promise<void> {
    const { ok } = await this.#company.voice(user).publish(`rooms/${room}/typing`, '{"typing":true}', 1)
    if (ok !== this.#company.world.mayWrite(room, user)) throw new Violation(`${user} types in ${room}: ${ok}`)
  }

  async read({ user, room }: Do<'read'>): Promise<void> {
    const { body } = await this.#company.ask(ROOT, 'history', { room, limit: 1 })
    const [newest] = body.messages
    if (!newest) return
    const { ok } = await this.#company
      .voice(user)
      .publish(`rooms/${room}/receipts`, JSON.stringify({ read: newest.seq }), 1)
    if (ok !== (this.#company.world.member(room, user) !== undefined))
      throw new Violation(`${user} has read ${room}: ${ok}`)
  }

  async status({ user }: Do<'status'>): Promise<void> {
    const topic = `users/${user}/presence`
    const secret = this.#company.secret(user, [topic], { kind: 'status' })
    const { ok } = await this.#company.voice(user).publish(topic, JSON.stringify({ status: secret.marker }), 1)
    this.#company.said(secret, true, ok, 'ephemeral')
  }

  async announce({ user, roles, retain }: Do<'announce'>): Promise<void> {
    const of: Secret['of'] = roles.length > 0 ? { kind: 'roles', roles } : { kind: 'everyone' }
    const secret = this.#company.secret(user, [CHANNEL], of)
    const payload = roles.length > 0 ? JSON.stringify({ text: secret.marker, roles }) : secret.marker
    const { ok } = await this.#company.voice(user).publish(CHANNEL, payload, 1, retain)
    this.#company.said(secret, user === ROOT, ok, 'log')
    if (ok && retain) this.#company.retained.set(CHANNEL, { secret, qos: 1 })
  }

  async plain({ user, topic, qos, retain }: Do<'plain'>): Promise<void> {
    const voice = this.#company.voice(user)
    const allowed = this.#company.world.maySay(voice.reader, topic)
    const secret = this.#company.secret(user, [topic], { kind: 'plain' })
    const { ok } = await voice.publish(topic, secret.marker, qos, retain)
    this.#company.said(secret, allowed, qos === 0 ? allowed : ok, qos)
    if (allowed && retain) this.#company.retained.set(topic, { secret, qos })
  }

  async forge({ user, topic }: Do<'forge'>): Promise<void> {
    const secret = this.#company.secret(user, [topic], { kind: 'nobody' })
    const { ok } = await this.#company.voice(user).publish(topic, JSON.stringify({ text: secret.marker }), 1, true)
    if (ok) throw new Violation(`${user} was allowed to publish on ${topic}`)
  }
}
