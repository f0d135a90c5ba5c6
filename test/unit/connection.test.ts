/** The state machine of the SDK, with a clock, chance and a broker that the test decides. */
import t, { type Test } from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { connectDelay, sendDelay } from '../../client/connection/backoff.js'
import { Connection, type ConnectionOptions } from '../../client/connection/connection.js'
import type { Status } from '../../client/connection/status.js'
import type { WireError } from '../../client/wire/wire.js'
import { settled } from '../helpers/manual-clock.js'
import { ManualEnv } from '../helpers/manual-env.js'
import { Random } from '../helpers/random.js'
import { ScriptedWires, wireError } from '../helpers/scripted-wire.js'

interface Stage {
  readonly env: ManualEnv
  readonly wires: ScriptedWires
  readonly connection: Connection
  /** Each status that was shown. */
  readonly statuses: Status[]
  readonly state: () => Status['state']
}

function stage(options: Partial<ConnectionOptions> = {}, random: number | Random = 0.5): Stage {
  const env = new ManualEnv(random)
  const wires = new ScriptedWires()
  const connection = new Connection({
    open: wires.opener,
    credentials: { token: 'a.b.c' },
    device: 'd',
    env,
    message: () => {},
    sync: async () => {},
    ...options,
  })
  const statuses: Status[] = []
  connection.status.subscribe((status) => statuses.push(status))
  return { env, wires, connection, statuses, state: () => connection.status.current.state }
}

/** Closes it, and checks that nothing is left. */
async function leavesNothing(t: Test, { connection, env, wires }: Stage): Promise<void> {
  await connection.close()
  t.equal(connection.status.current.state, 'closed')
  t.same([env.running, env.listeners, wires.open], [0, 0, 0], 'no timer, no listener, no connection')
  t.ok(wires.mostOpen <= 1, 'one connection at a time')
}

/** A token that ends in so many seconds; `made` seconds ago. */
function tokenFor(env: ManualEnv, seconds: number, made = 0): string {
  const now = env.now() / 1000
  const claims = { sub: 'ann', iat: now - made, exp: now + seconds }
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
}

const unauthorized = () => new ChatError('unauthorized', 'sign in again')

t.test('connecting, syncing, online, closed; and once more', async (t) => {
  let progressed = (): void => {}
  const one = stage({
    sync: async (_wire, { progress }) => {
      progress(3)
      await new Promise<void>((resolve) => (progressed = resolve))
    },
  })
  t.equal(one.state(), 'idle')
  t.equal(one.wires.logins.length, 0, 'nothing happens before it is asked for')
  const [first, second] = [one.connection.connect(), one.connection.connect()]
  await settled()
  t.match(one.statuses, [
    { state: 'connecting', attempt: 1 },
    { state: 'syncing', roomsDone: 0 },
    { state: 'syncing', roomsDone: 3 },
  ])
  progressed()
  await Promise.all([first, second])
  t.match(one.connection.status.current, { state: 'online', since: one.env.now() })
  await one.connection.connect()
  t.match(one.wires.logins, [{ clientId: /^d-[0-9a-z]+$/, token: 'a.b.c' }])
  await leavesNothing(t, one)
  const again = one.connection.connect()
  await settled()
  progressed()
  await again
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test('it can be closed in any state, and who waits is told', async (t) => {
  const never = new Promise<never>(() => {})
  const cases: Record<string, () => Stage> = {
    idle: () => stage(),
    'waiting for a token': () => stage({ credentials: { getToken: () => never } }),
    connecting: () => {
      const one = stage()
      one.wires.script.push('never')
      return one
    },
    syncing: () => stage({ sync: () => never }),
    online: () => stage(),
    waiting: () => {
      const one = stage()
      one.wires.script.push(wireError('network'))
      return one
    },
    'signed out': () => {
      const one = stage()
      one.wires.script.push(wireError('refused', 135))
      return one
    },
  }
  for (const [name, make] of Object.entries(cases)) {
    t.comment(name)
    const one = make()
    if (name !== 'idle') {
      const waiting = one.connection.connect().catch((error) => error)
      await settled()
      if (name === 'online') t.equal(one.state(), 'online')
      const closing = [one.connection.close(), one.connection.close()]
      await Promise.all(closing)
      if (name === 'online') t.equal(await waiting, undefined)
      else t.match(await waiting, { name: 'ChatError', code: name === 'signed out' ? 'unauthorized' : 'closed' })
    }
    await leavesNothing(t, one)
  }
})

t.test('a listener may close it in whatever state it is shown', async (t) => {
  const at: Record<string, { shown: (status: Status) => boolean; script?: WireError[]; logins: number }> = {
    'the first attempt': { shown: ({ state }) => state === 'connecting', logins: 0 },
    'a later attempt': {
      shown: (status) => status.state === 'connecting' && status.attempt === 2,
      script: [wireError('network')],
      logins: 1,
    },
    syncing: { shown: ({ state }) => state === 'syncing', logins: 1 },
    online: { shown: ({ state }) => state === 'online', logins: 1 },
    waiting: { shown: ({ state }) => state === 'waiting', script: [wireError('network')], logins: 1 },
  }
  for (const [name, { shown, script = [], logins }] of Object.entries(at)) {
    t.comment(name)
    let asked = 0
    const getToken = async (): Promise<string> => {
      asked++
      return 'a.b.c'
    }
    const one = stage({ credentials: { getToken } })
    one.wires.script.push(...script)
    let closing: Promise<void> | null = null
    one.connection.status.subscribe((status) => {
      if (!closing && shown(status)) closing = one.connection.close()
    })
    const waiting = one.connection.connect().catch((error) => error)
    await one.env.pass(1000)
    await closing
    t.equal(one.state(), 'closed')
    t.same([one.env.running, one.env.listeners, one.wires.open], [0, 0, 0], 'nothing is left when it says so')
    t.match(await waiting, name === 'online' ? undefined : { name: 'ChatError', code: 'closed' })
    await one.env.pass(60_000)
    t.same([one.wires.logins.length, asked], [logins, logins], 'and nothing begins')
    await leavesNothing(t, one)
  }
})

t.test('who gives up waiting does not end the connection', async (t) => {
  const one = stage()
  one.wires.script.push(wireError('network'))
  const abort = new AbortController()
  const waiting = one.connection.connect({ signal: abort.signal })
  await settled()
  abort.abort()
  await t.rejects(waiting, { name: 'ChatError', code: 'aborted' })
  await one.env.pass(1000)
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test('who has given up before asking is told so, and the client connects all the same', async (t) => {
  const one = stage()
  const waiting = one.connection.connect({ signal: AbortSignal.abort() })
  await t.rejects(waiting, { name: 'ChatError', code: 'aborted' })
  await settled()
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test('failures are repeated with full jitter in a window that doubles', async (t) => {
  const ends = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
  for (const random of [0, 0.5, 0.999]) {
    const one = stage({}, random)
    one.wires.script.push(...ends.map(() => wireError('network')))
    void one.connection.connect()
    await settled()
    for (const [i, end] of ends.entries()) {
      const delay = 500 + random * (end - 500)
      const wanted = { state: 'waiting', why: 'network', retryAt: one.env.now() + delay, error: { code: 'offline' } }
      t.match(one.connection.status.current, wanted)
      await one.env.pass(delay - 1)
      t.equal(one.wires.logins.length, i + 1)
      await one.env.pass(1)
      t.equal(one.wires.logins.length, i + 2)
    }
    await leavesNothing(t, one)
  }
})

t.test('a broker that is busy or goes away gets more time; and as much as it asks for', async (t) => {
  const asks = (retryAfter?: number) =>
    new ChatError('unavailable', 'no', retryAfter === undefined ? {} : { retryAfter })
  t.equal(connectDelay('server', 1, asks(), 1), 4000)
  t.equal(connectDelay('busy', 1, asks(), 1), 8000)
  t.equal(connectDelay('server', 100, asks(), 1), 30_000)
  const between = (delay: (random: number) => number) => [0, 1].map(delay)
  t.same(
    between((random) => connectDelay('busy', 1, asks(20), random)),
    [20_000, 30_000],
  )
  t.same(
    between((random) => connectDelay('busy', 100, asks(1), random)),
    [1000, 30_000],
    'a second each time is not all it gets',
  )
  t.same(
    between((random) => sendDelay(100, asks(1), random)),
    [1000, 1500],
    'but what is sent comes when it is asked for',
  )
  for (const delay of [connectDelay('busy', 1, asks(1e9), 0), sendDelay(1, asks(1e9), 0)])
    t.equal(delay, 3_600_000, 'not believed')
  const one = stage({}, 0)
  one.wires.script.push(wireError('refused', 0x9f, { userProperties: [['retryAfter', '40']] }))
  void one.connection.connect()
  await settled()
  const error = { code: 'rate_limited', retryAfter: 40 }
  t.match(one.connection.status.current, { why: 'busy', retryAt: one.env.now() + 40_000, error })
  await one.env.pass(3000)
  one.env.hint()
  await settled()
  t.equal(one.wires.logins.length, 1, 'a hint is no reason to press the broker')
  one.connection.retryNow()
  await settled()
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test(
  'a login that cannot be stored is tried less and less often, though a second is asked for each time',
  async (t) => {
    let asked = 0
    const getToken = async () => {
      asked++
      throw new ChatError('unavailable', 'nothing was stored', { retryAfter: 1 })
    }
    const one = stage({ credentials: { getToken } }, 1)
    one.connection.connect().catch(() => {})
    await one.env.pass(600_000)
    t.match(one.connection.status.current, { state: 'waiting', why: 'busy' })
    t.ok(asked > 10 && asked < 30, `${asked} times in ten minutes`)
    await leavesNothing(t, one)
  },
)

t.test('a connection that lasted resets the count of failures; one that did not does not', async (t) => {
  const one = stage({}, 1)
  await one.connection.connect()
  for (const [lasts, wait] of [
    [1000, 1000],
    [1000, 2000],
    [1000, 4000],
    [10_000, 1000],
  ] as const) {
    await one.env.pass(lasts)
    one.wires.last.ends(wireError('network'))
    await settled()
    t.match(one.connection.status.current, { state: 'waiting', retryAt: one.env.now() + wait })
    await one.env.pass(wait)
    t.equal(one.state(), 'online')
  }
  await leavesNothing(t, one)
})

t.test('a hint ends the wait, or checks the connection; at most once in two seconds', async (t) => {
  const one = stage({}, 1)
  one.wires.script.push(...Array.from({ length: 5 }, () => wireError('network')))
  void one.connection.connect()
  await one.env.pass(1000 + 2000 + 4000)
  t.equal(one.wires.logins.length, 4)
  one.env.hint()
  await settled()
  t.equal(one.wires.logins.length, 5)
  one.env.hint()
  await one.env.pass(1999)
  one.env.hint()
  await settled()
  t.equal(one.wires.logins.length, 5, 'it has just been tried')
  await one.env.pass(1)
  one.env.hint()
  await settled()
  t.equal(one.state(), 'online')
  one.env.hint()
  t.equal(one.wires.last.checks, 0)
  await one.env.pass(2000)
  one.env.hint()
  t.equal(one.wires.last.checks, 1)
  one.env.set(-86_400_000)
  one.env.hint()
  t.equal(one.wires.last.checks, 2, 'also when the clock was set back')
  one.connection.retryNow()
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test('a token that is refused is renewed once, at once; then a person has to sign in', async (t) => {
  const asked: string[] = []
  const one = stage({
    credentials: {
      getToken: async ({ why }) => {
        asked.push(why)
        return `t.${asked.length}.s`
      },
    },
  })
  one.wires.script.push(wireError('refused', 0x87))
  await one.connection.connect()
  t.same(asked, ['start', 'refused'])
  t.match(one.wires.logins, [{ token: 't.1.s' }, { token: 't.2.s' }])
  await one.env.pass(10_000)
  one.wires.script.push(wireError('refused', 0x87))
  one.wires.last.ends(wireError('disconnected', 0x87))
  await settled()
  t.match(one.connection.status.current, { state: 'signedOut', why: 'expired', error: { code: 'unauthorized' } })
  t.same(asked, ['start', 'refused', 'refused'])
  await one.connection.connect()
  t.equal(one.state(), 'online', 'the person has signed in')
  t.equal(asked.at(-1), 'start')
  await leavesNothing(t, one)
})

t.test('why a client is signed out', async (t) => {
  const cases: readonly (readonly [ConnectionOptions['credentials'], number, boolean, string])[] = [
    [{ user: 'ann', password: 'pw' }, 0x86, true, 'refused'],
    [{ token: 'key' }, 0x86, true, 'refused'],
    [{ token: 'a.b.c' }, 0x8a, true, 'refused'],
    [{ token: 'a.b.c' }, 0x87, false, 'expired'],
    [{ user: 'ann', password: 'pw' }, 0x98, false, 'revoked'],
  ]
  for (const [credentials, reason, atLogin, why] of cases) {
    const one = stage({ credentials })
    if (atLogin) one.wires.script.push(wireError('refused', reason))
    const connecting = one.connection.connect()
    if (atLogin) await t.rejects(connecting, { name: 'ChatError', code: 'unauthorized', transient: false })
    else {
      await connecting
      one.wires.last.ends(wireError('disconnected', reason))
      await settled()
    }
    t.match(one.connection.status.current, { state: 'signedOut', why })
    t.same([one.env.running, one.env.listeners, one.wires.open], [0, 0, 0])
    await leavesNothing(t, one)
  }
  const revoked = stage({
    credentials: { getToken: async ({ why }) => (why === 'refused' ? Promise.reject(unauthorized()) : 'a.b.c') },
  })
  await revoked.connection.connect()
  revoked.wires.last.ends(wireError('disconnected', 0x98))
  await settled()
  t.match(revoked.connection.status.current, {
    state: 'signedOut',
    why: 'revoked',
    error: { message: 'sign in again' },
  })
  await leavesNothing(t, revoked)
})

t.test('an API key is shown as a password without a user', async (t) => {
  const one = stage({ credentials: { getToken: async () => 'tk_key' } })
  await one.connection.connect()
  t.match(one.wires.logins, [{ user: '', password: 'tk_key' }])
  await leavesNothing(t, one)
})

t.test('tokens that are accepted and refused in turn are not asked for without end', async (t) => {
  const one = stage({ credentials: { getToken: async () => 'a.b.c' } }, 1)
  await one.connection.connect()
  for (let i = 0; i < 20; i++) {
    one.wires.last.ends(wireError('disconnected', 0x87))
    await settled()
  }
  t.ok(one.wires.logins.length <= 3, `${one.wires.logins.length} logins`)
  t.equal(one.state(), 'waiting')
  await leavesNothing(t, one)
})

t.test('tokens that end before the client is up to date do not sign it out, and are renewed meanwhile', async (t) => {
  const asked: string[] = []
  let synced = (): void => {}
  const getToken = async ({ why }: { why: string }): Promise<string> => {
    asked.push(why)
    return tokenFor(one.env, 60)
  }
  const one: Stage = stage({
    credentials: { getToken },
    sync: () => new Promise<void>((resolve) => (synced = resolve)),
  })
  const connecting = one.connection.connect()
  await settled()
  for (let i = 0; i < 3; i++) {
    t.equal(one.state(), 'syncing')
    one.wires.last.ends(wireError('disconnected', 0x87))
    await settled()
    await one.env.pass(30_000)
  }
  t.same(asked, ['start', 'refused', 'refused', 'refused'])
  await one.env.pass(60_000)
  t.equal(one.wires.last.renewals.length, 1, 'renewed while it is syncing')
  t.equal(one.wires.logins.length, 4)
  synced()
  await connecting
  t.equal(one.state(), 'online')
  await leavesNothing(t, one)
})

t.test('getToken that fails, says nothing in time, or gives no text is tried again', async (t) => {
  const failures: (() => Promise<string>)[] = [
    () => Promise.reject(new TypeError('fetch failed')),
    () => {
      throw new TypeError('not even a promise')
    },
    async () => undefined as never,
    () => new Promise(() => {}),
  ]
  for (const [i, fails] of failures.entries()) {
    let calls = 0
    const signals: AbortSignal[] = []
    const one = stage({
      credentials: {
        getToken: ({ signal }) => {
          signals.push(signal)
          return calls++ === 0 ? fails() : Promise.resolve('a.b.c')
        },
      },
    })
    void one.connection.connect()
    await settled()
    if (i === 3) await one.env.pass(30_000)
    t.match(one.connection.status.current, { state: 'waiting', error: { code: i === 3 ? 'timeout' : 'internal' } })
    await one.env.pass(30_000)
    t.equal(one.state(), 'online')
    t.ok(signals[0]!.aborted, 'what it still does is in vain')
    await leavesNothing(t, one)
  }
})

t.test('a login is renewed in place, ahead of its end, and the connection goes on', async (t) => {
  const asked: string[] = []
  const one: Stage = stage({
    credentials: {
      getToken: async ({ why }) => {
        asked.push(why)
        return tokenFor(one.env, 3600)
      },
    },
  })
  await one.connection.connect()
  await one.env.pass(0.79 * 3600_000)
  t.same(asked, ['start'])
  await one.env.pass(0.02 * 3600_000)
  t.same(asked, ['start', 'expiring'])
  t.equal(one.wires.last.renewals.length, 1)
  await one.env.pass(24 * 3600_000)
  t.equal(one.wires.logins.length, 1)
  t.ok(asked.length > 24 && asked.length < 36, `${asked.length} tokens in a day`)
  await leavesNothing(t, one)
})

t.test('a token from a cache, and a clock that is wrong', async (t) => {
  const lives = async (seconds: number, made: number): Promise<number> => {
    let asked = 0
    const getToken = async (): Promise<string> => {
      asked++
      return tokenFor(one.env, seconds, made)
    }
    const one: Stage = stage({ credentials: { getToken } })
    await one.connection.connect()
    const from = one.env.now()
    while (asked === 1) await one.env.pass(60_000)
    await leavesNothing(t, one)
    return (one.env.now() - from) / 60_000
  }
  t.equal(await lives(600, 3000), 8, 'ten minutes are left, of which it is renewed after eight')
  t.equal(
    await lives(-7200, 10_800),
    48,
    'the clock is fast: the broker has taken the token, so it is a new one, of an hour',
  )
  t.equal(await lives(7200, -3600), 48, 'the clock is slow')
})

t.test(
  'a renewal that fails is tried again while the login lasts; one that is refused ends the connection',
  async (t) => {
    const results: (() => string | Promise<string>)[] = []
    const one: Stage = stage({ credentials: { getToken: async () => results.shift()?.() ?? tokenFor(one.env, 3600) } })
    await one.connection.connect()
    results.push(() => Promise.reject(new TypeError('fetch failed')))
    await one.env.pass(0.805 * 3600_000)
    t.equal(one.wires.last.renewals.length, 0)
    t.equal(one.state(), 'online')
    await one.env.pass(31_000)
    t.equal(one.wires.last.renewals.length, 1)
    one.wires.last.renewal = wireError('disconnected', 0x87)
    await one.env.pass(0.81 * 3600_000)
    t.equal(one.wires.logins.length, 2, 'with another token')
    t.equal(one.state(), 'online')
    results.push(() => Promise.reject(unauthorized()))
    await one.env.pass(0.81 * 3600_000)
    t.match(one.connection.status.current, { state: 'signedOut', why: 'expired' })
    await leavesNothing(t, one)
  },
)

t.test('a token is asked for before a connection is made, if the present one ends soon', async (t) => {
  const asked: string[] = []
  const getToken = async ({ why }: { why: string }): Promise<string> => {
    asked.push(why)
    return tokenFor(one.env, 600)
  }
  const one: Stage = stage({ credentials: { getToken } })
  one.wires.script.push(wireError('network'))
  void one.connection.connect()
  await settled()
  await one.env.pass(1000)
  t.same(asked, ['start'], 'it is still good')
  one.wires.script.push(...Array.from({ length: 40 }, () => wireError('network')))
  one.wires.last.ends(wireError('network'))
  await settled()
  await one.env.pass(490_000)
  t.same(asked, ['start', 'expiring'])
  await leavesNothing(t, one)
})

t.test('a client id that others use is given up', async (t) => {
  const one = stage({}, new Random(1))
  await one.connection.connect()
  one.wires.last.ends(wireError('network'))
  await settled()
  one.connection.retryNow()
  await settled()
  one.wires.last.ends(wireError('disconnected', 0x8e))
  await settled()
  one.connection.retryNow()
  await settled()
  const [first, second, third] = one.wires.logins.map(({ clientId }) => clientId)
  t.equal(first, second, 'the earlier connection of ours, if it lives, ends')
  t.not(second, third)
  await leavesNothing(t, one)
})

t.test('a sync that fails ends the connection, and is told that it ended', async (t) => {
  const errors = [
    new ChatError('rate_limited', 'slow down', { retryAfter: 9 }),
    new Error('a bug'),
    wireError('network'),
  ]
  const signals: { readonly aborted: boolean }[] = []
  const one = stage(
    {
      sync: async (_wire, { signal }) => {
        signals.push(signal)
        const error = errors.shift()
        if (error) throw error
      },
    },
    0,
  )
  void one.connection.connect()
  await settled()
  t.match(one.connection.status.current, { why: 'busy', retryAt: one.env.now() + 9000 })
  t.ok(one.wires.last.closed && signals[0]!.aborted)
  await one.env.pass(9000)
  t.match(one.connection.status.current, { why: 'server', error: { code: 'internal', message: 'a bug' } })
  await one.env.pass(500)
  t.match(one.connection.status.current, { why: 'network' })
  await one.env.pass(500)
  t.equal(one.state(), 'online')
  t.notOk(signals.at(-1)!.aborted)
  one.wires.last.ends(wireError('network'))
  t.ok(signals.at(-1)!.aborted)
  await leavesNothing(t, one)
})

t.test('whatever happens, one connection at a time, bounded waits, and nothing left', async (t) => {
  const random = Random.from('CONNECTION_SEED')
  t.comment(`CONNECTION_SEED=${random.seed} repeats this run`)
  const ends = () =>
    random.pick([
      wireError('network'),
      wireError('protocol', 0x82),
      wireError('failed', 0x83),
      wireError('disconnected', random.pick([0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x97, 0x98])),
    ])
  for (let run = 0; run < 150; run++) {
    let present: AbortSignal | null = null
    const one: Stage = stage(
      {
        credentials: {
          getToken: async ({ signal }) => {
            if (present && !present.aborted) t.fail('two tokens were asked for at a time')
            present = signal
            await settled()
            if (present === signal) present = null
            if (random.chance(0.1)) throw random.chance(0.3) ? unauthorized() : new TypeError('fetch failed')
            return tokenFor(one.env, random.between(1, 7200))
          },
        },
        sync: async () => {
          if (random.chance(0.3)) await settled()
          if (random.chance(0.1)) throw new Error('sync failed')
        },
      },
      random,
    )
    one.connection.status.subscribe((status) => {
      const wait = status.state === 'waiting' ? status.retryAt - one.env.now() : 500
      if (wait < 500 || wait > 30_000) t.fail(`a wait of ${wait} ms`)
    })
    for (let step = 0; step < 60; step++) {
      const act = random.below(10)
      if (act < 2) one.connection.connect().catch(() => {})
      else if (act < 4) one.wires.wires.at(-1)?.ends(ends())
      else if (act < 5) one.env.hint()
      else if (act < 6) one.connection.retryNow()
      else if (act < 7)
        one.wires.script.push(random.pick([ends(), wireError('refused', random.pick([0x87, 0x88, 0x9f]))]))
      else if (act < 8 && random.chance(0.3)) await one.connection.close()
      else await one.env.pass(random.below(60_000))
      if (random.chance(0.5)) await settled()
    }
    one.wires.script.length = 0
    await one.connection.close()
    const left = [one.env.running, one.env.listeners, one.wires.open]
    if (left.some((count) => count > 0)) throw new Error(`run ${run} left timers, listeners, connections: ${left}`)
    if (one.wires.mostOpen > 1) throw new Error(`run ${run} had ${one.wires.mostOpen} connections at a time`)
  }
})
