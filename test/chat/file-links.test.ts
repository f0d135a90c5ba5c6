/** Links to files, for what cannot send a login, such as the images of a page: they end with whatever ends the right to read the file. */
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { stillClock } from '../helpers/clock.js'
import { fetchFrom, httpUrl } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { begin, upload } from '../helpers/uploads.js'

const PICTURE = Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(100, 7)])

async function open(t: Test, more: object = {}) {
  const media = { shared: true, images: { enabled: false }, ...more }
  const broker = await startTestBroker(t, { media, limits: { rates: 'off' } })
  const [alice, bob, carol] = await Promise.all(
    ['alice', 'bob', 'carol'].map((user) => Person.connect(t, broker, user)),
  )
  await alice!.get('rooms.create', { room: 'den', access: 'private' })
  await alice!.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob!.get('rooms.join', { room: 'den' })
  const file = await upload(broker, 'alice', PICTURE, { name: 'cat.gif' })
  const { result } = await alice!.send('rooms/den/messages', { attachments: [{ type: 'image', file }] })
  return { broker, alice: alice!, bob: bob!, carol: carol!, file, seq: result.seq as number }
}

async function linkOf(person: Person, file: string): Promise<string> {
  const { links } = await person.get('files.links', { files: [file] })
  return links[0].url
}

/** Without a login, as an image of a page. */
async function follow(broker: TestBroker, url: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(httpUrl(broker) + url, { headers })
  await answer.arrayBuffer()
  return answer.status
}

t.test('a link needs no login, and is the same for a while', async (t) => {
  const { broker, bob, file } = await open(t)
  const { links, expiresAt } = await bob.get('files.links', { files: [file] })
  t.same(Object.keys(links[0]), ['file', 'url'], 'there is no small image of it')
  t.ok(expiresAt > Date.now())
  const answer = await fetch(httpUrl(broker) + links[0].url)
  t.equal(answer.status, 200)
  t.ok(Buffer.from(await answer.arrayBuffer()).equals(PICTURE))
  t.equal(answer.headers.get('content-type'), 'image/gif')
  t.equal(await follow(broker, links[0].url, { 'if-none-match': answer.headers.get('etag')! }), 304)
  t.equal(await follow(broker, links[0].url, { range: 'bytes=0-5' }), 206)
  t.equal(await follow(broker, `${links[0].url}&download`), 200)
  t.equal(await follow(broker, `/v1/media/${file}`), 401)
})

t.test('small images have links too', async (t) => {
  const broker = await startTestBroker(t, { media: { shared: true }, limits: { rates: 'off' } })
  const alice = await Person.connect(t, broker, 'alice')
  const image = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const file = await upload(broker, 'alice', image)
  const [link] = (await alice.get('files.links', { files: [file] })).links
  t.equal(await follow(broker, link.url), 200)
  t.equal(await follow(broker, link.thumbnail), 200)
  const other = link.thumbnail.replace('/thumbnail?', '?')
  t.equal(await follow(broker, other), 403, 'each is for what it was made for')
})

t.test('links are made for what the caller may read, and each once', async (t) => {
  const { broker, carol, bob, file } = await open(t)
  const own = await upload(broker, 'bob', PICTURE)
  const unfinished = (await begin(broker, 'bob', 10)).headers.get('location')!.split('/').at(-1)!
  const asked = { files: [file, own, unfinished, '0'.repeat(32), file] }
  const made = (await bob.get('files.links', asked)).links.map(({ file }: { file: string }) => file)
  t.same(made, [file, own])
  t.same((await carol.get('files.links', asked)).links, [])
  const path = `/v1/file-links?files=${file}&files=${own}`
  const { body } = await fetchFrom(broker, path, { as: 'bob' })
  t.equal((body as unknown as { links: unknown[] }).links.length, 2)
})

t.test('nobody makes a link of another one', async (t) => {
  const { broker, bob, carol, file } = await open(t)
  const url = await linkOf(bob, file)
  const query = new URLSearchParams(url.split('?')[1])
  const changed = (key: string, value: string) => {
    const all = new URLSearchParams(query)
    all.set(key, value)
    return `/v1/media/${file}?${all}`
  }
  t.equal(await follow(broker, changed('user', 'alice')), 403)
  t.equal(await follow(broker, changed('user', 'nobody')), 403)
  t.equal(await follow(broker, changed('expires', String(Number(query.get('expires')) + 1))), 403)
  t.equal(await follow(broker, changed('login', 'x')), 403)
  t.equal(await follow(broker, changed('signature', `${query.get('signature')!.slice(0, -1)}_`)), 403)
  t.equal(await follow(broker, changed('signature', '')), 403)
  const theirs = await upload(broker, 'carol', PICTURE)
  t.equal(await follow(broker, url.replace(file, theirs)), 403)
  t.equal(await follow(broker, await linkOf(carol, theirs)), 200)
  for (const strange of ['signature=a&signature=b', 'signature=a', 'user=bob&signature=a&expires=x&login='])
    t.equal(await follow(broker, `/v1/media/${file}?${strange}`), 403, strange)
})

t.test('a link ends with its time, and with the right to read the file', async (t) => {
  const clock = stillClock(t)
  const { broker, alice, bob, file, seq } = await open(t, { linkLife: '5m' })
  const url = await linkOf(bob, file)
  clock.forward(299)
  t.equal(await follow(broker, url), 200)
  clock.forward(302)
  t.equal(await follow(broker, url), 403, 'its time is over')
  const removed = await linkOf(bob, file)
  await alice.get('rooms.remove', { room: 'den', user: 'bob' })
  t.equal(await follow(broker, removed), 404, 'they were removed')
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  t.equal(await follow(broker, removed), 200)
  await alice.send('rooms/den/messages', { type: 'delete', target: seq })
  t.equal(await follow(broker, removed), 404, 'the message was deleted')
  const own = await linkOf(alice, file)
  t.equal(await follow(broker, own), 200)
  await alice.get('files.delete', { file })
  t.equal(await follow(broker, own), 404)
})

t.test('a link ends with the login, the account, and while it is suspended', async (t) => {
  const { broker, bob, file } = await open(t)
  await broker.running.accounts.add('dave', 'dave-pw-dave')
  const body = { user: 'dave', password: 'dave-pw-dave' }
  const login = await fetchFrom(broker, '/v1/auth/login', { method: 'POST', body })
  const { token } = login.body as unknown as { token: string }
  const authorization = `Bearer ${token}`
  const daves = await upload(broker, 'dave', PICTURE)
  const answer = await fetch(`${httpUrl(broker)}/v1/file-links?files=${daves}`, { headers: { authorization } })
  const { links } = (await answer.json()) as { links: { url: string }[] }
  const byLogin = links[0]!.url
  t.equal(await follow(broker, byLogin), 200)
  const out = await fetch(`${httpUrl(broker)}/v1/auth/logout`, { method: 'POST', headers: { authorization } })
  t.equal(out.status, 200)
  t.equal(await follow(broker, byLogin), 403, 'logged out')
  const bobs = await linkOf(bob, file)
  const admin = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  await admin.get('accounts.suspend', { user: 'bob' })
  t.equal(await follow(broker, bobs), 403, 'suspended')
  await admin.get('accounts.resume', { user: 'bob' })
  await callAdmin(broker.dataDir, 'user.remove', { name: 'bob' })
  t.equal(await follow(broker, bobs), 403, 'the account is removed')
})
