/** What commands act on, whatever the mode. */
import { directRoom, isUserId } from '../../schemas/ids.js'
import type { Chat, Item, Outgoing, Room, SendInput } from '../node/index.js'
import { mentionsIn } from './input.js'
import { excerpt } from './printable.js'
import { roomIdOf } from './rooms.js'

/** A place in a room. */
export interface Where {
  /** The message whose thread it is; left out: the room itself. */
  readonly thread?: number | null
  /** The message that is shown; left out: the newest ones are. */
  readonly at?: number
}

/** A transfer of a file. */
export interface Progress {
  /** Safe to print. */
  readonly what: string
  /** Bytes. */
  readonly done: number
  /** 0: that is not known. */
  readonly total: number
}

export interface Desk {
  readonly chat: Chat
  /** Who uses it. */
  readonly me: string
  /** The room that is open. */
  readonly room: Room
  /** Its messages, as far as they are there. */
  readonly items: readonly Item[]
  /** The message whose thread is open; null: the room itself is. */
  readonly thread: number | null
  /** Commands of bots that are known there, without the slash. */
  readonly botCommands: readonly string[]
  /** Why files can be neither sent nor saved; null: nothing is known to hinder it. */
  readonly filesHindrance: string | null
  /** Tells the user something, on one or more lines. It is safe to print. */
  say(text: string): void
  /** Shows how far something has come. Null: it has ended. */
  progress(one: Progress | null): void
  /** Opens a room, or another place in the one that is open. Rejects with an error that says why not. */
  open(room: string, where?: Where): Promise<void>
  /** Shows earlier messages: `count` of them, where there is no page to turn. Rejects with a `ChatError`. */
  showEarlier(count: number): Promise<void>
  quit(): void
}

/** Says a text in the open room. Throws a `ChatError`. */
export function sendText(desk: Desk, text: string, more: SendInput = {}): Outgoing {
  const { room, thread } = desk
  return room.send({ ...(thread !== null && { thread }), ...withMentions(room, text), ...more })
}

/** Throws an error that says why not. */
export function sendDirect({ chat, me }: Desk, user: string, text: string): Outgoing {
  if (!isUserId(user)) throw new Error(`${user} is not a user name`)
  const room = chat.room(directRoom(me, user))
  return room.send(withMentions(room, text))
}

/** `lobby` or `@bob`. Throws an error that says why not. */
export function roomNamed({ me }: Desk, name: string): string {
  const room = roomIdOf(name, me)
  if (room === null) throw new Error(name ? `${name} is neither a room nor @ and a user` : 'which room?')
  return room
}

/** Mentioning everyone is a right; without it the name is nothing but text. */
export function withMentions({ info }: Room, text: string): SendInput {
  const role = info.current?.role
  const mayAll = role === 'owner' || role === 'admin' || role === 'moderator'
  const mentions = mentionsIn(text).filter((one) => mayAll || one.toLowerCase() !== '@room')
  return { text, ...(mentions.length > 0 && { mentions }) }
}

/** What was to be sent, in a few words. */
export function outgoingText({ input }: Outgoing): string {
  const { type = 'text', text, target, data, forward } = input
  if (forward) return `forwarded #${forward.seq}`
  const { emoji } = (data ?? {}) as { emoji?: string }
  const what = text ?? emoji
  return excerpt(type === 'text' ? (what ?? 'a file') : `${type} #${target}${what === undefined ? '' : `: ${what}`}`)
}
