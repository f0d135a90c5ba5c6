/** The subscriptions of a follower: what is asked of them for each message or filter is answered without a look at all of them. */
import t from 'tap'
import type { Subscription } from '../../broker/following/subscription.js'
import { SubscriptionSet } from '../../broker/following/subscription-set.js'
import { parseFilter } from '../../schemas/topics.js'

const MANY = 10_000

function subscription(filter: string, more: Partial<Subscription> = {}): Subscription {
  const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0, unconditional: true } as const
  return { filter, parsed: parseFilter(filter), ...options, ...more }
}

function holding(...filters: readonly string[]): SubscriptionSet {
  const subscriptions = new SubscriptionSet()
  for (const filter of filters) subscriptions.set(filter, subscription(filter))
  return subscriptions
}

function near(subscriptions: SubscriptionSet, topic: string): string[] {
  return subscriptions.near(topic).map(({ filter }) => filter)
}

t.test('who follows ten thousand rooms by name is asked about one at a time', async (t) => {
  const rooms = Array.from({ length: MANY }, (_, i) => `rooms/r${i}/messages`)
  const plain = Array.from({ length: MANY }, (_, i) => `rooms-of-mine/r${i}`)
  const subscriptions = holding(...rooms, ...plain, 'rooms/+/messages', 'rooms/r7/#', '$share/g/rooms/r7/#')
  t.same(near(subscriptions, 'rooms/r7/messages'), ['rooms/r7/messages', 'rooms/r7/#', 'rooms/+/messages'])
  t.same(near(subscriptions, 'users/+/presence'), ['rooms/+/messages'])
  for (const filter of [...rooms, ...plain]) subscriptions.delete(filter)
  t.same(near(subscriptions, 'rooms/r7/messages'), ['rooms/r7/#', 'rooms/+/messages'])
})

t.test('a filter given again counts once, as it was given last', async (t) => {
  const subscriptions = holding('rooms/a/messages', 'f/x')
  const { bytes } = subscriptions
  const again = subscription('rooms/a/messages', { qos: 0, noLocal: true })
  subscriptions.set('rooms/a/messages', again)
  t.equal(subscriptions.bytes, bytes)
  t.same([...subscriptions.keys()], ['rooms/a/messages', 'f/x'])
  t.same(subscriptions.near('rooms/a/messages'), [again])
  t.same([...subscriptions.particular], [again])
  subscriptions.set('f/x', subscription('f/x', { identifier: 7 }))
  t.equal([...subscriptions.particular].length, 2)
  for (const filter of ['rooms/a/messages', 'f/x', 'f/x']) subscriptions.delete(filter)
  t.equal(subscriptions.bytes, 0)
  t.same([...subscriptions.particular], [])
})
