import type { ReadonlySignal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Item } from '../../index.js'
import { texts } from '../text/text.js'
import { lazy } from '../ui/lazy.js'
import { rove } from '../ui/roving.js'
import type { AskedDay } from './date-picker.js'
import type { Weave } from './event-weave.js'
import { FetchFailure } from './fetch-failure.js'
import { JumpButton } from './jump-button.js'
import { useRowElements } from './row-elements.js'
import { daysOf } from './rows.js'
import { TimelineSkeleton } from './timeline-skeleton.js'
import { Typing } from './typing.js'
import { useAnnounced } from './use-announced.js'
import { useReading } from './use-reading.js'
import { useScroller } from './use-scroller.js'
import { useTimeline } from './use-timeline.js'
import type { View } from './view.js'

const DatePicker = lazy(() => import('./date-picker.js'))
const RoomEvents = lazy(() => import('./room-events.js'), true)
const PinsLine = lazy(() => import('../pins/pins-line.js'))
const FirstWords = lazy(() => import('../rooms/manage/first-words.js'))

interface TimelineViewProps {
  readonly view: View
  /** The seq of a message to begin at; null: where the reader left off. */
  readonly at: number | null
  /** Changes with each message that the user sends here: the end is shown then. */
  readonly sent: ReadonlySignal<number>
}

/** The messages of a room, or of a thread. */
export function TimelineView({ view, at, sent }: TimelineViewProps) {
  const t = texts.value
  const { room, thread } = view
  const messages = useTimeline(view, at)
  const { isWhole } = messages
  const { older, newer } = messages.state
  const [weave, tellWeave] = useState<Weave | null>(null)
  const rows = useMemo(() => {
    const ends = { isBegun: older === 'end', isEnded: newer === 'end' }
    // The messages first.
    return weave && isWhole ? weave(messages.rows, ends) : messages.rows
  }, [messages.rows, weave, isWhole, older, newer])
  const shown = { ...messages, rows }
  const list = useRef<HTMLDivElement>(null)
  const [day, askDay] = useState<AskedDay | null>(null)
  const { seen, answered } = useReading(list, view, shown.isUpToDate)
  const { isAtEnd, fetching, toLatest } = useScroller(list, shown, {
    at,
    asked: view.asked,
    read: seen,
    missed: (seq) => (view.missed.value = seq),
  })
  useAnnounced(shown.items, isAtEnd)
  const isLoading = older === 'loading' && rows.length === 0
  const last = rows.findLast((row) => row.kind === 'item')?.key
  const elementOf = useRowElements(last, fetching)
  useEffect(() => {
    if (sent.value === 0) return
    answered()
    toLatest()
  }, [sent.value])
  return (
    <div class="timeline-pane">
      {thread === null && <PinsLine room={room.id} changes={pinsOf(shown.items)} />}
      <div
        class="timeline"
        role="log"
        aria-live="off"
        aria-label={t.messages}
        aria-busy={isLoading}
        ref={list}
        onKeyDown={rove}
        onClick={({ target }) => {
          const pressed = (target as Element).closest('.to-date')?.querySelector('time')
          if (pressed) askDay({ date: pressed.dateTime })
        }}
      >
        <div class="timeline-rows">
          {isWhole && older === 'end' && thread === null && (
            <Beginning room={room.id} hasMessages={shown.items.length > 0} />
          )}
          {isWhole && older === 'loading' && fetching.failure.value === null && <Loading isFirst={isLoading} />}
          <FetchFailure fetching={fetching} at="older" />
          {daysOf(rows).map((day) => (
            <div key={day.key} class="day-rows">
              {day.rows.map(elementOf)}
            </div>
          ))}
          <FetchFailure fetching={fetching} at="newer" />
        </div>
      </div>
      {thread === null && !room.id.startsWith('dm:') && isWhole && !isLoading && (
        <RoomEvents
          room={room.id}
          from={older === 'end' ? 0 : oldestOf(shown.items)}
          tell={(weave) => tellWeave(() => weave)}
        />
      )}
      {thread === null && day && <DatePicker room={room.id} day={day} />}
      {rows.length > 0 && <JumpButton view={view} isAtEnd={isAtEnd} newer={newer} jump={toLatest} />}
      {thread === null && <Typing room={room} />}
    </div>
  )
}

/** Which of them are pinned, or about to be or not to be: the broker is asked again when that is over. */
function pinsOf(items: readonly Item[]): string {
  const pins = items.flatMap((item) => {
    if (item.kind !== 'message') return []
    const isChanging = item.changes?.some(({ input: { type } }) => type === 'pin' || type === 'unpin')
    return isChanging ? `${item.message.seq}…` : item.message.pinned ? item.message.seq : []
  })
  return pins.join()
}

/** Unix ms of the oldest message that is there. */
function oldestOf(items: readonly Item[]): number {
  const oldest = items.find((item) => item.kind === 'message')
  return oldest?.kind === 'message' ? oldest.message.ts : Number.POSITIVE_INFINITY
}

function Loading({ isFirst }: { isFirst: boolean }) {
  return isFirst ? <TimelineSkeleton /> : <p class="loading">{texts.value.loading}</p>
}

function Beginning({ room, hasMessages }: { room: string; hasMessages: boolean }) {
  if (hasMessages) return <p class="beginning">{texts.value.beginning}</p>
  return (
    <div class="empty">
      <FirstWords room={room} />
    </div>
  )
}
