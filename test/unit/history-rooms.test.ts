/** The checker of histories, about rooms: what several nodes decided has to be right in the one order of the room's events. */
import t from 'tap'
import { checkHistory } from '../models/history/check.js'
import type { Event, Founded, RoomEvent } from '../models/history/events.js'

const ROOM = 'den'

function founded(more: Partial<Founded> = {}): Event {
  return { type: 'founded', room: ROOM, members: { ann: 'owner' }, most: 2, isPrivate: false, ...more }
}

function told(seq: number, kind: string, user: string, role?: string): Event {
  const event: RoomEvent = { type: 'room event', session: 'ann/phone', room: ROOM, seq, id: String(seq), kind, user }
  return role === undefined ? event : { ...event, role }
}

/** What is wrong with a history whose events are so many ms apart. */
function judged(apart: number, ...events: readonly Event[]): string[] {
  return checkHistory(events.map((event, i) => ({ ...event, ms: i * apart }))).map((what) =>
    what.replace('den, as ann/phone heard, ', ''),
  )
}

t.test('what may happen', async (t) => {
  const some = [founded(), told(4, 'joined', 'bob'), told(5, 'left', 'bob'), told(6, 'joined', 'cid')]
  t.same(judged(1, ...some, told(7, 'role', 'cid', 'owner'), told(8, 'role', 'ann', 'admin')), [])
  t.same(judged(1, ...some, told(5, 'left', 'bob')), [], 'on another connection it may come again')
})

t.test('what must not', async (t) => {
  const joined = [founded(), told(1, 'joined', 'bob')]
  t.same(judged(1, ...joined, told(2, 'joined', 'cid')), ['2: 3 members, of 2'])
  t.same(judged(1, ...joined, told(2, 'joined', 'bob')), ['2: bob joins, and was a member'])
  t.same(judged(1, ...joined, told(2, 'left', 'cid')), ['2: cid is no member: left'])
  t.same(judged(1, ...joined, told(2, 'role', 'ann', 'admin')), ['2: nobody owns the room'])
  t.same(judged(1, ...joined, told(3, 'left', 'bob')), ['has the events 1 3'])
  const invited = [founded({ isPrivate: true }), told(1, 'invited', 'bob'), told(2, 'joined', 'bob')]
  t.same(judged(1, ...invited), [])
  t.same(judged(1, ...invited, told(3, 'left', 'bob'), told(4, 'joined', 'bob')), [
    '4: bob joins without an invitation',
  ])
})

t.test('what was acknowledged', async (t) => {
  const left: Event = { type: 'acted', room: ROOM, kind: 'left', user: 'bob' }
  const all = [founded(), told(1, 'joined', 'bob'), told(2, 'left', 'bob'), left]
  t.same(judged(1, ...all), [])
  t.same(judged(1, ...all, left), ['has 1 times left of bob, and 2 were acknowledged'])
  const members = (members: Record<string, string>): Event => ({ type: 'members', node: 'two', room: ROOM, members })
  t.same(judged(1, ...all, members({ ann: 'owner' })), [])
  t.same(judged(1, ...all, members({ ann: 'owner', bob: 'member' })), [
    'has ann owner at the end, and ann owner,bob member on two',
  ])
})

t.test('who was removed', async (t) => {
  const sent = (message: string, user: string): Event => ({ type: 'sent', message, user, log: ROOM, qos: 1 })
  const acked = (message: string, seq: number): Event => ({ type: 'acked', message, entry: { seq, id: message } })
  const read = (...names: string[]): Event => ({
    ...{ type: 'read', node: 'one', log: ROOM },
    entries: names.map((message, i) => ({ seq: i + 1, id: message, message })),
  })
  const got = (message: string, seq: number): Event => ({
    ...{
      type: 'delivered',
      session: 'bob/phone',
      connection: 1,
      log: ROOM,
      message,
      entry: { seq, id: message },
      qos: 0,
    },
  })
  const removed: Event = { type: 'acted', room: ROOM, kind: 'removed', user: 'bob' }
  const before = [sent('a', 'bob'), acked('a', 1), removed]
  const spoken = [...before, sent('b', 'bob'), acked('b', 2), read('a', 'b')]
  t.same(judged(4000, ...spoken), ['bob had been removed from den, and sent b'])
  t.same(judged(1000, ...spoken), [], 'not that soon')
  const heard = [...before, sent('b', 'ann'), acked('b', 2), got('b', 2), read('a', 'b')]
  t.same(judged(4000, ...heard), ['bob had been removed from den, and got b'])
  const returning: Event = { type: 'returning', room: ROOM, user: 'bob' }
  t.same(judged(4000, ...before, returning, ...heard.slice(3)), [])
})
