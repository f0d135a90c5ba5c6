import { useComputed } from '@preact/signals'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { areLinesShown } from '../state/room-lines.js'
import { locale } from '../text/text.js'
import { plainLine } from '../ui/plain.js'
import { fullTimeOf } from '../ui/times.js'
import { feedOf, type Happened } from './event-feed.js'
import { type EventLine, isShown, linesOf } from './event-lines.js'
import { eventTexts } from './event-texts.js'
import { type Weave, weaveOf } from './event-weave.js'

/** Names that are said of several; lines between two messages that are not folded into one. */
const NAMED = 3
const UNFOLDED = 3

interface RoomEventsProps {
  readonly room: string
  /** Unix ms of the oldest message that is shown. */
  readonly from: number
  /** Is told how rows are shown with what happened between them; null: as they are. */
  readonly tell: (weave: Weave | null) => void
}

/** Follows what happens in a room; the timeline shows it. */
export default function RoomEvents(props: RoomEventsProps) {
  return areLinesShown.value ? <Following {...props} /> : null
}

function Following({ room, from, tell }: RoomEventsProps) {
  const { chat } = usePresent()
  const feed = useMemo(() => feedOf(chat, room), [chat, room])
  useEffect(() => feed.show(from), [feed, from])
  useEffect(() => () => feed.hide(), [feed])
  const events = useComputed(() => feed.events.value.filter(isShown)).value
  useEffect(() => {
    tell(events.length === 0 ? null : weaveOf(events, (run, key) => <Run key={key} events={run} />))
  }, [events])
  useEffect(() => () => tell(null), [])
  return null
}

/** Events between two messages. Nobody reads up to them, or is brought to them: they are no rows to the scroller. */
function Run({ events }: { events: readonly Happened[] }) {
  const lines = linesOf(events)
  return (
    <div class="room-events">
      {lines.length > UNFOLDED ? (
        <Folded summary={eventTexts.value.many(events.length)} events={events} />
      ) : (
        lines.map((line) => <Line key={line.key} line={line} />)
      )}
    </div>
  )
}

function Line({ line }: { line: EventLine }) {
  const text = useTextOf(line)
  const isOne = line.events.length === 1 || line.users.length === 0
  return isOne ? (
    <p title={fullTimeOf(line.events.at(-1)!.ts)}>{text}</p>
  ) : (
    <Folded summary={text} events={line.events} />
  )
}

/** One line, and each event by itself when it is opened. */
function Folded({ summary, events }: { summary: string; events: readonly Happened[] }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && (
        <ul>
          {events.map((event) => (
            <Single key={event.seq} event={event} />
          ))}
        </ul>
      )}
    </details>
  )
}

function Single({ event }: { event: Happened }) {
  const text = useTextOf(linesOf([event])[0]!)
  return (
    <li>
      {text} <time dateTime={new Date(event.ts).toISOString()}>{fullTimeOf(event.ts)}</time>
    </li>
  )
}

function useTextOf({ type, users, by, role, changed }: EventLine): string {
  const t = eventTexts.value
  const nameOf = useNames()
  const who = listOf(users, nameOf)
  const doer = by === null ? '' : by === 'system' ? t.server : nameOf(by)
  if (type === 'created') return t.created(doer)
  if (type === 'joined') return by === null ? t.joined(who) : t.letIn(who, doer)
  if (type === 'left') return t.left(who)
  if (type === 'role') return (t.role[role as keyof typeof t.role] ?? t.role.member)(who, doer)
  if (type === 'updated') return t.updated[changed as keyof typeof t.updated](doer)
  return t[type as 'invited' | 'removed' | 'banned' | 'unbanned' | 'muted' | 'unmuted'](who, doer)
}

/** What is called so keeps its direction to itself. */
function useNames(): (user: string) => string {
  const { chat } = usePresent()
  return (user) => `\u2068${plainLine(signalOf(chat.users.profile(user)).value?.name ?? '', user)}\u2069`
}

function listOf(users: readonly string[], nameOf: (user: string) => string): string {
  const named = users.length > NAMED ? users.slice(0, NAMED - 1) : users
  const names = named.map(nameOf)
  if (named.length < users.length) names.push(eventTexts.value.others(users.length - named.length))
  return new Intl.ListFormat(locale.value, { type: 'conjunction' }).format(names)
}
