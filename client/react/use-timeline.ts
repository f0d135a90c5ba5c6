import { useEffect, useState } from 'react'
import type { Item, Room, Timeline, TimelineOptions, TimelineState } from '../index.js'
import { useLiveOr } from './use-live.js'

export interface TimelineView {
  /** Ascending. An item that has not changed stays the same object: a fit for `memo`. */
  readonly items: readonly Item[]
  readonly state: TimelineState
  /** Moves the window: `older`, `newer`, `jump`. Null in the first rendering, and on a server. */
  readonly timeline: Timeline | null
}

const NO_ITEMS: readonly Item[] = []
const LOADING: TimelineState = { older: 'loading', newer: 'loading' }

interface Made {
  readonly room: Room
  readonly key: string
  readonly timeline: Timeline
}

/**
 * A timeline of the component: it begins when that is mounted, anew when the room or the options change, and ends with it.
 * @param options Compared by their values: they need not stay the same object
 */
export function useTimeline(room: Room, options: TimelineOptions = {}): TimelineView {
  const key = JSON.stringify(options)
  const [made, setMade] = useState<Made | null>(null)
  useEffect(() => {
    const timeline = room.timeline(JSON.parse(key) as TimelineOptions)
    setMade({ room, key, timeline })
    return () => timeline.dispose()
  }, [room, key])
  // Of another room nothing is shown, not even once.
  const timeline = made?.room === room && made.key === key ? made.timeline : null
  return {
    items: useLiveOr(timeline?.items ?? null, NO_ITEMS),
    state: useLiveOr(timeline?.state ?? null, LOADING),
    timeline,
  }
}
