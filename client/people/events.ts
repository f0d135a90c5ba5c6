/** What happens once, told to whoever listens at that moment. */
import type { SentMessage } from '../../schemas/commands/shown-message.js'
import { reportLater } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import type { Status } from '../connection/status.js'
import { isChange, mentions } from '../engine/folding.js'
import type { Item, RoomEvent } from '../engine/inbox.js'
import type { Link, Looker } from './link.js'

interface InRoom {
  readonly room: string
  /** The user who did it. */
  readonly by: string
}

/** By name: what a listener gets. */
export interface ChatEvents {
  /** A new message, also one of the user. */
  message: SentMessage
  /** An edit, a deletion, a reaction or a pin, of the message `target`. */
  change: SentMessage
  /** One that mentions the user, or everyone. */
  mention: SentMessage
  /** A person has to sign in again. */
  signedOut: Status & { readonly state: 'signedOut' }
  /** Of the user, into a room. */
  invited: InRoom
  added: InRoom
  removed: InRoom
  denied: InRoom
  deleted: InRoom
  banned: InRoom & { readonly until: number | null; readonly reason: string | null }
  muted: InRoom & { readonly until: number | null }
  unmuted: InRoom
  role: InRoom & { readonly role: string }
  /** What happens in a room of the user: who joins, asks to, is banned, gets a role; what is changed of the room. */
  roomEvent: RoomEvent
  /** Somebody asks to be a contact, or has accepted. */
  contact: { readonly by: string }
  /** For bots: a slash command. */
  command: InRoom & { readonly command: string; readonly args: string; readonly message: SentMessage }
  /** For moderators. */
  reported: { readonly room: string; readonly report: string; readonly target: number | null }
  /** Somebody shares a device with the user, or no more (null); or it has become theirs. */
  device: { readonly device: string; readonly by: string; readonly may: 'own' | 'control' | 'read' | null }
  deviceOffered: { readonly device: string; readonly by: string }
  /** How a command to a device has ended. */
  deviceCommand: {
    readonly device: string
    readonly command: string
    readonly name: string
    readonly state: string
    readonly result?: unknown
    readonly error?: string
  }
}

type Listener = (event: never) => void

export class Events implements Looker {
  readonly #link: Link
  readonly #listeners = new Set<{ readonly name: string; readonly call: Listener }>()

  constructor(link: Link) {
    this.#link = link
    link.add(this)
  }

  on(name: string, call: Listener): Stop {
    const listener = { name, call }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  emit(name: string, event: unknown): void {
    for (const listener of [...this.#listeners]) {
      if (listener.name !== name) continue
      try {
        listener.call(event as never)
      } catch (error) {
        reportLater(error)
      }
    }
  }

  heard(item: Item): void {
    if (item.kind === 'userEvent') this.emit(item.event.type, item.event)
    if (item.kind === 'roomEvent') this.emit('roomEvent', item.event)
    if (item.kind !== 'message') return
    if (isChange(item.message)) return this.emit('change', item.message)
    this.emit('message', item.message)
    if (mentions(item.message, this.#link.replica.user!)) this.emit('mention', item.message)
  }
}
