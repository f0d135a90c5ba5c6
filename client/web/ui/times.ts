/** Times as the person reads them: in their language and time zone. */
import { computed } from '@preact/signals'
import { locale, texts } from '../text/text.js'

const DAY = 86_400_000

const formats = computed(() => ({
  durations: new Map<string, Intl.NumberFormat>(),
  clock: new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium' }),
  time: byMinute(new Intl.DateTimeFormat(locale.value, { timeStyle: 'short' })),
  weekday: new Intl.DateTimeFormat(locale.value, { weekday: 'short' }),
  shortDate: new Intl.DateTimeFormat(locale.value, { dateStyle: 'short' }),
  day: new Intl.DateTimeFormat(locale.value, { weekday: 'long', day: 'numeric', month: 'long' }),
  dayOfYear: new Intl.DateTimeFormat(locale.value, { dateStyle: 'full' }),
  date: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium' }),
  moment: new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }),
  full: byMinute(new Intl.DateTimeFormat(locale.value, { dateStyle: 'full', timeStyle: 'short' })),
}))

/** The same for all that was said within one minute: it is not written anew for each message. */
function byMinute(format: Intl.DateTimeFormat): Pick<Intl.DateTimeFormat, 'format'> {
  let last = { minute: NaN, text: '' }
  return {
    format(ts: number) {
      const minute = Math.floor(ts / 60_000)
      if (minute !== last.minute) last = { minute, text: format.format(ts) }
      return last.text
    },
  }
}

/** Of a message: the time of day. */
export const timeOf = (ts: number): string => formats.value.time.format(ts)

/** To the second: of what is measured. */
export const clockOf = (ts: number): string => formats.value.clock.format(ts)

/** With the date, for a tooltip. */
export const fullTimeOf = (ts: number): string => formats.value.full.format(ts)

/** In a sentence: a date. */
export const dateOf = (ts: number): string => formats.value.date.format(ts)

/** In a sentence: a date with its time. */
export const momentOf = (ts: number): string => formats.value.moment.format(ts)

/** In a list: the time today, the weekday within a week, else the date. */
export function shortTimeOf(ts: number, now = Date.now()): string {
  const days = daysBetween(ts, now)
  const { time, weekday, shortDate } = formats.value
  return (days === 0 ? time : days > 0 && days < 7 ? weekday : shortDate).format(ts)
}

/** Of a separator: today, yesterday, else the day. */
export function dayOf(ts: number, now = Date.now()): string {
  const days = daysBetween(ts, now)
  if (days === 0) return texts.value.today
  if (days === 1) return texts.value.yesterday
  const { day, dayOfYear } = formats.value
  return (new Date(ts).getFullYear() === new Date(now).getFullYear() ? day : dayOfYear).format(ts)
}

const UNITS = [
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** Seconds in words, in the largest unit that needs no fraction. */
export function durationOf(seconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => seconds % length === 0) ?? ['second', 1]
  const { durations } = formats.value
  const format =
    durations.get(unit) ?? new Intl.NumberFormat(locale.value, { style: 'unit', unit, unitDisplay: 'long' })
  durations.set(unit, format)
  return format.format(seconds / length)
}

/** The day as dates are written for machines: `2026-01-31`. */
export function isoDateOf(ts: number): string {
  const day = new Date(ts)
  const digits = (part: number): string => String(part).padStart(2, '0')
  return `${day.getFullYear()}-${digits(day.getMonth() + 1)}-${digits(day.getDate())}`
}

/** Days of the calendar here, from `from` to `to`. */
export function daysBetween(from: number, to: number): number {
  return Math.round((midnightOf(to) - midnightOf(from)) / DAY)
}

function midnightOf(ts: number): number {
  return new Date(ts).setHours(0, 0, 0, 0)
}
