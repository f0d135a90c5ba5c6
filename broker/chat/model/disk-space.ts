/** What is refused while the disk is nearly full, before it is: what adds to it. What reads, takes away or protects goes on. */
import { COMMANDS, type CommandName } from '../../../schemas/commands.js'
import { Refusal } from '../../../schemas/errors.js'

export interface Space {
  /** Too little is left (`store.level.minFree`). */
  readonly low: boolean
}

/** Seconds after which a client may try again. */
const RETRY_AFTER = 30

/** Of those that write: `send` is decided by what is sent, and where one has read to is one number. */
const GO_ON: ReadonlySet<CommandName> = new Set<CommandName>([
  'accounts.delete',
  'accounts.suspend',
  'account.export',
  'blocks.add',
  'blocks.remove',
  'bots.delete',
  'broadcast.clear',
  'contacts.remove',
  'devices.decline',
  'devices.remove',
  'devices.unbridge',
  'devices.unshare',
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
  'send',
  'sessions.end',
  'webhooks.delete',
])

export function requireSpace({ low }: Space): void {
  if (low) throw full()
}

export function requireSpaceFor(space: Space, name: CommandName): void {
  if (space.low && writes(name)) throw full()
}

function writes(name: CommandName): boolean {
  const { rate } = COMMANDS[name]
  return name === 'auth.register' || ((rate === 'write' || rate === 'create') && !GO_ON.has(name))
}

function full(): Refusal {
  const why = 'the disk is nearly full: less is free than store.level.minFree; nothing was stored'
  return new Refusal('unavailable', why, { retryAfter: RETRY_AFTER })
}
