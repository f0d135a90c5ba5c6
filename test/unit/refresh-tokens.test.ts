import t from 'tap'
import { renewed } from '../../broker/auth/refresh-tokens.js'
import type { CredentialRecord } from '../../broker/store/credentials.js'

const GRACE = 10_000
const LIFETIME = 1_000_000

/** A login whose refresh tokens are named by their hashes; `show` renews it, or says what is wrong. */
function login() {
  let record: CredentialRecord = {
    ...{ user: 'ann', id: 'a', kind: 'login', hash: 'first', previous: null, name: null },
    ...{ createdAt: 0, usedAt: 0, expiresAt: null },
  }
  let now = 0
  const show = (shown: string, next: string): true | string => {
    const outcome = renewed(record, { shown, next, now, grace: GRACE, expiresAt: now + LIFETIME })
    if (typeof outcome === 'string') return outcome
    record = outcome
    return true
  }
  return { show, wait: (ms: number) => (now += ms), record: () => record }
}

t.test('those who ask at once each get a token, and go on with it for as long as they like', async (t) => {
  const { show, wait } = login()
  for (const next of ['a1', 'b1', 'c1']) t.equal(show('first', next), true)
  for (const round of [1, 2, 3])
    for (const one of ['a', 'b', 'c']) {
      wait(GRACE * 3)
      t.equal(show(`${one}${round}`, `${one}${round + 1}`), true)
    }
  t.equal(show('first', 'x'), 'stolen', 'the one they all had is one of before')
})

t.test('an answer that was lost can be asked for again until somebody used it', async (t) => {
  const { show, wait } = login()
  t.equal(show('first', 'lost'), true)
  wait(GRACE)
  t.equal(show('first', 'heard'), true)
  t.equal(show('lost', 'x'), 'stolen', 'what was answered first is good no more')
  t.equal(show('heard', 'next'), true)
  t.equal(show('first', 'again'), true, 'as for windows that did not hear the answer either')
  wait(GRACE)
  t.equal(show('first', 'x'), 'stolen')
})

t.test(
  'a token may come again within the grace period of its first use, whatever became of its successors',
  async (t) => {
    const { show, wait } = login()
    t.equal(show('first', 'second'), true)
    t.equal(show('second', 'third'), true)
    t.equal(show('third', 'fourth'), true)
    wait(GRACE - 1)
    t.equal(show('first', 'a'), true, 'a window whose request took long')
    t.equal(show('a', 'b'), true, 'goes on with what it was answered')
    t.equal(show('fourth', 'fifth'), true, 'as the other one does')
    wait(1)
    t.equal(show('b', 'c'), true)
    t.equal(show('first', 'x'), 'stolen', 'however often it was used')
  },
)

t.test('a used token that comes again later is known; what never was one is not', async (t) => {
  const { show, wait } = login()
  t.equal(show('first', 'second'), true)
  t.equal(show('second', 'third'), true)
  t.equal(show('anything', 'x'), 'unknown')
  wait(GRACE)
  t.equal(show('first', 'x'), 'stolen', 'where nothing was written meanwhile')
  for (let i = 0; i < 20; i++) {
    wait(GRACE)
    show(i === 0 ? 'third' : `n${i - 1}`, `n${i}`)
  }
  t.equal(show('first', 'x'), 'stolen', 'after twenty others')
})

t.test(
  'where more are used within the grace period than are remembered, the oldest is refused and ends nothing',
  async (t) => {
    const { show, wait, record } = login()
    for (let i = 0; i < 100; i++) t.equal(show(i === 0 ? 'first' : `n${i - 1}`, `n${i}`), true)
    t.equal(record().lately!.length, 64)
    t.equal(show('n90', 'a'), true)
    t.equal(show('first', 'x'), 'unknown')
    wait(GRACE)
    t.equal(show('a', 'b'), true)
    t.match(record(), { lately: { length: 0 }, had: { length: 64 } }, 'and then they are no longer listed with a time')
    t.equal(show('n90', 'x'), 'stolen')
    t.equal(show('b', 'c'), true, 'one that was refused changed nothing')
  },
)

t.test('a clock that is behind takes a use for recent', async (t) => {
  const { show, wait } = login()
  wait(2 * GRACE)
  t.equal(show('first', 'second'), true)
  t.equal(show('second', 'third'), true)
  wait(-GRACE)
  t.equal(show('first', 'a'), true)
  t.equal(show('third', 'fourth'), true)
})

t.test('asking again and again gains no time, and what is kept is bounded', async (t) => {
  const { show, wait, record } = login()
  t.equal(show('first', 'n0'), true)
  for (let i = 1; i < 100; i++) t.equal(show('first', `n${i}`), true)
  t.equal(record().heads!.length, 64)
  t.equal(show('n99', 'm'), true)
  wait(GRACE)
  t.equal(show('first', 'x'), 'stolen')
})

t.test('each token ends by itself', async (t) => {
  const { show, wait } = login()
  t.equal(show('first', 'a'), true)
  t.equal(show('first', 'b'), true)
  wait(LIFETIME - 1)
  t.equal(show('a', 'a2'), true)
  wait(1)
  t.equal(show('b', 'x'), 'unknown')
  t.equal(show('a2', 'a3'), true)
})

t.test('a login of an earlier release goes on', async (t) => {
  const { show, record } = login()
  t.equal(show('first', 'second'), true)
  const { heads: _, lately: __, had: ___, ...old } = record()
  for (const shown of ['second', 'first'])
    t.type(renewed(old, { shown, next: 'x', now: GRACE * 2, grace: GRACE, expiresAt: LIFETIME }), 'object', shown)
})

t.test('a login of a version without a list of tokens used lately goes on, and knows those it had', async (t) => {
  const { show, record } = login()
  t.equal(show('first', 'second'), true)
  t.equal(show('second', 'third'), true)
  const { lately: _, ...rest } = record()
  const old = { ...rest, had: ['first'] }
  const at = { next: 'x', now: GRACE * 2, grace: GRACE, expiresAt: LIFETIME }
  t.type(renewed(old, { shown: 'third', ...at }), 'object')
  t.equal(renewed(old, { shown: 'first', ...at }), 'stolen')
})
