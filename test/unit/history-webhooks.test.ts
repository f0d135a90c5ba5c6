/** The checker of histories, about webhooks: what they are told, in which order, how often, and by whom. */
import t from 'tap'
import { type Event, eventsOf, type Posted } from '../models/history/events.js'
import { checkWebhooks } from '../models/history/webhooks.js'

const LOG = 'den'
const HOOK: Event = { type: 'webhook', webhook: 'crm', logs: [LOG] }
const KILLED: Event = { type: 'killed', node: 'one' }

const read = (...names: string[]): Event => ({
  ...{ type: 'read', node: 'one', log: LOG },
  entries: names.map((message, i) => ({ seq: i + 1, id: message, message })),
})

const ALL = read('a', 'b', 'c', 'd')

let requests = 0

function posted(seq: number, more: Partial<Posted> = {}): Posted {
  const message = 'abcd'[seq - 1]!
  const entry = { seq, id: message }
  return { type: 'posted', request: ++requests, webhook: 'crm', by: 'one 1', log: LOG, entry, message, ...more }
}

/** A request and its answer. */
function told(seq: number, by = 'one 1', status = 200): Event[] {
  const post = posted(seq, { by })
  return [post, { type: 'answered', request: post.request, status }]
}

/** What is wrong with a history whose events are a ms apart, and more where a number stands between them. */
function judged(...events: readonly (Event | Event[] | number)[]): string[] {
  let ms = 0
  const history = events.flat().flatMap((event) => {
    if (typeof event !== 'number') return [{ ...event, ms: ms++ }]
    ms += event
    return []
  })
  return checkWebhooks(history)
}

t.test('everything is told', async (t) => {
  t.same(judged(HOOK, told(1), told(2), told(3), told(4), ALL), [])
  t.same(judged(HOOK, told(1), told(2), told(3), ALL), ['crm, of den: d (4) is untold'])
  t.same(judged(HOOK, told(1), told(2), told(3), told(4, 'one 1', 503), ALL), ['crm, of den: d (4) is untold'])
  t.same(judged(HOOK, told(1), told(2), told(3), posted(4), ALL), ['crm, of den: d (4) is untold'])
  t.same(judged(HOOK, told(1), told(2, 'one 1', 503), told(2), read('a', 'b')), [], 'what was not taken comes again')
  t.same(judged(told(1), ALL), [], 'there is no such webhook')
})

t.test('nothing else is told', async (t) => {
  const other = (entry: Posted['entry'], message = 'b'): Event => posted(2, { entry, message })
  const stranger = (as: string, message = 'b'): string[] => [
    `crm, of den: ${message} was told as ${as}, and that is not stored`,
  ]
  const before = [HOOK, ...told(1), ...told(2)]
  t.same(judged(...before, other({ seq: 3, id: 'x' }), read('a', 'b')), stranger('3 x'))
  t.same(judged(...before, KILLED, other({ seq: 2, id: 'x' }), read('a', 'b')), stranger('2 x'))
  t.same(judged(...before, KILLED, other({ seq: 2, id: 'b' }, 'x'), read('a', 'b')), stranger('2 b', 'x'))
})

t.test('the order', async (t) => {
  const early = (n: number): string[] => [`crm, of den: ${'abcd'[n - 1]} (${n}) was told before ${n - 1} was taken`]
  t.same(judged(HOOK, told(2), told(1), read('a', 'b')), early(2))
  t.same(judged(HOOK, told(1, 'one 1', 503), told(2), told(1), read('a', 'b')), early(2))
  const [first, answer] = told(1)
  t.same(judged(HOOK, first!, told(2), answer!, read('a', 'b')), early(2))
})

t.test('what is told again', async (t) => {
  const again = [HOOK, ...told(1), ...told(2)]
  t.same(judged(...again, told(2), read('a', 'b')), ['crm, of den: b (2) was told again, and no node had failed'])
  t.same(judged(...again, KILLED, told(2), read('a', 'b')), [])
  t.same(judged(...again, { type: 'isolated', node: 'one' }, told(1), told(2), read('a', 'b')), [])
  const slowly = [HOOK, ...told(1), 7000, ...told(2), KILLED, 7000]
  t.same(judged(...slowly, told(1, 'two 2'), read('a', 'b')), [
    'crm, of den: a (1) was told again, with all of 7002 ms after it',
  ])
  t.same(judged(...slowly, told(2, 'two 2'), read('a', 'b')), [], 'however long nobody told it')
})

t.test('one node at a time', async (t) => {
  const stale = [HOOK, ...told(1), KILLED, 5000, ...told(1, 'two 2'), ...told(2, 'two 2')]
  const all = (...events: (Event | Event[] | number)[]): string[] => judged(...stale, ...events, ALL)
  t.same(all(told(2), told(3, 'two 2'), told(4, 'two 2')), [], 'one that slept tells one')
  t.same(all(told(2), told(3), told(3, 'two 2'), told(4, 'two 2')), ['crm, of den: one 1 told 2 3 while two 2 told 3'])
  t.same(all(told(3), told(4), told(3, 'two 2')), ['crm, of den: one 1 told 3 4 while two 2 told 3'])
  t.same(all(told(3), told(4)), [], 'it is handed over')
  const late = all(told(2), told(3), 5000, told(3, 'two 2'), told(4, 'two 2'))
  t.same(late, [], 'after a while it may have been taken, and taken again')
  const unknown = [...told(2), ...told(3)].map((event) => (event.type === 'posted' ? { ...event, by: null } : event))
  t.same(all(unknown, told(3, 'two 2'), told(4, 'two 2')), [])
})

t.test('events of a room, which are heard from some number on', async (t) => {
  const log = eventsOf('cap')
  const hook: Event = { type: 'webhook', webhook: 'crm', logs: [log] }
  const heard = (seq: number): Event => ({
    ...{ type: 'room event', session: 'ann/phone', room: 'cap', seq, id: String(seq), kind: 'joined', user: 'bob' },
  })
  const post = (seq: number, message = 'joined bob'): Event[] => {
    const one = posted(1, { log, entry: { seq, id: String(seq) }, message })
    return [one, { type: 'answered', request: one.request, status: 204 }]
  }
  t.same(judged(hook, post(1, 'created ann'), heard(2), post(2), heard(3), post(3)), [])
  t.same(judged(hook, post(1, 'created ann'), heard(2), post(2), heard(3)), [
    `crm, of ${log}: joined bob (3) is untold`,
  ])
  t.same(judged(hook, heard(2), post(2)), [
    `crm, of ${log}: something (1) is untold`,
    `crm, of ${log}: joined bob (2) was told before 1 was taken`,
  ])
})
