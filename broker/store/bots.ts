/** Bots: users that act for another user. */
import type { Op } from './op.js'

/** A slash command: a message that begins with `/name` is delivered to the bot only. */
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

/** In memory. The record of a bot is removed with its account. */
export interface BotRecords {
  get(bot: string): BotRecord | undefined
  ofOwner(owner: string): readonly BotRecord[]
  /** Bots that declare the command, the oldest first. */
  byCommand(command: string): readonly BotRecord[]
  putOp(record: BotRecord): Op
}
