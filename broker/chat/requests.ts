/** Requests: one table from a method's name to its parameters' schema and its handler; every answer goes to `users/{me}/replies`. */
import { Compile } from 'typebox/compile'
import {
  COMMANDS,
  type CommandName,
  type CommandParams,
  MAX_REQUEST_ID,
  PLANNED_COMMANDS,
} from '../../schemas/commands.js'
import { asRefusal, Refusal } from '../../schemas/errors.js'
import { isDirectRoom } from '../../schemas/ids.js'
import type { MemberRecord, RoomRecord, Store } from '../store/store.js'
import { type Actor, requireUser } from './actor.js'
import { readHistory } from './history.js'
import type { Members } from './members.js'
import { decodeText, parseObject } from './message.js'
import type { Replies } from './replies.js'
import type { RoomRules } from './room-rules.js'
import type { Rooms } from './rooms.js'
import { checkShape } from './shape.js'
import { logs } from './views.js'

/** Results are JSON text, so that stored messages go out as they are. */
type Handlers = { [N in CommandName]: (actor: Actor, params: CommandParams<N>) => Promise<string> }

const validators = new Map(Object.entries(COMMANDS).map(([name, schema]) => [name, Compile(schema)]))

export interface RequestsParts {
  readonly store: Store
  readonly rooms: Rooms
  readonly members: Members
  readonly rules: RoomRules
  readonly replies: Replies
  /** Longest reply, in bytes. */
  readonly replyBytes: number
  readonly failed: (error: unknown) => void
}

export class Requests {
  readonly #store: Store
  readonly #rooms: Rooms
  readonly #members: Members
  readonly #rules: RoomRules
  readonly #replies: Replies
  readonly #replyBytes: number
  readonly #failed: (error: unknown) => void

  constructor({ store, rooms, members, rules, replies, replyBytes, failed }: RequestsParts) {
    this.#store = store
    this.#rooms = rooms
    this.#members = members
    this.#rules = rules
    this.#replies = replies
    this.#replyBytes = replyBytes
    this.#failed = failed
  }

  /** Answers in every case; never rejects. */
  async handle(actor: Actor, method: string, payload: Buffer): Promise<void> {
    let id: string | number | null = null
    try {
      const { id: requestId, ...params } = readRequest(payload)
      id = checkId(requestId)
      this.#replies.ok(actor, id, method, await this.run(actor, method, params))
    } catch (error) {
      const refusal = asRefusal(error)
      if (refusal.code === 'internal') this.#failed(error)
      this.#replies.refused(actor, id, method, refusal)
    }
  }

  async run(actor: Actor, method: string, params: unknown): Promise<string> {
    const validator = validators.get(method)
    if (!validator) {
      if (PLANNED_COMMANDS.has(method)) throw new Refusal('not_implemented', `${method} is not built yet`)
      throw new Refusal('not_found', `there is no method ${method}; there are ${[...validators.keys()].join(', ')}`)
    }
    checkShape(validator, params)
    const handler = this.#handlers[method as CommandName] as (actor: Actor, params: unknown) => Promise<string>
    const result = await handler(actor, params)
    if (result.length > this.#replyBytes)
      throw new Refusal('too_large', 'the reply would be too large; ask for a smaller page')
    return result
  }

  readonly #handlers: Handlers = {
    'rooms.create': async (actor, { room, ...details }) =>
      this.#room(actor, await this.#rooms.create(actor, room, details)),
    'rooms.update': async (actor, { room, user, role, ...details }) => {
      const id = this.#rules.resolve(actor, room)
      if (user === undefined && role === undefined)
        return this.#room(actor, await this.#rooms.update(actor, id, details))
      if (user === undefined || role === undefined)
        throw new Refusal('bad_request', 'user and role go together', { field: user === undefined ? 'user' : 'role' })
      if (Object.keys(details).length > 0)
        throw new Refusal('bad_request', 'a role is set in a request of its own', { field: Object.keys(details)[0] })
      return JSON.stringify(asMember(await this.#members.setRole(actor, id, user, role)))
    },
    'rooms.delete': async (actor, { room }) => {
      await this.#rooms.remove(actor, this.#rules.resolve(actor, room))
      return '{}'
    },
    'rooms.join': async (actor, { room }) => {
      const member = await this.#members.join(actor, this.#rules.resolve(actor, room))
      return this.#room(actor, this.#store.directory.room(member.room)!)
    },
    'rooms.leave': async (actor, { room }) => {
      await this.#members.leave(actor, this.#rules.resolve(actor, room))
      return '{}'
    },
    'rooms.invite': async (actor, { room, user }) => {
      await this.#members.invite(actor, this.#rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.remove': async (actor, { room, user }) => {
      await this.#members.removeMember(actor, this.#rules.resolve(actor, room), user)
      return '{}'
    },
    'rooms.members': async (actor, { room, after = '', limit = 100 }) => {
      const id = this.#rules.resolve(actor, room)
      this.#rules.requireMember(actor, id)
      const users = [...this.#store.directory.members(id).values()].filter(({ user }) => user > after).sort(byUser)
      return JSON.stringify({ members: users.slice(0, limit).map(asMember), more: users.length > limit })
    },
    'rooms.list': async (actor, { scope = 'joined', after = '', limit = 100 }) => {
      const user = requireUser(actor)
      const { directory } = this.#store
      const all =
        scope === 'joined'
          ? [...directory.memberships(user).keys()].map((id) => directory.room(id)!)
          : [...directory.rooms()].filter(({ access }) => access === 'public')
      const page = all.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1))
      const rooms = await Promise.all(page.slice(0, limit).map((room) => this.#room(actor, room)))
      return `{"rooms":[${rooms.join(',')}],"more":${page.length > limit}}`
    },
    history: async (actor, { room, limit = 50, maxBytes = 65536, ...query }) => {
      if (query.thread !== undefined && query.pinned)
        throw new Refusal('bad_request', 'thread and pinned are asked for one at a time', { field: 'pinned' })
      const id = this.#rules.resolve(actor, room)
      const direct = isDirectRoom(id)
      if (direct && !this.#store.directory.room(id)) return '{"messages":[],"more":false}'
      const { joined } = this.#rules.requireMember(actor, id)
      return readHistory(this.#store, id, {
        ...query,
        limit,
        maxBytes: Math.min(maxBytes, this.#replyBytes - 4096),
        // The past of a direct conversation belongs to who had the name then.
        hidden: direct ? joined.messages : 0,
        reader: actor.principal.user,
      })
    },
  }

  /** A room as its members see it. */
  async #room(actor: Actor, room: RoomRecord): Promise<string> {
    const { id, access, name, topic, avatar, direct, createdBy, createdAt } = room
    const { head } = await this.#store.log.open(logs.messages(id))
    const members = this.#store.directory.members(id).size
    const role = this.#store.directory.member(id, actor.principal.user)?.role ?? null
    return JSON.stringify({ id, access, direct, name, topic, avatar, createdBy, createdAt, members, role, head })
  }
}

function asMember({ user, role, since }: MemberRecord) {
  return { user, role, since }
}

function byUser(a: MemberRecord, b: MemberRecord): number {
  return a.user < b.user ? -1 : 1
}

function readRequest(payload: Buffer): Record<string, unknown> {
  const request = parseObject(decodeText(payload))
  if (!request) throw new Refusal('bad_request', 'a request is a JSON object: {"id":"r1",…}')
  return request
}

function checkId(id: unknown): string | number | null {
  if (id === undefined || id === null) return null
  if (typeof id === 'number' || (typeof id === 'string' && id.length <= MAX_REQUEST_ID)) return id
  throw new Refusal('bad_request', `id must be a number or a string of at most ${MAX_REQUEST_ID} characters`, {
    field: 'id',
  })
}
