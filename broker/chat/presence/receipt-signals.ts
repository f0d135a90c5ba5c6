/** What is told of a receipt that was moved. */
import { topics } from '../../../schemas/topics.js'
import type { ReceiptRecord } from '../../store/receipts.js'
import type { Signal } from '../model/signals.js'

/** @param isLarge In a large room, sending every receipt to everyone would grow with the square of the number of members */
export function* receiptSignals(before: ReceiptRecord, after: ReceiptRecord, isLarge: boolean): Generator<Signal> {
  const { room, user, read, sharedRead, delivered, at, threads = {} } = after
  const shown = (how: object): Buffer => Buffer.from(JSON.stringify({ user, ...how, delivered, ts: at }))
  const toSelf = (how: object): Signal => {
    return { kind: 'ephemeral', topic: topics.room(room, 'receipts'), payload: shown(how), qos: 0, only: user }
  }
  if (sharedRead > before.sharedRead || delivered > before.delivered)
    yield isLarge
      ? toSelf({ read: sharedRead })
      : { kind: 'receipt', room, user, read: sharedRead, delivered, payload: shown({ read: sharedRead }) }
  if (read > before.read && read > sharedRead) yield toSelf({ read, private: true })
  for (const [thread, place] of Object.entries(threads))
    if (place !== before.threads?.[Number(thread)]) yield toSelf({ read: place, thread: Number(thread), private: true })
}
