/** Refuses writes that need disk space while the disk is nearly full. Reads, deletions and protective commands stay available. */
import { COMMANDS, type CommandName } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'

export interface DiskSpace {
  /** Less is free than `store.level.minFree`. */
  readonly low: boolean
}

/** Seconds after which a client may try again. */
const RETRY_AFTER = 30

/** Writing commands that stay available. `send` is checked by the type of the message; a read cursor overwrites one number. */
const ALLOWED_WHEN_FULL: ReadonlySet<CommandName> = new Set<CommandName>([
  'accounts.delete',
  'accounts.suspend',
  'account.export',
  'blocks.add',
  'blocks.remove',
  'account.data.delete',
  'bots.delete',
  'broadcast.clear',
  'contacts.remove',
  'devices.decline',
  'devices.remove',
  'devices.unbridge',
  'devices.unshare',
  'files.delete',
  'keys.revoke',
  'markUnread',
  'notifications.ack',
  'read',
  'reports.resolve',
  'rooms.ban',
  'rooms.delete',
  'rooms.deny',
  'rooms.leave',
  'rooms.links.revoke',
  'rooms.mute',
  'rooms.remove',
  'saved.remove',
  'send',
  'sessions.end',
  'sessions.endOthers',
  'webhooks.delete',
])

export function requireSpace({ low }: DiskSpace): void {
  if (low) throw diskFull()
}

export function requireSpaceFor(space: DiskSpace, name: CommandName): void {
  if (space.low && writes(name)) throw diskFull()
}

function writes(name: CommandName): boolean {
  const { rate } = COMMANDS[name]
  return name === 'auth.register' || ((rate === 'write' || rate === 'create') && !ALLOWED_WHEN_FULL.has(name))
}

function diskFull(): Refusal {
  const why = 'the disk is nearly full: less is free than store.level.minFree; nothing was stored'
  return new Refusal('unavailable', why, { retryAfter: RETRY_AFTER })
}
