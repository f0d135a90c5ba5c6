/** The commands that bots take in a room, as they were asked for last. */
import { type Signal, signal } from '@preact/signals'
import type { Chat, Methods } from '../../index.js'
import { ofRoom } from '../state/of-chat.js'

export type Command = Awaited<ReturnType<Methods['slash']['list']>>['commands'][number]

/** Null: they are not known. */
type Known = Signal<readonly Command[] | null>

/** As the broker tells commands from texts. */
const COMMAND = /^\/([a-z0-9][a-z0-9_-]{0,31})(?:@\S+)?(?:\s|$)/

export const commandsOf = ofRoom((): Known => signal(null))

/** Asks anew. Without an answer they are those of before. */
export async function learnCommands(chat: Chat, room: string): Promise<void> {
  const answer = await chat.ask.slash.list({ room }).catch(() => null)
  if (answer) commandsOf(chat, room).value = answer.commands
}

/** The command that a text would be, and no bot takes; null: it is none, or is not known. */
export function unknownCommand(chat: Chat, room: string, text: string): string | null {
  const name = COMMAND.exec(text)?.[1]
  const commands = commandsOf(chat, room).peek()
  if (name === undefined || commands === null) return null
  return commands.some((one) => one.name === name) ? null : name
}
