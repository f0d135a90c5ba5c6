/** Maps topic filters to logs and topics for a user, as the topic table of DESIGN §2 says. This happens nowhere else. */
import { directPeer, isDirectRoom } from '../../../schemas/ids.js'
import { CHANGE_TYPES } from '../../../schemas/message.js'
import { type Filter, type RoomLeaf, topics, type UserLeaf } from '../../../schemas/topics.js'
import type { View } from '../../hub.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry, LogReader } from '../../store/logs.js'
import type { MemberRecord } from '../../store/rooms.js'
import { messageIdOf } from './stamp.js'

export const logs = {
  messages: (room: string): LogName => `m:${room}`,
  roomEvents: (room: string): LogName => `e:${room}`,
  userEvents: (user: string): LogName => `u:${user}`,
  notifications: (user: string): LogName => `n:${user}`,
  broadcast: (channel: string): LogName => `b:${channel}`,
  deviceCommands: (device: string): LogName => `d:${device}`,
  audit: (): LogName => 'a:acts',
  serverAudit: (): LogName => 'a:server',
}

/** The topic under which sessions listen that may see everyone's presence, now and later. */
export const ANY_PRESENCE = topics.user('+', 'presence')

/** What a filter matches: views of logs (with cursor), and topics of ephemeral messages. */
export interface FilterViews {
  views: View[]
  topics: string[]
}

const LOGGED_ROOM_LEAVES: ReadonlySet<RoomLeaf> = new Set(['messages', 'text', 'events'])

export class Views {
  readonly #directory: DirectoryStore
  /** Channels that had a log at the start: those of earlier versions have no record. */
  readonly #logged = new Set<string>()

  constructor(directory: DirectoryStore) {
    this.#directory = directory
  }

  /** Reads the names of the broadcast channels. */
  async load(log: LogReader): Promise<void> {
    for await (const name of log.names()) {
      if (name.startsWith('b:')) this.#logged.add(name.slice(2))
    }
  }

  get channels(): ReadonlySet<string> {
    return new Set([...this.#logged, ...this.#directory.channels()])
  }

  isChannel(name: string): boolean {
    return this.#logged.has(name) || this.#directory.isChannel(name)
  }

  /** Upper bound of the views of a filter that follows memberships; 0: it follows none. Cheap: memberships are counted, not checked. */
  breadth(filter: Filter, user: string): number {
    if (filter.kind === 'shared') return this.breadth(filter.of, user)
    const rooms = this.#directory.memberships(user).size
    if (filter.kind === 'room') return filter.room === null ? rooms * filter.leaves.length : 0
    const mine = filter.kind === 'user' && (filter.user === null || filter.user === user)
    return mine && filter.leaves.includes('messages') ? rooms : 0
  }

  /** All that `filter` matches for `user` now. */
  viewsOf(filter: Filter, user: string): FilterViews {
    switch (filter.kind) {
      case 'room':
        return this.#roomViews(filter, user)
      case 'user':
        return this.#userViews(filter, user)
      case 'broadcast': {
        const channels = filter.channel === null ? [...this.channels] : [filter.channel]
        return { views: channels.map(broadcastView), topics: [] }
      }
      case 'device': {
        const own = filter.commands && (filter.user === null || filter.user === user)
        return { views: own && this.#directory.devices.get(user) ? [this.#commandView(user)] : [], topics: [] }
      }
      default:
        return { views: [], topics: [] }
    }
  }

  /** The commands of a device that are still open; a closed command is not delivered. */
  #commandView(device: string): View {
    const log = logs.deviceCommands(device)
    const { open } = this.#directory.devices
    const form = ({ payload }: LogEntry): Buffer => (open.get(device, messageIdOf(payload)) ? payload : NOTHING)
    return { cursor: log, log, topic: topics.device(device, 'commands'), form, room: null, fromStart: true }
  }

  /** The view of a cursor; null if `user` may not see it any more. */
  viewOfCursor(cursor: string, user: string): View | null {
    const name = cursor.slice(2)
    const kind = cursor.slice(0, 2)
    if (kind === 'b:') return this.isChannel(name) ? broadcastView(name) : null
    if (kind === 'd:') return name === user && this.#directory.devices.get(name) ? this.#commandView(name) : null
    if (kind === 'u:' || kind === 'n:') {
      const own: Filter = { kind: 'user', user, leaves: [kind === 'u:' ? 'events' : 'notifications'] }
      return this.viewsOf(own, user).views.find((view) => view.cursor === cursor) ?? null
    }
    if (!this.#directory.member(name, user)) return null
    const views = [...directViews(name, user), ...LOGGED_ROOM_LEAVES].map((one) =>
      typeof one === 'string' ? roomView(name, one) : one,
    )
    return views.find((view) => view.cursor === cursor) ?? null
  }

  /** What `filter` matches in one room or direct conversation that `user` is a member of. */
  viewsInRoom(filter: Filter, user: string, room: string): FilterViews {
    if (filter.kind === 'user') {
      const mine = filter.user === null || filter.user === user
      return { views: mine && filter.leaves.includes('messages') ? directViews(room, user) : [], topics: [] }
    }
    if (filter.kind !== 'room' || (filter.room !== null && filter.room !== room)) return { views: [], topics: [] }
    const views: View[] = []
    const liveTopics: string[] = []
    const peer = directPeer(room, user)
    for (const leaf of filter.leaves) {
      if (!LOGGED_ROOM_LEAVES.has(leaf)) liveTopics.push(topics.room(room, leaf))
      else if (peer === null) views.push(roomView(room, leaf))
    }
    return { views, topics: liveTopics }
  }

  /** Start of a cursor that no subscription has set: the head at the join, or 0 for logs that began later. */
  start(view: View, user: string): number {
    if (view.room === null) return 0
    const joined = this.#directory.member(view.room, user)?.joined
    if (!joined) return 0
    return view.log.startsWith('e:') ? joined.events : joined.messages
  }

  #roomViews(filter: Filter & { kind: 'room' }, user: string): FilterViews {
    const memberships = this.#directory.memberships(user)
    const rooms = filter.room === null ? [...memberships.keys()] : memberships.has(filter.room) ? [filter.room] : []
    const matched: FilterViews = { views: [], topics: [] }
    for (const room of rooms) {
      const { views, topics: live } = this.viewsInRoom(filter, user, room)
      matched.views.push(...views)
      matched.topics.push(...live)
    }
    return matched
  }

  #userViews(filter: Filter & { kind: 'user' }, user: string): FilterViews {
    const matched: FilterViews = { views: [], topics: [] }
    if (filter.user !== null && filter.user !== user) {
      if (filter.leaves.includes('presence')) matched.topics.push(topics.user(filter.user, 'presence'))
      return matched
    }
    for (const leaf of filter.leaves) this.#addUserLeaf(leaf, filter.user === null, user, matched)
    return matched
  }

  #addUserLeaf(leaf: UserLeaf, anyone: boolean, user: string, matched: FilterViews): void {
    switch (leaf) {
      case 'messages':
        for (const room of this.#directory.memberships(user).keys()) matched.views.push(...directViews(room, user))
        return
      case 'events':
        matched.views.push({
          cursor: logs.userEvents(user),
          log: logs.userEvents(user),
          topic: topics.user(user, 'events'),
          form: null,
          room: null,
        })
        return
      case 'notifications':
        matched.views.push({
          cursor: logs.notifications(user),
          log: logs.notifications(user),
          topic: topics.user(user, 'notifications'),
          form: null,
          room: null,
        })
        return
      case 'presence':
        matched.topics.push(anyone ? ANY_PRESENCE : topics.user(user, 'presence'))
        return
      default:
        matched.topics.push(topics.user(user, leaf))
    }
  }
}

/**
 * Entries up to this seq of a room's log are hidden from the member: a user of a deleted and re-registered name does not see the past of a direct
 * conversation.
 */
export function hiddenFrom(
  { room, joined }: Pick<MemberRecord, 'room' | 'joined'>,
  log: keyof MemberRecord['joined'] = 'messages',
): number {
  return isDirectRoom(room) ? joined[log] : 0
}

/** Names of all cursors that a session may have in a room. */
export function roomCursors(room: string): string[] {
  return [logs.messages(room), textCursor(room), logs.roomEvents(room)]
}

const textCursor = (room: string): string => `t:${room}`

function roomView(room: string, leaf: RoomLeaf): View {
  const log = leaf === 'events' ? logs.roomEvents(room) : logs.messages(room)
  const cursor = leaf === 'text' ? textCursor(room) : log
  return { cursor, log, topic: topics.room(room, leaf), form: leaf === 'text' ? bareText : null, room }
}

function directViews(room: string, user: string): View[] {
  if (directPeer(room, user) === null) return []
  return [
    { cursor: logs.messages(room), log: logs.messages(room), topic: topics.user(user, 'messages'), form: null, room },
  ]
}

function broadcastView(channel: string): View {
  return {
    cursor: logs.broadcast(channel),
    log: logs.broadcast(channel),
    topic: topics.broadcast(channel),
    form: null,
    room: null,
  }
}

const NOTHING = Buffer.alloc(0)

/**
 * A message as bare text: its text, or its data as JSON. An edit gives its new text. A message without content (a reaction, a delete) gives
 * nothing.
 */
function bareText(entry: LogEntry): Buffer {
  const message = JSON.parse(entry.payload.toString('utf8')) as { type: string; text?: string; data?: unknown }
  const hasContent = message.type === 'edit' || !CHANGE_TYPES.has(message.type)
  if (!hasContent || message.type === 'encrypted') return NOTHING
  if (typeof message.text === 'string') return Buffer.from(message.text, 'utf8')
  return message.data === undefined ? NOTHING : Buffer.from(JSON.stringify(message.data), 'utf8')
}
