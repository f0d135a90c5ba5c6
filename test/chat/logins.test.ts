/** Accounts and logins as people meet them: registering, tokens, logging out, and what ends when they do. */
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { Commands, type Handlers } from '../../broker/chat/commands/table.js'
import { Audit } from '../../broker/chat/model/audit.js'
import { Rates } from '../../broker/chat/model/rates.js'
import { COMMANDS, type Command } from '../../schemas/commands.js'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { movableClock, stillClock } from '../helpers/clock.js'
import { knock } from '../helpers/knock.js'
import { Person, type PersonOptions } from '../helpers/people.js'

const LASTING = { clean: false } as const

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, overrides)
  const connect = (user: string, options: PersonOptions = {}) => Person.connect(t, broker, user, options)
  const root = await connect('root', { roles: ['admin'] })
  return { broker, connect, root }
}

t.test('only open commands are for those who are not logged in', async (t) => {
  const { broker } = await open(t)
  const answered = Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, async () => '{}']))
  const commands = new Commands(
    answered as unknown as Handlers,
    1000,
    new Rates('off'),
    new Audit(broker.running.store),
    { low: false },
  )
  const principal = { user: 'anonymous', roles: new Set<string>(), anonymous: true, expiresAt: null }
  const stranger = { principal, clientId: '', sessionId: null }
  const asked = Object.entries<Command>(COMMANDS).map(async ([name, { open = false }]) => {
    const outcome = await commands.run(stranger, name, {}).catch(({ code }) => code)
    t.equal(outcome !== 'unauthorized', open, `${name}: ${outcome}`)
  })
  await Promise.all(asked)
  t.equal(await commands.run(stranger, 'auth.login', { user: 'a', password: 'b' }), '{}')
})

t.test('whoever registers is logged in, and logs in again by token and by password', async (t) => {
  const { broker, connect, root } = await open(t)
  const first = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  t.match(first, { user: 'alice', token: String, refreshToken: /^ttr\./ })
  const alice = await connect('alice', { password: first.token })
  t.same((await alice.get('rooms.list')).rooms, [])
  t.equal(await knock(broker, 'alice', 'alice-pw'), 0)
  t.equal(await knock(broker, '', first.token), 0, 'the token names its user')
  t.equal(await knock(broker, 'bob', first.token), 4)
  t.equal(await knock(broker, 'alice', first.refreshToken), 4, 'a refresh token is no password')
  t.match(await root.get('auth.login', { user: 'alice', password: 'alice-pw' }), { user: 'alice' })

  const table: [object, string][] = [
    [{ user: 'alice', password: 'another' }, 'conflict user'],
    [{ user: 'ALICE', password: 'another' }, 'conflict user'],
    [{ user: 'anonymous', password: 'another' }, 'bad_request user'],
    [{ user: 'bob', password: 'short' }, 'bad_request password'],
    [{ user: 'bob', password: '' }, 'bad_request password'],
    [{ user: 'bob' }, 'bad_request password'],
    [{ user: 'bob', password: 'bob-pw', roles: ['admin'] }, 'bad_request roles'],
  ]
  for (const [params, expected] of table) t.equal(await root.fails('auth.register', params), expected)
  for (const [user, password] of [
    ['alice', 'wrong'],
    ['nobody', 'alice-pw'],
    ['alice', first.token],
    ['alice', first.refreshToken],
  ])
    t.equal(await root.fails('auth.login', { user, password }), 'unauthorized password')
})

t.test('an account is made by whom auth.registration lets', async (t) => {
  await t.test('closed: nobody', async (t) => {
    const { root } = await open(t, { auth: { registration: 'closed' } })
    t.equal(await root.fails('auth.register', { user: 'alice', password: 'alice-pw' }), 'forbidden')
  })

  await t.test('invite: who has an invitation, as often as it says', async (t) => {
    const { root, connect } = await open(t, { auth: { registration: 'invite' } })
    const guest = await connect('guest')
    t.equal(await guest.fails('auth.invite'), 'forbidden')
    const { invite } = await root.get('auth.invite', { uses: 2 })
    const register = (user: string, more: object) =>
      guest.ask('auth.register', { user, password: `${user}-pw`, ...more })
    for (const wrong of [{}, { invite: 'x' }, { invite: `${invite}x` }, { invite: invite.replace('tti', 'ttr') }])
      t.match(await register('eve', wrong), { ok: false, error: { code: 'forbidden', field: 'invite' } })
    t.match(await register('guest', { invite }), { error: { code: 'conflict' } }, 'what fails uses nothing up')
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((user) => register(`user-${user}`, { invite })))
    t.equal(answers.filter(({ ok }) => ok).length, 2, 'however many come at once')
    t.match(await register('eve', { invite }), { error: { code: 'forbidden', field: 'invite' } })
  })

  await t.test('from one address only so many', async (t) => {
    stillClock(t)
    const { root } = await open(t, { auth: { throttle: { registrations: 2 } } })
    await root.get('auth.register', { user: 'a', password: 'secret' })
    t.equal(await root.fails('auth.register', { user: 'a', password: 'secret' }), 'conflict user', 'attempts count')
    const reply = await root.ask('auth.register', { user: 'c', password: 'secret' })
    t.match(reply.error, { code: 'rate_limited', retryAfter: 60 })
  })
})

t.test('guesses at a password are throttled like those of CONNECT, and with them', async (t) => {
  const { broker, root } = await open(t, { auth: { throttle: { attempts: 3 } } })
  await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  for (let i = 0; i < 3; i++) await root.fails('auth.login', { user: 'alice', password: 'guess' })
  t.equal(await root.fails('auth.login', { user: 'alice', password: 'alice-pw' }), 'rate_limited')
  t.equal(await knock(broker, 'alice', 'alice-pw'), 3)
})

t.test('a refresh token is good once', async (t) => {
  const clock = movableClock(t)
  const { broker, connect, root } = await open(t)
  const first = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const renew = (refreshToken: string) => root.ask('auth.token', { refreshToken })

  await t.test('and while nobody used the next, so that a lost answer logs nobody out', async (t) => {
    const lost = (await renew(first.refreshToken)).result
    const { ok, result } = await renew(first.refreshToken)
    t.ok(ok)
    t.not(result.refreshToken, lost.refreshToken)
    const next = (await renew(result.refreshToken)).result
    t.equal(await knock(broker, 'alice', next.token), 0)
    t.equal(await knock(broker, 'alice', first.token), 0, 'access tokens end by themselves')
  })

  await t.test(
    'and after that, beyond the time of grace, ends the login, for whoever has it and for its thief',
    async (t) => {
      const second = await root.get('auth.login', { user: 'alice', password: 'alice-pw' })
      const third = (await renew(second.refreshToken)).result
      const fourth = (await renew(third.refreshToken)).result
      const alice = await connect('alice', { password: fourth.token })
      const gone = alice.gone()
      clock.forward(61)
      t.match(await renew(second.refreshToken), { error: { code: 'unauthorized', field: 'refreshToken' } })
      await gone
      t.match(await renew(fourth.refreshToken), { error: { code: 'unauthorized' } })
      t.equal(await knock(broker, 'alice', fourth.token), 4)
      t.equal(await knock(broker, 'alice', first.token), 0, 'another login of the same user goes on')
    },
  )

  for (const wrong of ['x', 'ttr.YWxpY2U.abc.def', first.token, first.refreshToken.replace('ttr', 'tti')])
    t.match(await renew(wrong), { error: { code: 'unauthorized' } })
})

t.test('refreshing at once signs nobody out: each goes on with what it was answered', async (t) => {
  const { broker, root } = await open(t)
  const first = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const renew = (refreshToken: string) => root.get('auth.token', { refreshToken })
  const answers = await Promise.all([1, 2, 3].map(() => renew(first.refreshToken)))
  for (const { token, refreshToken } of answers) {
    t.equal(await knock(broker, 'alice', token), 0)
    const next = await renew(refreshToken)
    t.ok(await renew(next.refreshToken))
  }
})

t.test('without a time of grace two at once are a retry, and the second answer counts', async (t) => {
  const { root } = await open(t, { auth: { refreshGrace: 0 } })
  const first = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const [one, two] = [1, 2].map(() => root.get('auth.token', { refreshToken: first.refreshToken }))
  const [lost, heard] = [await one, await two]
  const next = await root.get('auth.token', { refreshToken: heard.refreshToken })
  t.equal(await root.fails('auth.token', { refreshToken: lost.refreshToken }), 'unauthorized refreshToken')
  t.equal(await root.fails('auth.token', { refreshToken: next.refreshToken }), 'unauthorized refreshToken', 'stolen')
})

t.test('a login outlives a restart, not its time', async (t) => {
  const { broker, root } = await open(t)
  const first = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  await broker.restart({ auth: { refreshTtl: '0s', tokenTtl: '1s' } })
  t.equal(await knock(broker, 'alice', first.token), 0)
  const admin = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  const second = await admin.get('auth.token', { refreshToken: first.refreshToken })
  t.equal(await admin.fails('auth.token', { refreshToken: second.refreshToken }), 'unauthorized refreshToken')
  t.equal(await knock(broker, 'alice', second.token), 4)
})

t.test('logging out ends one login: its tokens, its sessions, and what they held', async (t) => {
  const { broker, connect, root } = await open(t)
  const here = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const there = await root.get('auth.login', { user: 'alice', password: 'alice-pw' })
  const phone = await connect('alice', { password: here.token, clientId: 'phone', ...LASTING })
  const watch = await connect('alice', { password: here.token, clientId: 'watch', ...LASTING })
  const laptop = await connect('alice', { password: there.token, clientId: 'laptop', ...LASTING })
  const tablet = await connect('alice', { password: 'alice-pw', clientId: 'tablet', ...LASTING })
  await watch.leave()
  const gone = phone.gone()
  t.same(await phone.get('auth.logout'), {}, 'and hears so')
  await gone
  const ids = async () => (await broker.running.store.sessions.ofUser('alice')).map(({ clientId }) => clientId).sort()
  while ((await ids()).includes('watch')) await new Promise((resolve) => setImmediate(resolve))
  t.same(await ids(), ['laptop', 'tablet'], 'a session of it that is away is gone too')
  t.equal(await knock(broker, 'alice', here.token), 4)
  t.equal(await root.fails('auth.token', { refreshToken: here.refreshToken }), 'unauthorized refreshToken')
  t.ok(await laptop.get('rooms.list'), 'others go on')

  const left = tablet.gone()
  await tablet.get('auth.logout')
  await left
  t.same(await ids(), ['laptop'], 'a login by password is its session')
  t.equal(await knock(broker, 'alice', 'alice-pw'), 0)
})

t.test('logging out everywhere voids all tokens, ends all sessions and empties them', async (t) => {
  const { broker, connect, root } = await open(t)
  const mine = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const foreign = await broker.token('alice')
  const phone = await connect('alice', { password: mine.token, clientId: 'phone', ...LASTING })
  const laptop = await connect('alice', { password: foreign, clientId: 'laptop', ...LASTING })
  const away = await connect('alice', { clientId: 'away', ...LASTING })
  await away.subscribe(['rooms/lobby/messages', 'users/alice/messages'])
  await phone.subscribe('rooms/lobby/messages')
  await away.leave()
  await root.say('lobby', 'before')
  await phone.hears('before')
  const ends = Promise.all([phone.gone(), laptop.gone()])
  t.same(await phone.get('auth.logoutEverywhere'), {})
  await ends
  for (const [name, token] of Object.entries({ mine: mine.token, foreign }))
    t.equal(await knock(broker, 'alice', token), 4, name)
  t.equal(await root.fails('auth.token', { refreshToken: mine.refreshToken }), 'unauthorized refreshToken')
  const back = await connect('alice', { clientId: 'away', password: 'alice-pw', ...LASTING })
  await back.subscribe('rooms/lobby/messages')
  await root.say('lobby', 'after')
  await back.hears('after')
  t.same(back.lines, ['rooms/lobby/messages after'], 'nothing waited for it')
  t.equal(await knock(broker, 'alice', await broker.token('alice')), 0, 'what is issued from now on is good')
})

t.test('a login that is checked while everything is voided does not slip through', async (t) => {
  const { broker, root } = await open(t)
  await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const token = await broker.token('alice')
  const alice = await Person.connect(t, broker, 'alice', { password: token })
  const { aedes } = broker.running
  let arrived = () => {}
  let goOn = () => {}
  const checking = new Promise<void>((resolve) => (arrived = resolve))
  // A plugin that takes its time: the token is checked by then, the session is not there yet.
  aedes.authenticate = (_client, _username, _password, done) => {
    goOn = () => done(null, true)
    arrived()
  }
  const late = knock(broker, 'alice', token)
  await checking
  const gone = alice.gone()
  await alice.get('auth.logoutEverywhere')
  await gone
  goOn()
  t.equal(await late, 5)
})

t.test('another password needs the old one, and ends everything but the session that asked', async (t) => {
  const { broker, connect, root } = await open(t)
  const before = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const phone = await connect('alice', { password: before.token, clientId: 'phone' })
  const other = await connect('alice', { password: 'alice-pw', clientId: 'other' })
  t.equal(await phone.fails('auth.password', { old: 'wrong', new: 'new-pw' }), 'unauthorized old')
  t.equal(await phone.fails('auth.password', { old: before.token, new: 'new-pw' }), 'unauthorized old')
  t.equal(await phone.fails('auth.password', { old: 'alice-pw', new: 'short' }), 'bad_request password')
  const gone = other.gone()
  const after = await phone.get('auth.password', { old: 'alice-pw', new: 'new-pw' })
  await gone
  t.ok(await phone.get('rooms.list'), 'the asking session goes on')
  t.equal(await knock(broker, 'alice', before.token), 4)
  t.equal(await knock(broker, 'alice', 'alice-pw'), 4)
  t.equal(await knock(broker, 'alice', 'new-pw'), 0)
  t.equal(await knock(broker, 'alice', after.token), 0)
  t.equal(await root.fails('auth.token', { refreshToken: before.refreshToken }), 'unauthorized refreshToken')
})

t.test('the session that asked for another password has the new login from then on', async (t) => {
  const { connect, root } = await open(t)
  const before = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const phone = await connect('alice', { password: before.token, clientId: 'phone' })
  const { refreshToken } = await phone.get('auth.password', { old: 'alice-pw', new: 'new-pw' })
  await phone.get('sessions.endOthers')
  const next = await root.get('auth.token', { refreshToken })
  t.match(next, { user: 'alice' }, 'the new login is not one of the others')
  await connect('alice', { password: next.token, clientId: 'beside' })
  t.match(await phone.get('sessions.list'), { sessions: [{ sameLogin: true }, { sameLogin: true }] })
  const gone = phone.gone()
  await phone.get('auth.logout')
  await gone
  t.equal(await root.fails('auth.token', { refreshToken: next.refreshToken }), 'unauthorized refreshToken')
})

t.test('on the command line a new password, or a removal, voids tokens too', async (t) => {
  const { broker, connect, root } = await open(t)
  const login = await root.get('auth.register', { user: 'alice', password: 'alice-pw' })
  const tokens = [login.token, await broker.token('alice')]
  const alice = await connect('alice', { password: login.token })
  let gone = alice.gone()
  await callAdmin(broker.dataDir, 'user.passwd', { name: 'alice', password: 'new-pw' })
  await gone
  for (const token of tokens) t.equal(await knock(broker, 'alice', token), 4)

  const next = await root.get('auth.login', { user: 'alice', password: 'new-pw' })
  const foreign = await broker.token('alice')
  const again = await connect('alice', { password: next.token })
  gone = again.gone()
  await callAdmin(broker.dataDir, 'user.remove', { name: 'alice' })
  await gone
  for (const token of [next.token, foreign]) t.equal(await knock(broker, 'alice', token), 4, 'nor makes the user anew')
  t.equal(await broker.running.store.directory.user('alice'), null)
  await root.get('auth.register', { user: 'alice', password: 'another-alice' })
  for (const token of [next.token, foreign]) t.equal(await knock(broker, 'alice', token), 4, 'nor is it the next alice')
  t.equal(await root.fails('auth.token', { refreshToken: next.refreshToken }), 'unauthorized refreshToken')
})
