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
  t.equal(show('first', 'x'), 'stolen')
})

t.test('one of before is known again, also within the time of grace; what never was one is not', async (t) => {
  const { show, wait } = login()
  t.equal(show('first', 'second'), true)
  t.equal(show('second', 'third'), true)
  t.equal(show('anything', 'x'), 'unknown')
  t.equal(show('first', 'x'), 'stolen')
  for (let i = 0; i < 20; i++) {
    wait(GRACE)
    show(i === 0 ? 'third' : `n${i - 1}`, `n${i}`)
  }
  t.equal(show('first', 'x'), 'stolen', 'after twenty others')
})

t.test('asking again and again gains no time, and what is kept is bounded', async (t) => {
  const { show, wait, record } = login()
  t.equal(show('first', 'n0'), true)
  for (let i = 1; i < 100; i++) t.equal(show('first', `n${i}`), true)
  t.equal(record().heads!.length, 16)
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
  const { heads: _, had: __, ...old } = record()
  for (const shown of ['second', 'first'])
    t.type(renewed(old, { shown, next: 'x', now: GRACE * 2, grace: GRACE, expiresAt: LIFETIME }), 'object', shown)
})
