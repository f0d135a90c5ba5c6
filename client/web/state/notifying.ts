/** Whether this browser notifies of messages, and how: asked for by the person, never by the page. */
import { computed, signal } from '@preact/signals'
import { onSaved, save, saved } from './saved.js'

/** What a notification shows: who has written, or also what. */
export const NOTIFYING = ['off', 'sender', 'text'] as const
export type Notifying = (typeof NOTIFYING)[number]

/** Over plain http from another machine browsers have neither. */
export const canNotify = 'Notification' in window && 'serviceWorker' in navigator

const known = (value: string | null): Notifying | null => NOTIFYING.find((one) => one === value) ?? null

/** Null: the person has not been asked. */
const chosen = signal(known(saved('notifying')))
const permission = signal<NotificationPermission>(canNotify ? Notification.permission : 'denied')
onSaved('notifying', (value) => {
  chosen.value = known(value)
  if (canNotify) permission.value = Notification.permission
})

export const notifying = computed<Notifying>(() => (permission.value === 'granted' ? (chosen.value ?? 'off') : 'off'))
/** The browser asks nobody any more: the person has to change it there. */
export const isBlocked = computed(() => permission.value === 'denied')
export const isUndecided = computed(() => canNotify && chosen.value === null && !isBlocked.value)

/** To be called by what the person does: the browser asks then, if it has not. False: the person did not allow it there. */
export async function chooseNotifying(wanted: Notifying): Promise<boolean> {
  if (wanted !== 'off') permission.value = await Notification.requestPermission()
  if (wanted !== 'off' && permission.value !== 'granted') return false
  chosen.value = wanted
  save('notifying', wanted)
  return true
}

/** Times of a day, `HH:MM`: none are shown between them; null: there are no quiet hours. */
export interface QuietHours {
  readonly from: string
  readonly to: string
}

export const quietHours = signal(readQuiet(saved('quiet')))
onSaved('quiet', (value) => {
  quietHours.value = readQuiet(value)
})

export function chooseQuietHours(hours: QuietHours | null): void {
  quietHours.value = hours
  save('quiet', hours && `${hours.from}-${hours.to}`)
}

/** They may go over midnight. */
export function isQuiet(hours: QuietHours | null, now: Date): boolean {
  if (!hours) return false
  const time = `${two(now.getHours())}:${two(now.getMinutes())}`
  const { from, to } = hours
  return from <= to ? from <= time && time < to : from <= time || time < to
}

function readQuiet(value: string | null): QuietHours | null {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(value ?? '') ?? []
  return from !== undefined && to !== undefined ? { from, to } : null
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
