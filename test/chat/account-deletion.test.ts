/** An account that is deleted leaves nothing of its user, and everyone else's rooms whole. */
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import mqtt from 'mqtt'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { searchLocation } from '../../broker/wiring/storage.js'
import { codeOf } from '../helpers/authenticator-app.js'
import { Inbox, type Overrides, request, startTestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { movableClock } from '../helpers/clock.js'
import { found, secret } from '../helpers/disk.js'
import { erased } from '../helpers/erased.js'
import { Person, type PersonOptions } from '../helpers/people.js'

const HOUR = 3600

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const connect = (user: string, options: PersonOptions = {}) =>
    Person.connect(t, broker, user, { keepalive: 0, ...options })
  return { broker, connect, alice: await connect('alice'), bob: await connect('bob') }
}

/** Each number of a room with what it says, or why it is gone. */
async function historyOf(person: Person, room: string, view = 'log'): Promise<string[]> {
  const { messages } = await person.get('history', { room, limit: 100, ...(view === 'log' ? {} : { view }) })
  return messages.map(({ seq, gone, by, type, text, target }: Record<string, unknown>) =>
    [seq, gone ? `gone ${gone} by ${by}` : (text ?? `${type} ${target}`)].join(' '),
  )
}

t.test('an account that an admin deletes goes with what its user wrote', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => Person.connect(t, broker, user)))
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await alice!.get('rooms.create', { room: 'tea' })
  await bob!.get('rooms.join', { room: 'tea' })
  await bob!.say('tea', 'words of bob')
  await alice!.say('tea', 'words of alice')
  await root.get('accounts.delete', { user: 'bob' })
  await erased(broker, 'bob')
  t.same(await historyOf(alice!, 'tea'), ['1 gone deleted by null', '2 words of alice', '3 delete 1'])
})

t.test('all that alice wrote is gone from everywhere, and the rooms go on', async (t) => {
  const { broker, connect, alice, bob } = await open(t)
  await bob.get('rooms.create', { room: 'tea' })
  await alice.get('rooms.join', { room: 'tea' })
  await bob.get('rooms.setRole', { room: 'tea', user: 'alice', role: 'moderator' })
  await bob.subscribe(['rooms/tea/messages', 'rooms/tea/events'])
  await bob.say('tea', 'bob begins') // 1
  await alice.say('tea', 'alice was here') // 2
  await alice.say('tea', { type: 'edit', target: 2, text: 'alice is here' }) // 3
  await alice.say('tea', { type: 'reaction', target: 1, data: { emoji: '👍' } }) // 4
  await bob.say('tea', { type: 'reaction', target: 1, data: { emoji: '👍' } }) // 5
  await bob.say('tea', { type: 'reaction', target: 2, data: { emoji: '🎉' } }) // 6
  await bob.say('tea', 'call me: 555-1234') // 7
  await alice.say('tea', { type: 'edit', target: 7, text: 'call me' }) // 8
  await alice.say('tea', { type: 'pin', target: 1 }) // 9
  await bob.say('tea', 'rude') // 10
  await alice.say('tea', { type: 'delete', target: 10 }) // 11
  await alice.say('tea', 'oops') // 12
  await alice.say('tea', { type: 'delete', target: 12 }) // 13
  await bob.say('tea', { text: 'well', replyTo: 2, mentions: ['@carol'] }) // 14
  await bob.get('rooms.create', { room: 'left' })
  await alice.get('rooms.join', { room: 'left' })
  await alice.say('left', 'and gone')
  await alice.get('rooms.leave', { room: 'left' })
  await alice.tell('bob', 'for you')
  await bob.tell('alice', 'thanks')
  const away = await connect('bob', { clientId: 'tablet' })
  const { epoch, rooms } = await away.get('sync')
  const places = Object.fromEntries(rooms.map((room: { room: string; at: object }) => [room.room, room.at]))
  await away.leave()

  // The index has read what was deleted before, and need not be told again.
  await bob.get('search', { room: 'tea', query: 'bob' })
  const gone = alice.gone()
  t.same(await alice.get('account.delete', { user: 'alice' }), {})
  await gone
  await erased(broker, 'alice')

  const tea = await historyOf(bob, 'tea')
  t.same(
    tea.slice(0, 14),
    [
      '1 bob begins',
      ...[2, 3, 4].map((seq) => `${seq} gone deleted by null`),
      '5 reaction 1',
      '6 gone deleted by null',
      '7 call me: 555-1234',
      ...[8, 9, 10, 11, 12, 13].map((seq) => `${seq} gone deleted by null`),
      '14 well',
    ],
    'every number is accounted for, without a name',
  )
  t.same(
    tea
      .slice(14)
      .map((line) => line.slice(3))
      .sort(),
    ['call me', 'delete 2'],
  )
  const folded = (await bob.get('history', { room: 'tea', view: 'folded' })).messages
  t.match(folded[0], { reactions: [{ emoji: '👍', count: 1, me: true }], pinned: { by: 'system' } })
  t.match(
    folded.find(({ seq }: { seq: number }) => seq === 7),
    { text: 'call me', editedBy: 'system' },
    'what a moderator took out does not come back',
  )
  t.same(await historyOf(bob, 'left'), ['1 gone deleted by null', '2 delete 1'])
  t.same(await historyOf(bob, '@alice'), ['1 gone deleted by null', '2 thanks', '3 delete 1'])
  t.notOk(JSON.stringify((await bob.get('history', { room: 'tea', limit: 100 })).messages).includes('alice'))
  const heard = await bob.on('rooms/tea/messages', 16)
  t.match(
    heard.slice(14).find(({ type }) => type === 'delete'),
    { type: 'delete', target: 2, from: 'system' },
    'who is there is told',
  )
  t.match((await bob.on('rooms/tea/events', 1)).at(-1), { type: 'left', user: 'alice' })

  await t.test('she is in no list, and nobody can write to her or be her', async (t) => {
    const { members } = await bob.get('rooms.members', { room: 'tea' })
    t.same(
      members.map(({ user }: { user: string }) => user),
      ['bob'],
    )
    t.equal(await bob.fails('users.get', { user: 'alice' }), 'not_found user')
    t.match(await bob.refused('users/alice/messages', 'hello?'), { ok: false, error: { code: 'not_found' } })
    t.same((await bob.get('users.search', { query: 'ali' })).users, [])
  })

  await t.test('who comes back finds the rooms as they are now', async (t) => {
    const back = await connect('bob', { clientId: 'tablet' })
    const synced = await back.get('sync', { epoch, rooms: places })
    const tea = synced.rooms.find(({ room }: { room: string }) => room === 'tea')
    t.notOk(JSON.stringify(tea).includes('alice'))
    t.equal(tea.reset, false, 'nothing here has to begin anew')
    t.match(
      tea.changed.map(({ seq, gone: why }: { seq: number; gone?: string }) => [seq, why]),
      [
        [2, 'deleted'],
        [7, undefined],
      ],
    )
  })
})

t.test('the next owner of a name is answered with nothing of the last', async (t) => {
  const { broker, connect, alice, bob } = await open(t)
  await alice.get('rooms.create', { room: 'tea' })
  await bob.get('rooms.join', { room: 'tea' })
  const message = { cid: 'c1', text: 'hello' }
  t.match(await bob.send('rooms/tea/messages', message), { ok: true, result: { seq: 1 } })
  t.match(await bob.send('rooms/tea/messages', message), { ok: true, result: { seq: 1 } }, 'a retry')
  await bob.get('account.delete', { user: 'bob' })
  await erased(broker, 'bob')
  const next = await connect('bob', { clientId: 'another' })
  await next.get('rooms.join', { room: 'tea' })
  const { result } = await next.send('rooms/tea/messages', message)
  t.ok(result.seq > 1, 'the same words with the same id are another message')
  t.match(
    await next.send('rooms/tea/messages', message),
    { ok: true, result: { seq: result.seq } },
    'which can be retried',
  )
  t.match(await next.send('rooms/tea/messages', { cid: 'c1', text: 'other words' }), { error: { code: 'conflict' } })
})

t.test('the search index hears of a deletion it had not read when the account went', async (t) => {
  const { broker, alice, bob } = await open(t)
  await bob.get('rooms.create', { room: 'tea' })
  await alice.get('rooms.join', { room: 'tea' })
  await alice.say('tea', 'xylophonics')
  await bob.say('tea', 'kazoos')
  const search = async (query: string) => (await bob.get('search', { room: 'tea', query })).results.length
  t.equal(await search('xylophonics'), 1)
  await alice.say('tea', { type: 'delete', target: 1 })
  await alice.get('account.delete', { user: 'alice' })
  await erased(broker, 'alice')
  t.equal(await search('kazoos'), 1, 'the index has read all there is')
  const files = ['', '-wal'].map((end) => readFile(`${searchLocation(broker.dataDir)}${end}`, 'latin1').catch(() => ''))
  const text = (await Promise.all(files)).join('')
  t.ok(text.includes('kazoos'))
  t.notOk(text.includes('xylophonics'))
})

t.test('what bots wrote goes with their owner, and stays when only the bot goes', async (t) => {
  const { broker, connect, alice, bob } = await open(t)
  await bob.get('rooms.create', { room: 'tea' })
  for (const bot of ['one', 'other']) {
    const { key } = await alice.get('bots.create', { bot })
    const speaking = await connect(bot, { password: key.key })
    await speaking.get('rooms.join', { room: 'tea' })
    await speaking.say('tea', `says ${bot}`)
  }
  await alice.get('bots.delete', { bot: 'one' })
  await erased(broker, 'one')
  t.same(await historyOf(bob, 'tea'), ['1 says one', '2 says other'])
  await alice.get('account.delete', { user: 'alice' })
  for (const user of ['alice', 'other']) await erased(broker, user)
  t.same(await historyOf(bob, 'tea'), ['1 says one', '2 gone deleted by null', '3 delete 2'])
  t.equal(await bob.fails('users.get', { user: 'other' }), 'not_found user')
})

t.test('many removed bots of one person do not delay the removal of another', async (t) => {
  const { broker, connect, alice, bob } = await open(t)
  const { store } = broker.running
  const { accounts, sessions } = store
  const bots = Array.from({ length: 5 }, (_, i) => `a${i}`)
  for (const bot of bots) await alice.get('bots.create', { bot })
  await bob.get('bots.create', { bot: 'b' })
  const done: string[] = []
  await store.follow({
    load: async () => () => {},
    apply: (_, changes) => {
      for (const change of changes)
        if (change.table === 'removal' && 'key' in change && change.value === null) done.push(change.key)
    },
  })
  // The first of them lasts until all are asked for.
  let go = (): void => {}
  const asked = new Promise<void>((resolve) => (go = resolve))
  const { ofUser } = sessions
  sessions.ofUser = async function (user) {
    await asked
    return ofUser.call(this, user)
  }
  // Requests of one connection wait for each other.
  const devices = await Promise.all(bots.map((bot) => connect('alice', { clientId: bot })))
  const alices = bots.map((bot, i) => devices[i]!.get('bots.delete', { bot }))
  while ((await Promise.all(bots.map((bot) => accounts.removal(bot)))).includes(null)) await setImmediate()
  const bobs = bob.get('bots.delete', { bot: 'b' })
  while (!(await accounts.removal('b'))) await setImmediate()
  await setImmediate()
  go()
  await Promise.all([...alices, bobs])
  t.ok(done.indexOf('b') <= 2, `${done}: one of hers under way, one whose turn it was, and then his`)
  t.same([...done].sort(), [...bots, 'b'].sort(), 'and all are done')
  await (await connect('carol')).get('bots.create', { bot: 'b' })
})

t.test('an account is deleted by who owns it: name, password and code', async (t) => {
  const { broker, connect, bob } = await open(t)
  const { token } = await bob.get('auth.register', { user: 'pat', password: 'pat-pw' })
  const pat = await connect('pat', { password: token })
  const { secret: shared } = await pat.get('auth.totp.begin', { password: 'pat-pw' })
  const used = codeOf(shared)
  await pat.get('auth.totp.confirm', { code: used })
  const table: [object, string][] = [
    [{}, 'bad_request user'],
    [{ user: 'bob' }, 'forbidden user'],
    [{ user: 'pat' }, 'unauthorized password'],
    [{ user: 'pat', password: 'guess', code: codeOf(shared, 1) }, 'unauthorized password'],
    [{ user: 'pat', password: 'pat-pw' }, 'unauthorized code'],
    [{ user: 'pat', password: 'pat-pw', code: used }, 'unauthorized code'],
  ]
  for (const [params, expected] of table) t.equal(await pat.fails('account.delete', params), expected)
  const gone = pat.gone()
  await pat.get('account.delete', { user: 'pat', password: 'pat-pw', code: codeOf(shared, 1) })
  await gone
  await t.rejects(connect('pat', { password: token }), 'tokens of before are void')
  await erased(broker, 'pat')
  await bob.get('auth.register', { user: 'pat', password: 'other-pw' })
  t.match(await bob.get('auth.login', { user: 'pat', password: 'other-pw' }), { user: 'pat' }, 'and the name is free')
})

t.test('a day later no file holds a word of hers', async (t) => {
  const clock = movableClock(t)
  const { broker, connect, bob } = await open(t)
  const name = `zoe-${secret().replace(/[^A-Za-z0-9]/g, '')}`
  const words: string[] = []
  const word = (): string => words[words.push(secret()) - 1]!
  await bob.get('rooms.create', { room: 'tea' })
  const zoe = await connect(name, { clientId: 'zoes-phone', clean: false })
  await zoe.get('rooms.join', { room: 'tea' })
  await zoe.subscribe(['rooms/tea/messages', 'users/+/events'])
  await zoe.get('users.update', { name: word(), fields: { note: word() } })
  await zoe.publish(`users/${name}/presence`, { status: word() })
  for (let i = 0; i < 150; i++) {
    await zoe.say('tea', { text: word() })
    if (i % 10 === 0) await bob.say('tea', 'bob stays')
  }
  await zoe.say('tea', { type: 'edit', target: 1, text: word() })
  await zoe.say('tea', { type: 'reaction', target: 2, data: { emoji: '👍' } })
  await zoe.get('rooms.create', { room: 'zoes' })
  await zoe.get('rooms.invite', { room: 'zoes', user: 'bob' })
  await bob.get('rooms.join', { room: 'zoes' })
  await zoe.say('zoes', word())
  await broker.restart()
  t.same(found(await broker.stored(), words), words, 'all there before')

  await callAdmin(broker.dataDir, 'user.remove', { name })
  await erased(broker, name)
  for (let hours = 0; hours <= 25; hours++) {
    clock.forward(HOUR)
    await broker.running.maintenance.sweep(Date.now())
  }
  // What the last second brought is folded by a start.
  await broker.restart()
  await broker.running.store.log.sweep()
  const left = found(await broker.stored(), words)
  t.same(
    left.map((one) => words.indexOf(one)),
    [],
    'which of her words, as they were written',
  )
  const again = await connect('bob', { clientId: 'again' })
  t.match(await again.get('history', { room: 'zoes' }), { messages: [{ seq: 1, gone: 'deleted', by: null }, {}] })
  t.match(
    (await again.get('rooms.list')).rooms.find(({ id }: { id: string }) => id === 'zoes'),
    { id: 'zoes' },
  )
})

t.test('kill -9 in the middle, again and again: it goes on where it was', async (t) => {
  const broker = await BrokerProcess.make(t, ['limits.rates=off', 'rooms.list=[{id: tea, access: public}]'])
  await broker.start()
  const MESSAGES = 1500
  const connect = async (user: string, clientId = user) => {
    const password = await broker.token(user)
    const options = { username: user, password, clientId, protocolVersion: 4, reconnectPeriod: 0 } as const
    const client = mqtt.connect(broker.url, options)
    client.on('error', () => {})
    t.teardown(() => client.endAsync(true))
    await new Promise((done) => client.once('connect', done))
    return client
  }
  const alice = await connect('alice')
  for (let i = 0; i < MESSAGES; i += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, j) => alice.publishAsync('rooms/tea/messages', `alice ${i + j}`, { qos: 1 })),
    )
  const first = await connect('bob')
  const heard = new Inbox(first)
  await first.subscribeAsync('rooms/tea/messages', { qos: 1 })
  t.match(await request(alice, 'alice', 'account.delete', { user: 'alice' }), { ok: true })
  await heard.wait(100)
  await broker.kill()
  for (let kills = 0; kills < 2; kills++) {
    await broker.start()
    const bob = await connect('bob', `bob-${kills}`)
    const inbox = new Inbox(bob)
    await bob.subscribeAsync('rooms/tea/messages', { qos: 1 })
    await inbox.wait(100)
    await broker.kill()
  }
  await broker.start()
  const bob = await connect('bob', 'last')
  const head = async () => (await request(bob, 'bob', 'history', { room: 'tea', limit: 1 })).result.messages[0].seq
  while ((await head()) < 2 * MESSAGES);
  const gone: number[] = []
  const deleted: number[] = []
  for (let after = 0, more = true; more; ) {
    const { result } = await request(bob, 'bob', 'history', { room: 'tea', after, limit: 100 })
    for (const message of result.messages) {
      if (message.gone) gone.push(message.seq)
      else deleted.push(message.target)
      after = message.seq
    }
    more = result.more
  }
  const all = Array.from({ length: MESSAGES }, (_, i) => i + 1)
  t.same(gone, all, 'every message of hers, and no other number')
  t.same(
    [...deleted].sort((a, b) => a - b),
    all,
    'each deleted once',
  )
  t.same(broker.complaints, [])
})
