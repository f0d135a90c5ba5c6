/** What comes live, in the order in which it came, until it is applied. */
import type { SentMessage } from '../../schemas/commands/shown-message.js'
import type { RoomRole } from '../../schemas/permissions.js'
import { parseTopic } from '../../schemas/topics.js'
import { textOf } from '../wire/utf8.js'
import type { Incoming } from '../wire/wire.js'

/** The part of an event that is looked at. */
export interface UserEvent {
  readonly type: string
  readonly room?: string
  readonly role?: string
  /** Of private data. */
  readonly name?: string
  readonly version?: number | null
}

export interface RoomEvent {
  readonly room: string
  readonly type: string
  /** Unix ms. */
  readonly ts: number
  readonly user?: string
  readonly by?: string
  readonly role?: RoomRole
}

/** How far a member has come; with `thread`, has read in that thread. */
export interface Receipt {
  readonly user: string
  readonly read: number
  readonly delivered: number
  /** When that last changed, Unix ms. */
  readonly ts: number
  readonly thread?: number
}

export type Item =
  | { readonly kind: 'message'; readonly room: string; readonly message: SentMessage }
  | { readonly kind: 'info'; readonly room: string; readonly info: object }
  | { readonly kind: 'roomEvent'; readonly room: string; readonly event: RoomEvent }
  | { readonly kind: 'userEvent'; readonly event: UserEvent }
  | { readonly kind: 'receipt'; readonly room: string; readonly receipt: Receipt }

/** Null: it is nothing that the engine keeps. */
export function itemOf({ topic, payload }: Incoming): Item | null {
  const parsed = parseTopic(topic)
  const leaf = parsed.kind === 'room' || parsed.kind === 'user' ? parsed.leaf : null
  if (leaf === null) return null
  if (parsed.kind === 'user' && leaf !== 'messages' && leaf !== 'events') return null
  const value = JSON.parse(textOf(payload)!)
  if (parsed.kind === 'user')
    return leaf === 'messages'
      ? { kind: 'message', room: value.room, message: value }
      : { kind: 'userEvent', event: value }
  const { room } = parsed as Extract<typeof parsed, { kind: 'room' }>
  switch (leaf) {
    case 'messages':
      return { kind: 'message', room, message: value }
    case 'info':
      return { kind: 'info', room, info: value }
    case 'events':
      return { kind: 'roomEvent', room, event: value }
    case 'receipts':
      return { kind: 'receipt', room, receipt: value }
    default:
      return null
  }
}

const MOST_ITEMS = 10_000
/** Of payloads. */
const MOST_BYTES = 16_777_216

export class LiveInbox {
  #items: Item[] = []
  #bytes = 0

  /** False: there are too many; none is kept, as what was missed has to be asked for anyway. */
  push(item: Item, bytes: number): boolean {
    this.#items.push(item)
    this.#bytes += bytes
    if (this.#items.length <= MOST_ITEMS && this.#bytes <= MOST_BYTES) return true
    this.take()
    return false
  }

  /** All of them; they are the caller's from now on. */
  take(): readonly Item[] {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items
  }

  get isEmpty(): boolean {
    return this.#items.length === 0
  }
}
