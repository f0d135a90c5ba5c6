/** Slow mode: when the user may write again in a room. */
import { type Signal, signal } from '@preact/signals'
import type { Chat, RoomInfo } from '../../index.js'
import { ofChat } from '../state/of-chat.js'

/** What is known of the messages of one user. */
interface Pace {
  /** Unix ms at which the user last sent something, by room. */
  readonly sent: Signal<ReadonlyMap<string, number>>
  /** The message of a room that came from the future, by the clock of the device, and when it was first seen. */
  readonly early: Map<string, { readonly ts: number; readonly at: number }>
  /** By room, when the user sent the last message that counts for nothing, as there was no slow mode for them; Infinity: there still is none. */
  readonly free: Map<string, number>
}

const paceOf = ofChat((): Pace => ({ sent: signal(new Map()), early: new Map(), free: new Map() }))

/** To be called with each message that is sent. */
export function noteSent(chat: Chat, room: string): void {
  const { sent } = paceOf(chat)
  sent.value = new Map(sent.peek()).set(room, Date.now())
}

/** Ms that are left to wait. */
export function waitOf(chat: Chat, me: string, info: RoomInfo | null, now: number): number {
  if (!info) return 0
  const { room, role, slowMode } = info
  const { sent, early, free } = paceOf(chat)
  const last = chat.rooms.current.find((one) => one.room === room)?.last
  const shown = last && !('gone' in last) && last.from === me ? heardAt(early, room, last.ts, now) : 0
  const at = Math.max(shown, sent.value.get(room) ?? 0)
  // Those who moderate need not wait.
  const isSlow = slowMode > 0 && (role === 'member' || role === 'reader')
  if (!isSlow) free.set(room, Infinity)
  else if (free.get(room) === Infinity) free.set(room, at)
  if (!isSlow || at <= (free.get(room) ?? 0)) return 0
  return Math.min(slowMode * 1000, Math.max(0, at + slowMode * 1000 - now))
}

/** The clock of the device may be behind. */
function heardAt(early: Pace['early'], room: string, ts: number, now: number): number {
  const before = early.get(room)
  if (before?.ts === ts) return before.at
  if (ts <= now) return ts
  early.set(room, { ts, at: now })
  return now
}
