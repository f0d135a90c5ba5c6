/** The checker of histories: it has nothing to say of a good one, and names what is wrong with a bad one. */
import t from 'tap'
import { checkHistory } from '../models/history/check.js'
import type { Connected, Delivered, Event, QoS } from '../models/history/events.js'

const LOG = 'den'

function sent(message: string, qos: QoS = 1, log: string | null = LOG): Event {
  return { type: 'sent', message, user: 'ann', log, qos }
}

function acked(message: string, seq: number): Event {
  return { type: 'acked', message, entry: { seq, id: `id-${message}` } }
}

function connected(connection: number, more: Partial<Connected> = {}): Event {
  return {
    type: 'connected',
    session: 'bob/phone',
    user: 'bob',
    connection,
    node: 'one',
    resumed: connection > 1,
    ...more,
  }
}

function delivered(message: string, seq: number, more: Partial<Delivered> = {}): Event {
  const entry = { seq, id: `id-${message}` }
  return { type: 'delivered', session: 'bob/phone', connection: 1, log: LOG, message, entry, qos: 1, ...more }
}

function follows(more: object = {}): Event {
  return { type: 'following', session: 'bob/phone', log: LOG, after: 0, qos: 2, persistent: true, ...more }
}

function read(names: readonly string[], node = 'one'): Event {
  const entries = names.map((message, i) => ({ seq: i + 1, id: `id-${message}`, message }))
  return { type: 'read', node, log: LOG, entries }
}

function presence(state: 'online' | 'offline'): Event {
  return { type: 'presence', watcher: 'ann', user: 'bob', state }
}

/** What is wrong with a history whose events are ten seconds apart. */
function judged(...events: readonly Event[]): string[] {
  return checkHistory(events.map((event, i) => ({ ...event, ms: i * 10_000 })))
}

const BOTH = [sent('a'), acked('a', 1), sent('b', 2), acked('b', 2)]
const BOTH_CAME = [delivered('a', 1), delivered('b', 2, { qos: 2 })]
const ALL = [follows(), connected(1), ...BOTH, ...BOTH_CAME]

t.test('a good history', async (t) => {
  t.same(judged(...ALL, read(['a', 'b']), read(['a', 'b'], 'two')), [])
})

t.test('logs', async (t) => {
  t.same(judged(...BOTH, read(['a'])), ['b is acknowledged and not in den'])
  t.match(judged(...BOTH, read(['b', 'a'])), [/^a is 2 id-a, and was acknowledged as 1/, /^b is 1/])
  t.match(judged(...BOTH, acked('b', 3), read(['a', 'b'])), [/^b is 2 id-b, and was acknowledged as 3/])
  t.same(judged(...BOTH, read(['a', 'b']), read(['a'], 'two')), ['log den is not the same on two as on one'])
  t.same(judged(...BOTH, read(['a', 'b', 'b'])), ['log den has id-b twice', 'log den has b twice'])
  t.same(judged(read(['x'])), ['nobody sent x to den'])
  t.same(judged(acked('x', 1)), ['x is acknowledged, and nobody sent it'])
  const gap: Event = { type: 'read', node: 'one', log: LOG, entries: [{ seq: 2, id: 'id-a', message: 'a' }] }
  t.same(judged(sent('a'), gap), ['log den has 2 where 1 is next'])
  const refused = (code: string): Event => ({ type: 'refused', message: 'a', code })
  t.same(judged(sent('a'), refused('forbidden'), read(['a'])), ['a is refused as forbidden and stored'])
  const untold: Event = { type: 'acked', message: 'b', entry: null }
  t.match(judged(sent('b', 2), untold, read(['b'])), [/^b is 1 id-b, and was acknowledged as undefined/])
  t.same(judged(sent('b', 2), sent('b', 2), untold, read(['b'])), [], 'its packet id was known')
  t.same(judged(sent('a'), refused('unavailable'), read(['a'])), [])
})

t.test('what a session is owed', async (t) => {
  const began = [follows(), connected(1), ...BOTH, read(['a', 'b'])]
  t.same(judged(...began, delivered('a', 1)), ['bob/phone in den: b is missing'])
  t.same(judged(...began, ...[...BOTH_CAME].reverse()), [], 'between two QoS the client decides')
  t.same(judged(...ALL, connected(2), read(['a', 'b']), delivered('b', 2, { qos: 2, connection: 2 })), [
    'bob/phone in den: b came 2 times',
  ])
  t.same(judged(...ALL, read(['a', 'b']), delivered('a', 1)), ['bob/phone in den: a came 2 times'])
  t.same(judged(...ALL, read(['a', 'b']), connected(2), delivered('a', 1, { connection: 2 })), [], 'sent again')
  t.same(judged(...began, ...BOTH_CAME, delivered('c', 3)), [
    'bob/phone in den: c came as 3 id-c, and that is not stored',
  ])
})

t.test('the order', async (t) => {
  const all = [follows(), sent('a'), sent('b'), read(['a', 'b']), delivered('b', 2), delivered('a', 1)]
  t.same(judged(...all), ['bob/phone in den: a (1) came behind 2'])
})

t.test('sessions that owe nothing', async (t) => {
  const zero = [sent('a', 0), sent('b'), read(['a', 'b'])]
  t.same(judged(follows(), ...zero, delivered('b', 2)), [], 'sent at QoS 0')
  t.same(judged(follows({ after: 1 }), ...BOTH, read(['a', 'b']), delivered('b', 2)), [], 'behind the cursor')
  t.same(judged(follows({ persistent: false, qos: 0 }), ...zero), [], 'live only')
  const twice = [delivered('a', 1, { qos: 0 }), delivered('a', 1, { qos: 0, connection: 2 })]
  t.same(judged(follows({ persistent: false, qos: 0 }), ...zero, ...twice), ['bob/phone in den: a came 2 times'])
})

t.test('a position that was not stored', async (t) => {
  const zero = [
    follows(),
    connected(1),
    connected(2),
    sent('a', 0),
    read(['a']),
    delivered('a', 1, { qos: 0, connection: 2 }),
  ]
  t.same(judged(...zero, delivered('a', 1, { qos: 0, connection: 3 })), [])
  t.same(judged(...zero, delivered('a', 1, { qos: 0, connection: 2 })), ['bob/phone in den: a came 2 times'])
})

t.test('plain topics', async (t) => {
  const plain = (message: string): Event => delivered(message, 0, { log: null, entry: null })
  const ack: Event = { type: 'acked', message: 'v', entry: null }
  const began = [follows({ log: null }), sent('v', 1, null), ack]
  t.same(judged(...began), ['bob/phone in plain topics: v is missing'])
  t.same(judged(...began, plain('v')), [])
  t.same(judged(...began, plain('v'), plain('v')), ['bob/phone in plain topics: v came 2 times'])
  t.same(judged(...began, sent('v', 1, null), plain('v'), plain('v')), [], 'a client that sends it again')
  t.same(judged(...began, plain('v'), plain('w')), ['bob/phone in plain topics: w came, and nobody had sent it'])
})

t.test('connections', async (t) => {
  t.same(judged(follows(), connected(1), connected(2, { resumed: false })), ['one did not have the session bob/phone'])
  const moved = [...ALL, read(['a', 'b', 'c']), connected(2, { node: 'two' })]
  t.same(judged(...moved, sent('c'), delivered('c', 3)), [
    'bob/phone got c on a connection after it had another one, to two',
  ])
  const overheard: Event = { type: 'overheard', session: 'bob/phone', connection: 1, message: 'c' }
  t.same(judged(...moved, sent('c'), delivered('c', 3, { connection: 2 }), overheard), [
    'bob/phone got c on a connection after it had another one, to two',
  ])
  t.same(judged(...moved, sent('c'), delivered('c', 3, { connection: 2 })), [])
  t.same(judged(...ALL, sent('c'), connected(2), delivered('c', 3), read(['a', 'b', 'c'])), [], 'it was under way')
})

t.test('presence', async (t) => {
  const gone: Event = { type: 'disconnected', connection: 1 }
  t.same(judged(connected(1), presence('online'), gone, presence('offline')), [])
  t.same(judged(connected(1), presence('online'), gone), [
    'ann was told that bob is offline 0 times after the last connection',
  ])
  t.same(
    judged(connected(1), presence('online'), gone, presence('offline'), presence('offline')),
    [],
    'to who watches anew',
  )
  t.same(judged(connected(1), gone, presence('offline'), presence('online'), presence('offline')), [
    'ann was told that bob is offline 2 times after the last connection',
  ])
  const untrue = 'ann was told that bob is offline, with a connection'
  t.same(judged(connected(1), connected(2), presence('offline'), presence('online')), [untrue])
  t.same(judged(connected(1), presence('offline')), [
    untrue,
    'ann was told that bob is offline, and nothing else at the end',
  ])
  const isolated: Event = { type: 'isolated', node: 'one' }
  const back = [presence('offline'), presence('online')]
  t.same(judged(connected(1), isolated, ...back), [], 'its node is taken for gone')
})

t.test('wills', async (t) => {
  const died: Event = { type: 'died', will: 'w', node: 'one' }
  const will: Event = { type: 'will', session: 'ann/phone', will: 'w' }
  t.same(judged(died, will), [])
  t.same(judged(died), ['nobody has w'])
  t.same(judged(died, will, will), ['ann/phone has w 2 times'])
  t.same(judged(will, died), ['ann/phone has w, and nobody died'])
  t.same(judged({ type: 'will withdrawn', will: 'w' }, will), ['ann/phone has w, and nobody died'])
  t.same(judged({ type: 'isolated', node: 'one' }, will, died), [], 'its node is taken for gone')
  const unclear: Event = { type: 'will unclear', will: 'w' }
  t.same(judged(unclear, will), [])
  t.same(judged(unclear, will, will), ['ann/phone has w 2 times'])
})

t.test('receipts', async (t) => {
  const told = (read: number, delivered: number, connection = 1): Event => ({
    ...{ type: 'receipt', session: 'ann/phone', connection, room: LOG, user: 'bob', read, delivered },
  })
  const stored = (read: number, delivered: number, node = 'one'): Event => ({
    ...{ type: 'receipts', node, room: LOG, receipts: { bob: [read, delivered] } },
  })
  t.same(judged(told(1, 1), told(1, 2), stored(2, 2), stored(2, 2, 'two')), [])
  t.same(judged(told(2, 2), told(1, 3)), ['ann/phone was told that bob is at 1 3, after 2 2'])
  t.same(judged(told(2, 2), told(1, 2, 2)), [], 'on another connection')
  t.same(judged(told(2, 2), stored(1, 2)), ['ann/phone was told that bob is at 2 2, one has 1 2'])
  t.same(judged(stored(1, 2), stored(1, 3, 'two')), ['the receipts of den are not the same on two as on one'])
})

t.test('share groups', async (t) => {
  const job = (qos: QoS, session = 'wes/first'): Event => ({ type: 'job', session, connection: 1, message: 'j', qos })
  const asked = (qos: QoS): Event[] => [
    { type: 'sent', message: 'j', user: 'ann', log: null, qos, use: 'job' },
    { type: 'acked', message: 'j', entry: null },
  ]
  t.same(judged(...asked(2), job(2)), [])
  t.same(judged(...asked(2)), ['nobody has j'])
  t.same(judged(...asked(2), job(2), job(2, 'wes/second')), ['j came 2 times: wes/first,wes/second'])
  t.same(judged(...asked(1), job(1), job(1, 'wes/second')), [], 'at QoS 1')
  t.same(judged(job(1)), ['j came, and nobody had sent it'])
})

t.test('retained states', async (t) => {
  const state = (message: string): Event => ({ type: 'sent', message, user: 'ann', log: null, qos: 1, use: 'state' })
  const retained = (message: string): Event => ({ type: 'retained', node: 'one', messages: { 'state/ann': message } })
  const all = [state('a'), state('b'), state('a'), state('b')]
  t.same(judged(...all, retained('b')), [])
  t.same(judged(...all, retained('a')), ['one retains a on state/ann, not b'])
})
