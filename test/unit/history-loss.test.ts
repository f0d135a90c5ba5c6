/** The checker of histories where Redis may lose what it had acknowledged: it has to be told, and nothing more may be lost. */
import t from 'tap'
import type { Event } from '../models/history/events.js'
import { checkLoss, checkReplicated } from '../models/history/loss.js'

const LOG = 'den'

function judged(...events: readonly Event[]): string[] {
  return checkLoss(events.map((event, i) => ({ ...event, ms: i })))
}

const sent = (message: string): Event => ({ type: 'sent', message, user: 'ann', log: LOG, qos: 1 })
const acked = (message: string, seq: number): Event => ({ type: 'acked', message, entry: { seq, id: message } })
const epoch = (epoch: string, node = 'one'): Event => ({ type: 'epoch', node, epoch })
const read = (...names: string[]): Event => ({
  ...{ type: 'read', node: 'one', log: LOG },
  entries: names.map((message, i) => ({ seq: i + 1, id: message, message })),
})
const told: Event = { type: 'complaint', node: 'one', text: 'Redis has lost at least 1 of its last commits' }
const restored: Event = { type: 'restored' }

const LOST = [epoch('a'), sent('x'), acked('x', 1), sent('y'), acked('y', 2), restored]

t.test('a loss has to be told', async (t) => {
  t.same(judged(...LOST, read('x'), epoch('b'), told), [])
  t.same(judged(...LOST, read('x'), epoch('a'), told), ['1 messages are lost, and the epoch is the same'])
  t.same(judged(...LOST, read('x'), epoch('b')), ['1 messages are lost, and no node says so'])
  t.same(judged(...LOST, read('x', 'y'), epoch('a')), [], 'nothing is lost')
  t.same(judged(...LOST, read('x', 'y'), epoch('b'), epoch('c', 'two')), ['the nodes have different epochs at the end'])
})

t.test('what is acknowledged later counts', async (t) => {
  const later = [sent('z'), acked('z', 2)]
  t.same(judged(...LOST, ...later, read('x', 'z'), epoch('b'), told), [], 'its number is of another life')
  t.same(judged(...LOST, ...later, read('x'), epoch('b'), told), ['z was acked after all was restored, and is lost'])
  const follows: Event = { type: 'following', session: 'bob/phone', log: LOG, after: 1, qos: 1, persistent: true }
  t.same(judged(follows, ...LOST, ...later, read('x', 'z'), epoch('b'), told), ['bob/phone in den: z is missing'])
})

t.test('what replicas have is not lost', async (t) => {
  const got: Event = {
    ...{
      type: 'delivered',
      session: 'bob/phone',
      connection: 1,
      log: LOG,
      message: 'y',
      entry: { seq: 2, id: 'y' },
      qos: 1,
    },
  }
  const check = (...events: readonly Event[]): string[] =>
    checkReplicated(events.map((event, i) => ({ ...event, ms: i })))
  t.same(check(...LOST, read('x'), epoch('b'), told), ['y is acknowledged and not in den'])
  const unacknowledged = LOST.filter((event) => event.type !== 'acked' || event.message !== 'y')
  t.same(check(...unacknowledged.slice(0, -1), got, restored, read('x'), epoch('b'), told), [])
})
