/** What commands have in common. */
import { type Desk, roomNamed } from './desk.js'
import type { Message } from './lines.js'
import { nameOf } from './rooms.js'

export interface Command {
  /** What follows the name, as the help shows it. */
  readonly takes?: string
  readonly help: string
  /** What Tab completes after the name. */
  readonly completes?: 'room' | 'path' | 'command'
  /** It is not about the room that is open. */
  readonly isAnywhere?: boolean
  /** It may open another room. */
  readonly mayOpen?: boolean
  /** Rejects with an error that says why not. */
  run(desk: Desk, rest: string): Promise<void> | void
}

/** By name, in the order of the help. */
export type Commands = Readonly<Record<string, Command>>

/** The message with this number, or else the last one that fits. Rejects with an error that says why not; `none`: that nothing fits. */
export async function find(
  desk: Desk,
  seq: number | null,
  fits: (message: Message) => boolean,
  none = 'there is no such message here',
): Promise<Message> {
  const messages = desk.items.flatMap((item) => (item.kind === 'message' && item.message.seq > 0 ? [item.message] : []))
  const found = seq === null ? messages.findLast(fits) : messages.find((message) => message.seq === seq)
  if (found) return found
  if (seq === null) throw new Error(none)
  return fetched(desk, desk.room.id, seq)
}

/** The message with this number, also if it is not shown. Rejects with an error that says why not. */
export async function fetched({ chat, me }: Desk, room: string, seq: number): Promise<Message> {
  if (chat.status.current.state !== 'online') throw new Error(`#${seq} is not here, and there is no connection`)
  const page = await chat.ask.history({ room, seqs: [seq], view: 'folded' })
  const message = page.messages[0]
  if (!message || 'gone' in message) throw new Error(`there is no message #${seq} in ${nameOf(room, me)}`)
  return message
}

export function needed(text: string, question: string): string {
  if (!text) throw new Error(question)
  return text
}

/** `[ROOM]`: the one that is open, if there is no name. Throws an error that says why not. */
export function roomOr(desk: Desk, name: string): string {
  return name ? roomNamed(desk, name) : desk.room.id
}
