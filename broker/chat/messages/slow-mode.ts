/**
 * Slow mode: when each person last wrote in a room that has it. The record is written with the message, so that of two messages at the same
 * time, on whatever nodes, one is early, and one that is refused or fails does not count.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { ExpiringStore } from '../../store/expiring.js'
import type { Op } from '../../store/op.js'
import type { RoomRecord } from '../../store/rooms.js'

/** A room, and its seconds between two messages of a person. */
export type SlowRoom = Pick<RoomRecord, 'id' | 'slowMode'>

/** @throws Refusal `rate_limited` if the person wrote a moment ago */
export async function requirePace(
  expiring: Pick<ExpiringStore, 'get'>,
  room: SlowRoom,
  person: string,
  now = Date.now(),
): Promise<void> {
  const last = await expiring.get('lastMessage', [person, room.id], now)
  const waitMs = last ? last.at + room.slowMode * 1000 - now : 0
  if (waitMs > 0) throw tooEarly(room, waitMs)
}

/** The op that counts a message, in the decision that writes it. @throws Refusal `rate_limited` */
export async function paceOp(expiring: ExpiringStore, room: SlowRoom, person: string, now = Date.now()): Promise<Op> {
  await requirePace(expiring, room, person, now)
  return expiring.putOp('lastMessage', [person, room.id], { at: now, until: now + room.slowMode * 1000 })
}

/** A final refusal (acknowledged and answered): pausing or closing the connection would also delay the client's other rooms. */
export function tooEarly({ id, slowMode }: SlowRoom, waitMs: number): Refusal {
  const why = `${id} is in slow mode: one message every ${slowMode} s`
  return new Refusal('rate_limited', why, { retryAfter: Math.ceil(waitMs / 1000), final: true })
}
