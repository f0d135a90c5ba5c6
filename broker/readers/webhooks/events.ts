/** Converts log entries to webhook events. */
import { isDirectRoom } from '../../../schemas/ids.js'
import { takesEvent, WEBHOOK_EVENTS, type WebhookEvent } from '../../../schemas/webhooks.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { WebhookRecord } from '../../store/outbox.js'

export interface OutgoingEvent {
  /** The entry's id: the same for every delivery and every webhook. */
  readonly id: string
  readonly type: string
  readonly room: string | null
  /** The users who acted or are concerned. */
  readonly users: readonly string[]
  readonly body: Buffer
}

/** The fields of an entry that are used here. */
interface EntryFields {
  id: string
  type?: string
  from?: string
  to?: string
  user?: string
  by?: string
  room?: string
}

const CHANGES: Readonly<Record<string, WebhookEvent>> = {
  edit: 'message.edited',
  delete: 'message.deleted',
  reaction: 'message.reaction',
  pin: 'message.pinned',
  unpin: 'message.unpinned',
}

/** The kinds of events in a log, by the first letter of its name. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  m: ['message'],
  e: ['room', 'member'],
  n: ['notification'],
  b: ['broadcast'],
  s: ['user', 'room'],
}

/** Null: the entry is no webhook event. */
export function eventOf(log: LogName, entry: LogEntry): OutgoingEvent | null {
  const said = JSON.parse(entry.payload.toString()) as EntryFields
  const type = typeOf(log, said)
  if (!(type in WEBHOOK_EVENTS)) return null
  const kind = log[0]!
  const name = log.slice(2)
  const users = [said.from, said.to, said.user, said.by].filter((user) => user !== undefined)
  // A notification does not contain its user, who is in the topic only.
  const data = kind === 'n' ? [`{"user":${JSON.stringify(name)},`, entry.payload.subarray(1)] : ['', entry.payload]
  return {
    id: said.id,
    type,
    room: kind === 'm' || kind === 'e' ? name : (said.room ?? null),
    users: kind === 'n' ? [...users, name] : users,
    body: bodyOf(said.id, type, entry.ts, ...(data as [string, Buffer])),
  }
}

/** `{id, type, ts, data}`; the data is copied as stored. */
export function bodyOf(id: string, type: string, ts: number, before: string, data: Buffer): Buffer {
  const head = `{"id":${JSON.stringify(id)},"type":"${type}","ts":${ts},"data":${before}`
  return Buffer.concat([Buffer.from(head), data, Buffer.from('}')])
}

function typeOf(log: LogName, { type = '' }: EntryFields): string {
  switch (log[0]) {
    case 'm':
      return CHANGES[type] ?? 'message.sent'
    case 'e':
      // The deletion of a room is in the server log, since the room's own log is removed.
      return type === 'created' || type === 'updated' ? `room.${type}` : `member.${type}`
    case 'n':
      return 'notification.sent'
    case 'b':
      return 'broadcast.sent'
    default:
      return type
  }
}

/** The events, rooms and users a webhook is subscribed to. */
export class EventFilter {
  readonly #events: readonly string[]
  readonly #rooms: ReadonlySet<string> | null
  readonly #users: ReadonlySet<string> | null
  readonly #direct: boolean
  /** First letters of the logs that contain such events. */
  readonly #kinds: ReadonlySet<string>
  readonly #text: string

  constructor({ events, rooms, users, direct }: Pick<WebhookRecord, 'events' | 'rooms' | 'users' | 'direct'>) {
    this.#text = JSON.stringify([events, rooms, users, direct])
    this.#events = events
    this.#rooms = rooms && new Set(rooms)
    this.#users = users && new Set(users)
    this.#direct = direct
    const all = Object.keys(WEBHOOK_EVENTS).filter((event) => this.#takesType(event))
    const letters = Object.keys(KINDS)
    this.#kinds = new Set(
      letters.filter((letter) => all.some((event) => KINDS[letter]!.includes(event.slice(0, event.indexOf('.'))))),
    )
  }

  /** Whether it takes the same. */
  isSame(other: EventFilter): boolean {
    return this.#text === other.#text
  }

  /** Whether a log may contain events for it. */
  takesLog(log: LogName): boolean {
    if (!this.#kinds.has(log[0]!)) return false
    if (log[0] !== 'm' && log[0] !== 'e') return true
    const room = log.slice(2)
    if (isDirectRoom(room) && !this.#direct) return false
    return this.#rooms?.has(room) ?? true
  }

  takes({ type, room, users }: OutgoingEvent): boolean {
    if (!this.#takesType(type)) return false
    if (this.#rooms && (room === null || !this.#rooms.has(room))) return false
    return this.#users === null || users.some((user) => this.#users!.has(user))
  }

  #takesType(type: string): boolean {
    return this.#events.some((filter) => takesEvent(filter, type))
  }
}
