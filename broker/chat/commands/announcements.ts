import { announcementRoles } from '../../../schemas/announcement.js'
import type { ANNOUNCEMENT_COMMANDS } from '../../../schemas/commands/announcements.js'
import { Refusal } from '../../../schemas/errors.js'
import { isChannelId } from '../../../schemas/ids.js'
import { topics } from '../../../schemas/topics.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { readHistory } from '../history/history.js'
import { type Actor, hasOneOf, requireRole } from '../model/actor.js'
import { type PublishFunction, publishAndWait } from '../model/publish-gate.js'
import { logs, type Views } from '../model/views.js'
import type { Announcements } from '../notices/announcements.js'
import type { Handlers } from './table.js'

/** Bytes of the reply beside the announcements. */
const ENVELOPE = 4096
/** Entries and bytes that are searched, from the newest on, for an announcement the actor may see. */
const LOOKED_AT = 200
const LOOKED_AT_BYTES = 1024 * 1024

export interface AnnouncementCommandDeps {
  readonly store: Store
  readonly announcements: Announcements
  readonly views: Views
  readonly publish: PublishFunction
  readonly replyBytes: number
}

export function announcementCommands(deps: AnnouncementCommandDeps): Handlers<keyof typeof ANNOUNCEMENT_COMMANDS> {
  const { store, announcements, views, publish, replyBytes } = deps
  return {
    broadcast: async (actor, { channel, retain = false, ...input }) => {
      requireRole(actor, 'publisher')
      requireChannel(channel)
      // With an explicit type it is always a message; an object with none of the known keys would be taken as data.
      const message = { type: 'text', ...input }
      const { id, seq, ts } = await publishAndWait(publish, actor, topics.broadcast(channel), message, retain)
      return JSON.stringify({ id, channel, seq, ts })
    },
    'broadcast.clear': async (actor, { channel }) => {
      requireRole(actor, 'publisher')
      requireChannel(channel)
      await announcements.clear(channel)
      return '{}'
    },
    'broadcast.history': async (actor, { channel, limit = 50, ...query }) => {
      requireChannel(channel)
      const maxBytes = replyBytes - ENVELOPE
      const isFor = (entry: LogEntry): boolean => isForActor(actor, channel, entry)
      const reader = actor.principal.user
      return readHistory(store, logs.broadcast(channel), { ...query, limit, maxBytes, hidden: 0, reader, isFor })
    },
    'broadcast.channels': async (actor, { after = '', limit = 50 }) => {
      const channels: { channel: string; last: number; ts: number }[] = []
      for (const channel of [...views.channels].sort()) {
        if (channel <= after) continue
        const last = await newestFor(store, actor, channel)
        if (last && channels.length === limit) return JSON.stringify({ channels, more: true })
        if (last) channels.push({ channel, last: last.seq, ts: last.ts })
      }
      return JSON.stringify({ channels, more: false })
    },
  }
}

async function newestFor(store: Store, actor: Actor, channel: string): Promise<LogEntry | undefined> {
  const log = logs.broadcast(channel)
  const { head } = await store.log.open(log)
  const entries = await store.log.readBefore(log, head + 1, LOOKED_AT, LOOKED_AT_BYTES)
  return entries.findLast((entry) => isForActor(actor, channel, entry))
}

function isForActor(actor: Actor, channel: string, { payload }: LogEntry): boolean {
  return hasOneOf(actor, announcementRoles(topics.broadcast(channel), payload))
}

function requireChannel(channel: string): void {
  if (!isChannelId(channel))
    throw new Refusal('bad_request', `${JSON.stringify(channel)} is not a channel id`, { field: 'channel' })
}
