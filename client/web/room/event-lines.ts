/** Events of a room as lines: several of one kind by one person are one. */
import type { Happened } from './event-feed.js'

export interface EventLine {
  readonly key: number
  readonly type: Happened['type']
  /** Whom it happened to, each once. */
  readonly users: readonly string[]
  readonly by: string | null
  readonly role: string | null
  /** The key of the room that was changed; `other`: several, or one that has no text. */
  readonly changed: string
  /** Those that it stands for. */
  readonly events: readonly Happened[]
}

/** What members tell each other of. Requests to join and what became of invitations are for those who decide on them. */
const SHOWN = [
  'created',
  'updated',
  'joined',
  'left',
  'invited',
  'removed',
  'role',
  'banned',
  'unbanned',
  'muted',
  'unmuted',
]
const CHANGES = ['name', 'topic', 'avatar', 'access']

export function isShown({ type }: Happened): boolean {
  return SHOWN.includes(type)
}

export function linesOf(events: readonly Happened[]): EventLine[] {
  const lines: EventLine[] = []
  for (const event of events) {
    const line = lineOf(event)
    const before = lines.at(-1)
    if (before && isSameKind(before, line)) lines[lines.length - 1] = together(before, line)
    else lines.push(line)
  }
  return lines
}

function lineOf(event: Happened): EventLine {
  const { seq, type, user, by = null, role = null, changed = [] } = event
  const [key = ''] = changed
  return {
    ...{ key: seq, type, users: user === undefined ? [] : [user], by, role },
    ...{ changed: changed.length === 1 && CHANGES.includes(key) ? key : 'other', events: [event] },
  }
}

function isSameKind(a: EventLine, b: EventLine): boolean {
  return a.type === b.type && a.by === b.by && a.role === b.role && a.changed === b.changed
}

function together(a: EventLine, b: EventLine): EventLine {
  return { ...a, users: [...new Set([...a.users, ...b.users])], events: [...a.events, ...b.events] }
}
