/** Runs every reading command of the table for a user, and checks the results against the model. */
import { unzipSync } from 'fflate'
import { COMMANDS, type Command } from '../../../schemas/commands.js'
import { httpUrl } from '../../helpers/http.js'
import type { Company } from './company.js'
import { markersIn, Violation } from './listener.js'
import { CHANNEL, DEVICE, ROOMS, USERS } from './words.js'
import type { Secret, World } from './world.js'

// biome-ignore lint/suspicious/noExplicitAny: an answer is any JSON
type Json = any

/** Commands that only members may run. */
const FOR_MEMBERS = new Set(['history', 'receipts', 'unread', 'rooms.members', 'rooms.events', 'threads.list'])

export class Prober {
  readonly #company: Company

  constructor(company: Company) {
    this.#company = company
  }

  get #world(): World {
    return this.#company.world
  }

  async probe(user: string): Promise<void> {
    if (this.#world.gone.has(user)) return
    for (const [name, command] of Object.entries(COMMANDS as Record<string, Command>)) {
      if (command.rate !== 'read' || !command.http) continue
      for (const place of this.#places(name, Object.keys(command.params.properties)))
        await this.#probeOne(user, name, { ...filled(command), ...place })
    }
    await this.#checkLists(user)
    await this.#checkSearch(user)
    await this.#checkExport(user)
  }

  #places(name: string, keys: readonly string[]): object[] {
    if (keys.includes('device')) return [{ device: DEVICE }]
    if (keys.includes('channel')) return [{ channel: 'news', limit: 1000 }]
    if (!keys.includes('room')) return keys.includes('user') ? USERS.map((user) => ({ user })) : [{}]
    const rooms = [...ROOMS, ...this.#world.pairs].map((room) => ({ room }))
    return name === 'history' ? rooms.flatMap(({ room }) => [{ room }, { room, view: 'folded' }]) : rooms
  }

  async #probeOne(user: string, name: string, params: Record<string, unknown>): Promise<void> {
    const { ok, text, body } = await this.#company.ask(user, name, params)
    const fail = (why: string): never => {
      throw new Violation(`${user} asked ${name} ${JSON.stringify(params)}: ${why}: ${text}`)
    }
    for (const marker of markersIn(text)) {
      const secret = this.#company.secrets.get(marker)!
      const known = name === 'reports.list' ? this.#moderates(user, secret) : this.#world.mayRead(user, secret)
      if (!known) fail(`${marker} is not theirs`)
    }
    if (name === 'broadcast.history') this.#checkAnnouncements(user, text, fail)
    if (name === 'receipts' && ok)
      for (const { user: reader } of body.receipts)
        if (!this.#world.tellsReading(params['room'] as string, reader, user)) fail(`what ${reader} has read is hidden`)
    this.#checkNumbers(user, body, fail)
    const { room } = params as { room?: string }
    if (room === undefined) return
    const member = this.#world.roomsOf(user).includes(room)
    if (FOR_MEMBERS.has(name) && ok !== member) fail('it is answered to members')
    const known = this.#world.rooms.get(room)
    const hidden = !member && (!known || (known.access === 'private' && !known.invited.has(user)))
    if (hidden) {
      const nowhere = room.startsWith('dm:') ? 'dm:nobody:noone' : 'nowhere'
      const missing = await this.#company.ask(user, name, { ...params, room: nowhere })
      const isSame = ok ? text === missing.text : body.code === missing.body.code
      if (!isSame) fail(`of a room that is not there it says ${missing.text}`)
    }
    if (name === 'history' && member) this.#checkHistory(room, text, fail)
  }

  /** The evidence of a report may be read by moderators of the room, except the reported user. */
  #moderates(user: string, { marker, from }: Secret): boolean {
    const room = this.#world.reported.get(marker)
    return room !== undefined && from !== user && this.#world.mayModerate(room, user)
  }

  #checkAnnouncements(user: string, text: string, fail: (why: string) => void): void {
    const shown = new Set(markersIn(text))
    for (const secret of this.#company.secrets.values())
      if (secret.topics[0] === CHANNEL && secret.from !== user && secret.of.kind !== 'nobody')
        if (this.#world.mayRead(user, secret) && !shown.has(secret.marker)) fail(`${secret.marker} is missing`)
  }

  /** Message counts of rooms must not reach users outside of them. */
  #checkNumbers(user: string, value: Json, fail: (why: string) => void): void {
    if (typeof value !== 'object' || value === null) return
    const room = value.room ?? value.id
    const counts = ['head', 'unread', 'mentions'].filter((key) => typeof value[key] === 'number')
    if (counts.length > 0 && typeof room === 'string' && !this.#world.roomsOf(user).includes(room))
      fail(`${counts} of ${room} is told`)
    for (const inner of Object.values(value)) this.#checkNumbers(user, inner, fail)
  }

  #checkHistory(room: string, text: string, fail: (why: string) => void): void {
    const shown = new Set(markersIn(text))
    for (const { marker, of } of this.#company.secrets.values()) {
      const here =
        (of.kind === 'room' && of.room === room && !of.details) ||
        (of.kind === 'pair' && of.users.length === 2 && `dm:${[...of.users].sort().join(':')}` === room)
      if (here && !this.#world.erased.has(marker) && !shown.has(marker)) fail(`${marker} is missing`)
    }
  }

  /** A search must find everything the user may read, within one page, once it is indexed. */
  async #checkSearch(user: string): Promise<void> {
    const search = () => this.#company.ask(user, 'search', { query: 'mk*', limit: 100 })
    let found = await search()
    while (found.ok && found.body.pending > 0) found = await search()
    if (!found.ok || found.body.more) return
    const shown = new Set(markersIn(found.text))
    const { secrets, world } = this.#company
    for (const { marker, topics, of, at } of secrets.values()) {
      const said = topics.some((topic) => topic.endsWith('/messages')) && of.kind !== 'nobody' && at > 0
      const mine = of.kind === 'room' ? world.member(of.room, user) : of.kind === 'pair' && of.users.includes(user)
      if (said && mine && !world.erased.has(marker) && !shown.has(marker))
        throw new Violation(`${user} searched, and ${marker} is missing: ${found.text}`)
    }
  }

  /** An account export must only have messages by the user, or to the user alone. */
  async #checkExport(user: string): Promise<void> {
    const { url } = await this.#company.must(user, 'account.export', {})
    const response = await fetch(`${httpUrl(this.#company.broker)}${url}`)
    const files = unzipSync(new Uint8Array(await response.arrayBuffer()))
    const shown = new Set(Object.values(files).flatMap((bytes) => markersIn(Buffer.from(bytes).toString())))
    for (const [marker, secret] of this.#company.secrets) {
      const { of, from, copies = [] } = secret
      const said = of.kind === 'room' && !of.details
      const own = from === user || copies.some(({ by }) => by === user)
      if (shown.has(marker) && !own && (said || !this.#world.mayRead(user, secret)))
        throw new Violation(`${user} takes along ${JSON.stringify(secret)}`)
      if (!shown.has(marker) && said && from === user && !this.#world.erased.has(marker))
        throw new Violation(`${user} does not take along ${JSON.stringify(secret)}`)
    }
  }

  /** Lists must have exactly the user's own records. */
  async #checkLists(user: string): Promise<void> {
    const { rooms, blocks } = this.#world
    const mine = this.#world.roomsOf(user)
    const open = [...rooms].filter(([, { access }]) => access !== 'private').map(([room]) => room)
    const lists: [string, Record<string, unknown>, (body: Json) => string[], string[]][] = [
      ['rooms.list', {}, (body) => body.rooms.map(({ id }: Json) => id), mine],
      ['rooms.list', { scope: 'public' }, (body) => body.rooms.map(({ id }: Json) => id), open],
      ['unread', {}, (body) => body.rooms.map(({ room }: Json) => room), mine],
      ['sync', {}, (body) => body.rooms.map(({ room }: Json) => room), mine],
      [
        'blocks.list',
        {},
        (body) => body.blocks.map((one: Json) => `${user}>${one.user}`),
        [...blocks].filter((one) => one.startsWith(`${user}>`)),
      ],
    ]
    for (const room of rooms.keys())
      if (mine.includes(room))
        lists.push([
          'rooms.members',
          { room },
          (body) => body.members.map((one: Json) => one.user),
          [...rooms.get(room)!.members.keys()],
        ])
    for (const [name, params, read, expected] of lists) {
      const { body, text } = await this.#company.ask(user, name, params)
      this.#checkNumbers(user, body, (why) => {
        throw new Violation(`${user} asked ${name} ${JSON.stringify(params)}: ${why}: ${text}`)
      })
      if (read(body).sort().join() !== [...expected].sort().join())
        throw new Violation(`${user}: ${name} ${JSON.stringify(params)} names ${text}, not ${expected}`)
    }
  }
}

/** Values for required parameters other than room and user. */
function filled({ params }: Command): Record<string, unknown> {
  const required: string[] = (params as { required?: string[] }).required ?? []
  const entries = required.map((key) => {
    const { type, minimum } = params.properties[key] as { type?: string; minimum?: number }
    return [key, type === 'integer' ? (minimum ?? 1) : 'mk*']
  })
  return Object.fromEntries(entries)
}
