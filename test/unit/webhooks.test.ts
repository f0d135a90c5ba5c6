/** The parts of webhooks that need no server. */
import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { SecretBox } from '../../broker/auth/secret-box.js'
import { isPrivate, namesPrivate } from '../../broker/readers/webhooks/addresses.js'
import { retryAfter, waitAfter } from '../../broker/readers/webhooks/backoff.js'
import { CircuitBreaker } from '../../broker/readers/webhooks/circuit-breaker.js'
import { EventFilter } from '../../broker/readers/webhooks/events.js'
import { WEBHOOK_EVENTS } from '../../schemas/webhooks.js'

t.test(
  'waits double up to the longest, half of them left to chance, and never below what the receiver asks',
  async (t) => {
    const options = { backoff: 5, maxBackoff: 60 }
    const waits = (random: number) =>
      [1, 2, 3, 4, 5, 50].map((failures) => waitAfter(failures, options, null, () => random))
    t.strictSame(waits(0), [5000, 10_000, 20_000, 40_000, 60_000, 60_000])
    t.strictSame(waits(1), [2500, 5000, 10_000, 20_000, 30_000, 30_000])
    t.equal(
      waitAfter(1, options, 30, () => 0),
      30_000,
    )
    t.equal(
      waitAfter(3, options, 1, () => 0),
      20_000,
    )
    t.equal(
      waitAfter(1, options, 86_400, () => 0),
      60_000,
      'nobody is put off for ever',
    )
  },
)

t.test('Retry-After is seconds or a date', async (t) => {
  const now = Date.UTC(2026, 0, 1)
  t.equal(retryAfter('120', now), 120)
  t.equal(retryAfter(new Date(now + 90_000).toUTCString(), now), 90)
  t.equal(retryAfter(new Date(now - 90_000).toUTCString(), now), 0)
  for (const header of [undefined, 'soon', '', '-5.5x']) t.equal(retryAfter(header, now), null, header ?? 'none')
})

t.test('a circuit breaker opens after failures in a row, and closes by one success', async (t) => {
  const breaker = new CircuitBreaker({ failures: 2, pause: 100 })
  breaker.failed(0)
  breaker.succeeded()
  breaker.failed(0)
  t.ok(breaker.mayAsk(0), 'not in a row')
  breaker.failed(0)
  t.notOk(breaker.mayAsk(99))
  t.ok(breaker.mayAsk(100), 'one may try')
  t.notOk(breaker.mayAsk(100), 'and only one')
  breaker.failed(100)
  t.notOk(breaker.mayAsk(199))
  t.ok(breaker.mayAsk(200))
  breaker.succeeded()
  t.ok(breaker.mayAsk(200) && breaker.mayAsk(200))
})

t.test('what is sealed opens with its key alone, and not when a byte has changed', async (t) => {
  const secretBox = new SecretBox(createSecretKey(Buffer.alloc(32, 1)))
  const sealed = secretBox.seal('whsec_secret')
  t.equal(secretBox.open(sealed), 'whsec_secret')
  t.not(secretBox.seal('whsec_secret'), sealed, 'no two alike')
  t.notMatch(Buffer.from(sealed, 'base64url').toString('latin1'), 'secret')
  t.equal(new SecretBox(createSecretKey(Buffer.alloc(32, 2))).open(sealed), null)
  const own = secretBox.seal('whsec_secret', 'ann')
  t.strictSame(
    [secretBox.open(own, 'ann'), secretBox.open(own, 'ben'), secretBox.open(own)],
    ['whsec_secret', null, null],
  )
  for (let i = 0; i < sealed.length; i += 7) {
    const bytes = Buffer.from(sealed, 'base64url')
    bytes[i % bytes.length]! ^= 1
    t.equal(secretBox.open(bytes.toString('base64url')), null)
  }
  t.equal(secretBox.open(''), null)
})

t.test('private addresses, in all their spellings', async (t) => {
  const inside = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0']
  for (const address of [
    ...inside,
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '224.0.0.1',
    '64:ff9b::a00:1',
    '64:ff9b:1::a00:1',
    '::127.0.0.1',
    '::8.8.8.8',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    'fec0::1',
    '5f00::1',
    'fe80::1%eth0',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
    '255.255.255.255',
  ])
    t.ok(isPrivate(address), address)
  for (const address of ['1.1.1.1', '172.32.0.1', '192.169.0.1', '2606:4700::1111', '2a00:1450::1', '::ffff:1.1.1.1'])
    t.notOk(isPrivate(address), address)
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]'])
    t.ok(namesPrivate(new URL(`http://${host}/`)), host)
  t.notOk(namesPrivate(new URL('http://example.com/')), 'a name is looked at when it is looked up')
})

t.test('a filter knows which logs may have something for it', async (t) => {
  const all = ['m:tea', 'e:tea', 'm:dm:ann:bob', 'n:bob', 'b:news', 's:server', 'u:bob', 'a:acts']
  const taken = (filter: Partial<ConstructorParameters<typeof EventFilter>[0]>) => {
    const made = new EventFilter({ events: ['*'], rooms: null, users: null, direct: false, ...filter })
    return all.filter((log) => made.takesLog(log))
  }
  t.strictSame(taken({}), ['m:tea', 'e:tea', 'n:bob', 'b:news', 's:server'])
  t.strictSame(taken({ direct: true, events: ['message.*'] }), ['m:tea', 'm:dm:ann:bob'])
  t.strictSame(taken({ events: ['message.sent', 'member.joined'], rooms: ['cake'] }), [])
  t.strictSame(taken({ events: ['room.deleted'] }), ['e:tea', 's:server'])
  t.strictSame(taken({ events: ['user.*', 'notification.sent'] }), ['n:bob', 's:server'])
  for (const event of Object.keys(WEBHOOK_EVENTS))
    t.ok(taken({ events: [event] }).length > 0, `${event}: KINDS of broker/readers/webhooks/events.ts names its log`)
})
