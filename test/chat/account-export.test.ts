/** Taking along all that the broker has of oneself, and nothing of anyone else. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { unzipSync } from 'fflate'
import t, { type Test } from 'tap'
import { accountFiles } from '../../broker/chat/exports/account-files.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

async function open(t: Test, overrides: Overrides = {}) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const connect = (user: string, options = {}) => Person.connect(t, broker, user, options)
  return { broker, connect, alice: await connect('alice'), bob: await connect('bob') }
}

/** The files of a zip, as texts. */
async function download(broker: TestBroker, url: string): Promise<Record<string, string>> {
  const response = await fetch(`${httpUrl(broker)}${url}`)
  if (response.status !== 200) throw new Error(`${response.status}`)
  const files = unzipSync(new Uint8Array(await response.arrayBuffer()))
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString()]))
}

const linesOf = (text = '') =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const textsOf = (text = '') => linesOf(text).map((message) => message.text ?? message.type)

t.test('alice takes along what is hers: profile, people, rooms, devices, and all she wrote', async (t) => {
  const { broker, alice, bob, connect } = await open(t)
  await connect('alice', { clientId: 'phone', clean: false }).then((phone) => phone.subscribe('rooms/+/messages'))
  await alice.get('users.update', { name: 'Alice', fields: { shoe: 37 } })
  await alice.get('contacts.request', { user: 'bob' })
  await alice.get('blocks.add', { user: 'root' }).catch(() => {})
  for (const room of ['tea', 'secret']) await bob.get('rooms.create', { room, access: 'private' })
  await bob.get('rooms.create', { room: 'left' })
  await bob.get('rooms.invite', { room: 'tea', user: 'alice' })
  await alice.get('rooms.join', { room: 'tea' })
  await alice.get('rooms.join', { room: 'left' })
  await bob.say('secret', 'not for alice')
  await bob.say('tea', 'hello alice, says bob')
  await alice.say('tea', 'hello tea')
  await alice.say('tea', 'a mistake')
  await alice.say('tea', { type: 'reaction', target: 1, data: { emoji: '👍' } })
  await alice.say('tea', { type: 'delete', target: 3 })
  await alice.say('left', 'and good bye')
  await alice.get('rooms.leave', { room: 'left' })
  await alice.tell('bob', 'just you and me')
  await bob.tell('alice', 'yes')
  await alice.get('read', { room: 'tea', seq: 2 })

  const { url, expiresAt } = await alice.get('account.export')
  t.ok(expiresAt > Date.now())
  const files = await download(broker, url)
  t.match(files['README.txt'], 'What this TopicTalk broker has of alice')
  for (const name of Object.keys(files).filter((one) => !one.includes('/') && one !== 'README.txt'))
    t.match(files['README.txt'], name, `${name} is explained`)
  const json = (name: string) => JSON.parse(files[`${name}.json`]!)
  t.match(json('account'), { user: 'alice', password: false, secondFactor: null })
  t.match(json('profile'), { name: 'Alice', fields: { shoe: 37 } })
  t.match(json('contacts').wanted, [{ user: 'bob' }])
  t.match(
    json('rooms')
      .map(({ room }: { room: string }) => room)
      .sort(),
    ['dm:alice:bob', 'tea'],
  )
  t.match(
    json('rooms').find(({ room }: { room: string }) => room === 'tea'),
    { receipt: { read: 2 } },
  )
  t.match(json('sessions'), [{ clientId: 'phone', subscriptions: [{ topic: 'rooms/+/messages' }] }])
  t.same(textsOf(files['messages/tea.jsonl']), ['hello tea', 'reaction', 'delete'], 'her own, without what is gone')
  t.same(textsOf(files['messages/left.jsonl']), ['and good bye'], 'where she is no more, too')
  t.same(textsOf(files['direct/bob.jsonl']), ['just you and me', 'yes'])
  t.match(linesOf(files['events.jsonl']), [{ type: 'invited', room: 'tea', by: 'bob' }])
  const everything = Object.values(files).join('\n')
  for (const foreign of ['not for alice', 'says bob', 'a mistake', 'secret"'])
    t.notOk(everything.includes(foreign), `nothing of ${foreign}`)
})

t.test('no secret is in it', async (t) => {
  const { broker, bob } = await open(t)
  const login = await bob.get('auth.register', { user: 'pat', password: 'pat-password' })
  const pat = await Person.connect(t, broker, 'pat', { password: login.token })
  const { secret } = await pat.get('auth.totp.begin', { password: 'pat-password' })
  const files = await download(broker, (await pat.get('account.export')).url)
  t.match(JSON.parse(files['credentials.json']!), [{ kind: 'login', user: 'pat' }])
  const all = Object.values(files).join('\n')
  for (const word of ['argon2', '"hash"', 'sealed', secret, login.refreshToken.split('.')[3]])
    t.notOk(all.includes(word))
})

t.test('a link is good once, for ten minutes, and while its login stands', async (t) => {
  const clock = stillClock(t)
  const { broker, bob } = await open(t)
  const login = await bob.get('auth.register', { user: 'pat', password: 'pat-password' })
  const bearer = { authorization: `Bearer ${login.token}` }
  const ask = async (): Promise<string> =>
    (await fetchFrom(broker, '/v1/account/export', { method: 'POST', headers: bearer })).body.url
  const status = async (url: string, method = 'GET') => (await fetchFrom(broker, url, { method })).status
  const [first, second] = [await ask(), await ask()]
  t.equal(await status(first), 404, 'the next takes its place')
  t.equal(await status(second, 'HEAD'), 405, 'only a download uses it up')
  const { headers } = await fetchFrom(broker, second)
  t.match(Object.fromEntries(headers), { 'content-type': 'application/zip', 'cache-control': 'no-store' })
  t.equal(await status(second), 404)
  t.equal(await status('/v1/exports/guess'), 404)
  const late = await ask()
  clock.forward(600)
  t.equal(await status(late), 404)
  const kept = await ask()
  await broker.restart()
  t.equal(await status(kept), 200, 'a restart forgets none')
  t.equal(await status(kept), 404)
  const [url] = [await ask()]
  await fetchFrom(broker, '/v1/auth/logout', { method: 'POST', headers: bearer })
  t.equal(await status(url), 404)
})

t.test('who takes it slowly holds up nobody, and has one at a time', async (t) => {
  const { broker, alice, bob } = await open(t)
  await alice.get('rooms.create', { room: 'tea' })
  await bob.subscribe('rooms/tea/messages')
  // Words that compression finds little in: more than sockets hold.
  const words = Array.from({ length: 400 }, () => randomBytes(24_000).toString('base64'))
  for (const word of words) await alice.say('tea', word)
  const response = await slowly(broker, (await alice.get('account.export')).url)
  t.equal(await alice.fails('account.export'), 'conflict')
  await alice.say('tea', 'still here?')
  await bob.hears('still here?')
  const received: Buffer[] = []
  for await (const piece of response) received.push(piece)
  const text = Buffer.from(unzipSync(Buffer.concat(received))['messages/tea.jsonl']!).toString()
  t.same(textsOf(text), [...words, 'still here?'], 'what came meanwhile is read when its turn comes')

  const broken = await slowly(broker, (await alice.get('account.export')).url)
  broken.destroy()
  await once(broken, 'close')
  // The broker sees it a moment later.
  while ((await alice.ask('account.export')).ok === false);
  t.pass('a download that breaks off makes room for another')
})

t.test('downloads that nobody reads keep nobody from theirs', async (t) => {
  const clock = stillClock(t)
  const { broker, alice, connect } = await open(t)
  const words = Array.from({ length: 250 }, () => randomBytes(24_000).toString('base64'))
  const slow = await Promise.all(
    ['one', 'two', 'three', 'four'].map(async (user) => {
      const person = await connect(user)
      await person.get('rooms.create', { room: user })
      for (const word of words) await person.say(user, word)
      return slowly(broker, (await person.get('account.export')).url)
    }),
  )
  const { url } = await alice.get('account.export')
  await t.rejects(download(broker, url), { message: '503' }, 'all places are taken, and nobody had their time yet')
  clock.forward(31)
  t.ok((await download(broker, url))['README.txt'], 'one of them gave way; the link is good yet')
  const done = await Promise.all(slow.map(isWhole))
  t.equal(done.filter((whole) => whole).length, 3, 'and the others go on')
})

/** Reads a download to its end. */
async function isWhole(response: IncomingMessage): Promise<boolean> {
  try {
    for await (const _ of response);
  } catch {
    return false
  }
  return response.complete
}

/** Asks, and reads nothing until told to. */
async function slowly(broker: TestBroker, url: string): Promise<IncomingMessage> {
  const request = get(`${httpUrl(broker)}${url}`)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  return response
}

t.test('an export is bounded, and says what it leaves out', async (t) => {
  const { broker, alice } = await open(t)
  for (const room of ['a', 'b', 'c']) {
    await alice.get('rooms.create', { room })
    await alice.say(room, 'x'.repeat(2000))
  }
  const files: Record<string, string> = {}
  for await (const { name, text } of accountFiles(broker.running.store, 'alice', 3000)) {
    files[name] = ''
    for await (const piece of text) files[name] += piece
  }
  t.same(
    Object.keys(files).filter((name) => name.startsWith('messages/')),
    ['messages/a.jsonl', 'messages/b.jsonl'],
  )
  t.match(files['INCOMPLETE.txt'], /messages\/b\.jsonl, after 1\nmessages\/c\.jsonl\n$/)
})

t.test('without HTTP there is nowhere to download from', async (t) => {
  const broker = await startTestBroker(t, { listen: { http: null } })
  const alice = await Person.connect(t, broker, 'alice')
  t.equal(await alice.fails('account.export'), 'not_implemented')
})
