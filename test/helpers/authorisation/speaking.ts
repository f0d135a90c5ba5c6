/** What people say: each message is taken where the model allows it, and refused where it does not. */
import { type Company, ROOT } from './company.js'
import { Violation } from './listener.js'
import { CHANNEL, type Do } from './words.js'

export class Speaking {
  /** Numbers of messages, by marker. */
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
    const there = [...this.#company.secrets.values()].filter(
      ({ marker, of }) =>
        of.kind === 'room' && of.room === room && !of.details && !world.erased.has(marker) && this.#seqs.has(marker),
    )
    const secret = there[nth % there.length]
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

  async tell({ user, peer, how }: Do<'tell'>): Promise<void> {
    const allowed = this.#company.world.mayTell(user, peer)
    const secret = this.#company.secret(user, ['users/{reader}/messages'], { kind: 'pair', users: [user, peer] })
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
    const allowed = notify ? user === ROOT : user === peer || this.#company.world.mayTell(user, peer)
    const secret = this.#company.secret(user, [topic], { kind: 'pair', users: [peer] })
    const payload = notify ? JSON.stringify({ title: secret.marker, body: 'x' }) : secret.marker
    const { ok } = await this.#company.voice(user).publish(topic, payload, 1)
    this.#company.said(secret, allowed, ok, notify ? 'log' : 'moment')
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
    this.#company.said(secret, true, ok, 'moment')
  }

  async announce({ user, retain }: Do<'announce'>): Promise<void> {
    const secret = this.#company.secret(user, [CHANNEL], { kind: 'everyone' })
    const { ok } = await this.#company.voice(user).publish(CHANNEL, secret.marker, 1, retain)
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
