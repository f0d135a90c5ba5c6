import t from 'tap'
import type { Actor } from '../../broker/chat/model/actor.js'
import { Rates } from '../../broker/chat/model/rates.js'
import { TokenBuckets } from '../../broker/util/token-buckets.js'
import { RATES } from '../../schemas/config/limits.js'

const START = 1_000_000

t.test('a burst at once, then so many a second', async (t) => {
  const buckets = new TokenBuckets(2, 3)
  const take = (ms: number, key = 'a') => buckets.take(key, START + ms)
  t.same([take(0), take(0), take(0)], [0, 0, 0])
  t.same([take(0), take(400)], [500, 100], 'how long until there is one')
  t.same([take(500), take(500)], [0, 500])
  t.equal(take(500, 'b'), 0, 'each key has its own')
  t.same([take(60_000), take(60_000), take(60_000), take(60_000)], [0, 0, 0, 500], 'no more than a burst is saved up')
})

t.test('on credit: what is owed is paid back in time', async (t) => {
  const buckets = new TokenBuckets(10, 2)
  const charge = (ms: number) => buckets.charge('a', START + ms)
  t.same([charge(0), charge(0), charge(0), charge(0)], [0, 0, 100, 200])
  t.equal(buckets.take('a', START + 100), 200)
  t.equal(charge(1000), 0)
})

t.test('a clock that is set back gives nothing and takes nothing', async (t) => {
  const buckets = new TokenBuckets(1, 1)
  t.equal(buckets.take('a', START), 0)
  t.equal(buckets.take('a', START - 5000), 1000)
  t.equal(buckets.take('a', START - 4000), 0)
})

t.test('those who are busy are remembered, however many come by', async (t) => {
  const buckets = new TokenBuckets(1, 1)
  t.equal(buckets.take('busy', START), 0)
  for (let i = 0; i < 50_000; i++) {
    buckets.take(`one-off ${i}`, START)
    if (i % 1000 === 0) t.ok(buckets.take('busy', START) > 0)
  }
})

t.test('the figures: those that are given, else the defaults, or none at all', async (t) => {
  const actor = { principal: { user: 'ann', anonymous: false }, clientId: 'c', sessionId: 'ann/c' } as Actor
  const most = RATES.create * 10
  const allowed = (rates: Rates): number => {
    for (let i = 0; i < 5 * most; i++) {
      try {
        rates.requireCommand(actor, 'create')
      } catch {
        return i
      }
    }
    return 5 * most
  }
  const within = (count: number, least: number) => count >= least && count < 2 * least
  t.ok(within(allowed(new Rates('default')), most))
  t.ok(within(allowed(new Rates({ read: 1 })), most))
  t.ok(within(allowed(new Rates({ create: 0.5 })), 5))
  t.equal(allowed(new Rates('off')), 5 * most)
})

t.test('filters count for the person, as publishes do', async (t) => {
  const rates = new Rates({ subscribe: 1, publish: 1 }, () => 'ann')
  t.equal(rates.chargeFilters('helper', 10), 0)
  t.ok(rates.chargeFilters('lamp', 1) > 0)
  for (let i = 0; i < 10; i++) t.equal(rates.chargePublish('helper', 10), 0)
  t.ok(rates.chargePublish('lamp', 10) > 0)
})

t.test('a publish counts as one, or as its part of the bytes where that is more', async (t) => {
  const rates = new Rates({ publish: 10, publishBytes: 1000 })
  const room = { principal: { user: 'ann', anonymous: false }, clientId: 'c', sessionId: 'ann/c' } as Actor
  for (let i = 0; i < 50; i++) t.equal(rates.chargePublish('ann', 100), 0)
  t.equal(rates.chargePublish('ann', 5000), 0, 'half of ten seconds in number, half in bytes')
  t.ok(rates.chargePublish('ann', 1000) > 900, 'a second to pay back')
  t.throws(() => rates.requireBytes(room, 1), { code: 'rate_limited', retryAfter: 1 })
  t.equal(
    rates.chargePublish('bob', 100_000),
    1000 * 90,
    'one that is larger than all that may come at once is taken, on credit',
  )
})
