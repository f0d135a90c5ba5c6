/** For how long a room is muted. */
import { durationOf } from '../ui/times.js'
import { dialogTexts } from './texts.js'

/** Unix ms: so late that it is for good. */
const FOR_GOOD = Date.UTC(2100, 0)
/** Seconds. */
const HOURS = [3600, 8 * 3600] as const

interface MuteTime {
  readonly text: string
  /** Until when, Unix ms, if it begins now. */
  until(): number
}

export function muteTimes(): readonly MuteTime[] {
  const hours = HOURS.map((seconds) => ({ text: durationOf(seconds), until: () => Date.now() + seconds * 1000 }))
  return [...hours, { text: dialogTexts.value.forGood, until: () => FOR_GOOD }]
}

export function isForGood(until: number): boolean {
  return until >= FOR_GOOD
}
