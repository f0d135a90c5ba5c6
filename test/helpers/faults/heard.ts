/** What a message that a client got says, as an event of the history. */
import type { Event, QoS } from '../../models/history/events.js'

export interface Message {
  readonly session: string
  readonly connection: number
  readonly topic: string
  readonly payload: string
  readonly qos: QoS
}

/** Null: replies, which the client asked for itself. */
export function eventOf({ session, connection, topic, payload, qos }: Message): Event | null {
  const [first, name, leaf] = topic.split('/') as [string, string, string]
  if (first === 'plain')
    return { type: 'delivered', session, connection, log: null, message: payload, entry: null, qos }
  if (first === 'jobs') return { type: 'job', session, connection, message: payload, qos }
  if (first === 'wills') return { type: 'will', session, will: payload }
  if (leaf === 'replies') return null
  const body = JSON.parse(payload)
  if (first === 'rooms' && leaf === 'events') {
    const { seq, id, type: kind, user, role } = body
    return { type: 'room event', session, room: name, seq, id, kind, user, role }
  }
  if (first === 'users' && leaf === 'presence')
    return { type: 'presence', watcher: session, user: name, state: body.state }
  if (first === 'rooms' && leaf === 'receipts') {
    const { user, read, delivered } = body
    return { type: 'receipt', session, connection, room: name, user, read, delivered }
  }
  const { room, cid, id, seq } = body
  return { type: 'delivered', session, connection, log: room, message: cid, entry: { id, seq }, qos }
}
