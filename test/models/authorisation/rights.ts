/** Commands that change rights: room commands, blocks, contacts, logouts. Each must succeed exactly if the model allows it. */
import { fetchFrom } from '../../helpers/http.js'
import type { Company } from './company.js'
import { Violation } from './listener.js'
import { DEVICE, type Do, type RoomAct } from './words.js'

export class Rights {
  readonly #company: Company

  constructor(company: Company) {
    this.#company = company
  }

  async actInRoom(user: string, what: RoomAct): Promise<void> {
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
      act === 'update'
        ? this.#company.secret(user, [`rooms/${room}/info`], { kind: 'room', room, details: true })
        : null
    const { ok, body } = await this.#company.ask(user, name, { room, ...more, ...(secret && { topic: secret.marker }) })
    const allowed = this.#company.world.act(user, what)
    if (ok !== allowed) throw new Violation(`${user} was ${ok ? '' : 'not '}allowed: ${JSON.stringify(body)}`)
    if (secret && !ok) secret.of = { kind: 'nobody' }
    if (hidden && !ok && body.code !== 'not_found')
      throw new Violation(`${name}: ${user} heard of ${room}: ${body.code}`)
    this.#loseFilters(act, user, what)
  }

  #hides(user: string, room: string): boolean {
    const { access, members, invited } = this.#company.world.rooms.get(room)!
    return access === 'private' && !members.has(user) && !invited.has(user)
  }

  /** The end of a membership ends the filters that name the room. */
  #loseFilters(act: RoomAct['act'], user: string, { peer, room }: Pick<RoomAct, 'peer' | 'room'>): void {
    const who = act === 'leave' ? user : peer
    if (!['leave', 'remove', 'ban'].includes(act) || this.#company.world.member(room, who)) return
    for (const { reader, filters } of this.#company.listeners) {
      if (reader.user !== who) continue
      for (const filter of filters.keys()) if (filter.includes(`rooms/${room}/`)) filters.delete(filter)
    }
  }

  async race({ user, peer, speaker, room, ban }: Do<'race'>): Promise<void> {
    const act = {
      act: ban ? ('ban' as const) : ('remove' as const),
      room,
      peer,
      role: 'member' as const,
      access: 'public' as const,
    }
    const speaks =
      speaker !== peer && !this.#company.world.gone.has(speaker) && this.#company.world.mayWrite(room, speaker)
    const secrets = speaks ? Array.from({ length: 6 }, () => this.#company.roomSecret(speaker, room)) : []
    const said = secrets.map(({ marker }) => this.#company.voice(speaker).publish(`rooms/${room}/messages`, marker, 1))
    await this.actInRoom(user, act)
    for (const [i, answer] of (await Promise.all(said)).entries())
      this.#company.said(secrets[i]!, true, answer.ok, 'log')
  }

  async social({ user, peer, how }: Do<'social'>): Promise<void> {
    const { blocks, wants } = this.#company.world
    const [mine, theirs] = [`${user}>${peer}`, `${peer}>${user}`]
    const names = {
      block: 'blocks.add',
      unblock: 'blocks.remove',
      ask: 'contacts.request',
      accept: 'contacts.accept',
      part: 'contacts.remove',
    }
    const { ok } = await this.#company.ask(user, names[how], { user: peer })
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

  async privacy({ user, what, to }: Do<'privacy'>): Promise<void> {
    await this.#company.must(user, 'privacy.update', { [what]: to })
    const { privacy } = this.#company.world
    privacy.set(user, { ...privacy.get(user), [what]: to })
  }

  /** Transfers and shares the device. */
  async device({ user, peer, how }: Do<'device'>): Promise<void> {
    const may = how === 'read' || how === 'control' ? { may: how } : {}
    const name = `devices.${may.may ? 'share' : how}`
    const { ok, text, body } = await this.#company.ask(user, name, { device: DEVICE, user: peer, ...may })
    if (ok && body?.offered) await this.#company.takeDevice(peer)
    if (ok !== this.#company.world.handDevice(user, peer, how))
      throw new Violation(`${user} was ${ok ? '' : 'not '}allowed: ${how} ${peer}: ${text}`)
  }

  /** Logs the user out everywhere: tokens are void, and sessions and streams end with their state. */
  async logout({ user }: Do<'logout'>): Promise<void> {
    const token = await this.#company.broker.token(user)
    const { ok } = await this.#company.ask(user, 'auth.logoutEverywhere', {})
    if (!ok) throw new Violation(`${user} could not log out`)
    this.#company.world.gone.add(user)
    await this.#company.voice(user).ended()
    for (const listener of this.#company.listeners) {
      if (listener.reader.user !== user) continue
      await listener.until(
        () => !listener.connected,
        () => 'was logged out, and is connected',
      )
      listener.kept = false
      listener.dropped()
    }
    const { status } = await fetchFrom(this.#company.broker, '/v1/rooms', {
      headers: { authorization: `Bearer ${token}` },
    })
    if (status !== 401) throw new Violation(`after a logout a token of ${user} is good for ${status}`)
  }
}
