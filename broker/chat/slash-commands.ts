/** Messages that are commands for a bot: `/name …` goes to the bot in the room that takes it, and to nobody else. */
import { SLASH_NAME } from '../../schemas/commands/bots.js'
import type { DirectoryStore, Draft } from '../store/store.js'
import type { Actor } from './actor.js'
import { userEvent } from './events.js'
import { type Checked, hashOf } from './message.js'

/** A command that someone gave. */
export interface Called {
  readonly bot: string
  readonly command: string
  readonly args: string
}

const SLASH = '/'.charCodeAt(0)
/** `/name`, or `/name@bot` where several bots take it. */
const COMMAND = new RegExp(`^/(${SLASH_NAME.slice(1, -1)})(?:@(\\S+))?(?:\\s+([^]*))?$`)

/** The command in a message to a room, if a bot in the room takes it; of several the bot that was made first, unless one is named. */
export function calledIn(
  directory: Pick<DirectoryStore, 'bots' | 'member'>,
  { principal }: Actor,
  room: string,
  { text, input }: Checked,
): Called | null {
  // All that nearly every message costs.
  if (text === null || text.charCodeAt(0) !== SLASH || (input?.type ?? 'text') !== 'text') return null
  const [, command, named, args = ''] = COMMAND.exec(text) ?? []
  if (command === undefined) return null
  const taker = directory.bots.taking(command).find(({ bot }) => {
    return (named === undefined || bot === named) && bot !== principal.user && directory.member(room, bot) !== undefined
  })
  return taker ? { bot: taker.bot, command, args } : null
}

/** What the bot gets, among its events: `message` is all that was sent. */
export function commandDraft(actor: Actor, room: string, { bot, command, args }: Called, checked: Checked): Draft {
  const by = actor.principal.user
  const message = JSON.parse(`{${checked.inside}}`) as object
  const { cid, inside } = checked
  return {
    ...userEvent(bot, { type: 'command', room, by, command, args, message }),
    from: by,
    dedupe: cid === null ? null : { cid, hash: hashOf(inside) },
  }
}
