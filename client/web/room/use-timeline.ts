import { useLayoutEffect, useMemo } from 'preact/hooks'
import type { Item, Timeline, TimelineOptions } from '../../index.js'
import { usePresent } from '../state/context.js'
import { signalOf } from '../state/live.js'
import { keptTimelines } from './kept-timelines.js'
import { News } from './news.js'
import { type Rows, useRows } from './use-rows.js'
import type { View } from './view.js'

export interface Shown extends Rows {
  readonly timeline: Timeline
  readonly items: readonly Item[]
  readonly state: Timeline['state']['current']
  /** It has not begun, though the user is in the room, and there is a connection, or none for now. */
  readonly mayBegin: boolean
  /** The seq of the first message that was missed; null: none was, or it is not known yet. */
  readonly newFrom: number | null
  /** What is shown may be read. */
  readonly isUpToDate: boolean
}

/** Of a conversation without a message there is nothing to wait for. */
const NOT_BEGUN = { older: 'end', newer: 'end' } as const

/** The window over the messages of a room or thread, as long as it is shown. @param at A message to begin at; null: where the reader left off */
export function useTimeline(view: View, at: number | null): Shown {
  const { chat } = usePresent()
  const { room, thread } = view
  const kept = keptTimelines(chat)
  const timeline = useMemo(() => {
    const known = at === null && thread === null ? kept.take(room.id) : null
    return known ?? room.timeline({ ...placeOf(thread, at), size: 60 })
  }, [view])
  // Not `useEffect`: of a view that is taken away before it was painted that never runs, and what it had would stay.
  useLayoutEffect(() => () => (thread === null ? kept.keep(room.id, timeline) : timeline.dispose()), [timeline])
  const news = useMemo(() => new News(chat, room.id), [view])
  useLayoutEffect(() => () => news.dispose(), [news])
  const status = signalOf(chat.status).value.state
  const isMember = signalOf(room.info).value !== null
  const state = isMember || status !== 'online' ? signalOf(timeline.state).value : NOT_BEGUN
  const items = signalOf(timeline.items).value
  // Before rows are shown that look into it.
  view.items.value = items
  // Of a thread it is not kept where it was left.
  const newFrom = thread === null ? news.from.value : null
  return {
    ...useRows(items, newFrom, at),
    timeline,
    items,
    state,
    mayBegin:
      [state.older, state.newer].every((edge) => edge === 'loading') &&
      isMember &&
      ['online', 'waiting'].includes(status),
    newFrom,
    isUpToDate: news.isKnown.value,
  }
}

function placeOf(thread: number | null, at: number | null): TimelineOptions {
  return thread === null ? { at: at ?? 'unread' } : { at: at ?? 'latest', thread }
}
