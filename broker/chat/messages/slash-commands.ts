/** Bot commands: a message `/name …` goes to the bot in the room that has registered the command, and to nobody else. */
import { SLASH_NAME } from '../../../schemas/commands/bots.js'
import { allows } from '../../../schemas/permissions.js'
import type { BotRecord } from '../../store/bots.js'
import type { Draft } from '../../store/changes.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Ownership, personBehind } from '../../store/persons.js'
import type { Actor } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { type CheckedMessage, PlainText } from '../model/message.js'
import { dedupeOf } from '../model/stamp.js'

/** A use of a bot command. */
export interface CommandUse {
  readonly bot: string
  readonly owner: string
  readonly command: string
  readonly args: string
}

const SLASH = '/'.charCodeAt(0)
/** `/name`, or `/name@bot` to choose one of several bots. */
const COMMAND = new RegExp(`^/(${SLASH_NAME.slice(1, -1)})(?:@(\\S+))?(?:\\s+([^]*))?$`)

type Bots = Pick<DirectoryStore, 'bots' | 'member'> & Ownership

/**
 * Rank of a bot among those in a room that have registered the same command; the lowest gets it. Null: the bot's commands are disabled.
 * Bots whose owner may change the room come first, then those that such a member enabled, then the sender's own, then bots that joined
 * before commands were enabled per room.
 */
export function commandRank(directory: Bots, { bot, owner }: BotRecord, room: string, sender: string): number | null {
  const member = directory.member(room, bot)
  if (!member) return null
  const person = personBehind(directory, owner)
  const role = directory.member(room, person)?.role
  if (role === 'owner') return 0
  if ((role && allows(role, 'update')) || allows(member.role, 'update')) return 1
  if (member.commands) return 2
  if (person === personBehind(directory, sender)) return 3
  return member.commands === undefined ? 4 : null
}

/** The bot command in a room message, and the bot that gets it; null: none. Of several bots of one rank, the oldest gets it. */
export function findCommand(
  directory: Bots,
  { principal }: Actor,
  room: string,
  message: CheckedMessage,
): CommandUse | null {
  // Nearly every message returns here; a PlainText is not decoded for it. Hot path.
  if (message instanceof PlainText && message.payload[message.from] !== SLASH) return null
  const { text, input } = message
  if (text === null || text.charCodeAt(0) !== SLASH || (input?.type ?? 'text') !== 'text') return null
  const [, command, botName, args = ''] = COMMAND.exec(text) ?? []
  if (command === undefined) return null
  let chosen: BotRecord | null = null
  let best = Number.POSITIVE_INFINITY
  for (const record of directory.bots.byCommand(command)) {
    if ((botName !== undefined && record.bot !== botName) || record.bot === principal.user) continue
    const rank = commandRank(directory, record, room, principal.user)
    if (rank === null || rank >= best) continue
    chosen = record
    best = rank
  }
  return chosen ? { bot: chosen.bot, owner: chosen.owner, command, args } : null
}

/** The entry in the bot's event log; `message` is the complete message. */
export function commandDraft(
  actor: Actor,
  room: string,
  { bot, command, args }: CommandUse,
  checked: CheckedMessage,
): Draft {
  const by = actor.principal.user
  const message = JSON.parse(`{${checked.inside}}`) as object
  const { cid, inside } = checked
  return {
    ...userEvent(bot, { type: 'command', room, by, command, args, message }),
    from: by,
    dedupe: cid === null ? null : dedupeOf(actor, cid, inside),
  }
}
