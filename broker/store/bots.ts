/** Bots: users that act for another user. */
import type { Op } from './op.js'

/** A command that a bot takes: a message that begins with `/name` goes to the bot alone. */
export interface SlashCommand {
  name: string
  description: string
  usage?: string
}

/** A user that acts for another. */
export interface BotRecord {
  bot: string
  owner: string
  /** Unix ms. */
  createdAt: number
  commands: SlashCommand[]
}

/** From memory. The record of a bot goes with its account. */
export interface BotRecords {
  get(bot: string): BotRecord | undefined
  ofOwner(owner: string): readonly BotRecord[]
  /** Bots that take the command, the one made first in front. */
  taking(command: string): readonly BotRecord[]
  putOp(record: BotRecord): Op
}
