/** Admins see what files users have, and block them. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { begin, download, filesOnDisk, tus, upload } from '../helpers/uploads.js'

const ROOT = { roles: ['admin'] }
const BYTES = Buffer.from('what nobody should see\n')

async function open(t: Test, media: object = {}) {
  const broker = await startTestBroker(t, { media: { shared: true, ...media }, limits: { rates: 'off' } })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  const root = await Person.connect(t, broker, 'root', ROOT)
  return { broker, alice, bob, root }
}

/** Uploads it, and resolves with its id and what its sender was answered. */
async function finish(broker: TestBroker, user: string, bytes: Buffer) {
  const path = (await begin(broker, user, bytes.length)).headers.get('location')!
  const { status, ...body } = await tus(broker, user, 'PATCH', path, { headers: { 'upload-offset': '0' }, body: bytes })
  return { ...body, file: path.split('/').at(-1)!, status }
}

const withFile = (file: string) => ({ attachments: [{ type: 'file', file }] })

t.test('admins list the files of a user, and see what is known of one, but not its bytes', async (t) => {
  const { broker, alice, bob, root } = await open(t)
  const file = await upload(broker, 'alice', BYTES, { name: 'note.txt' })
  const { files, used } = await root.get('files.list', { user: 'alice' })
  t.match(files, [{ file, user: 'alice', name: 'note.txt', size: BYTES.length, finished: true }])
  t.same(used, { files: 1, bytes: BYTES.length })
  t.match(await root.get('files.get', { file }), { file, user: 'alice' })
  t.equal((await download(broker, 'root', file)).status, 404)
  t.match(await alice.get('files.list', { user: 'alice' }), { files: [{ file }] })
  t.equal(await bob.fails('files.list', { user: 'alice' }), 'forbidden')
  t.equal(await bob.fails('files.get', { file }), 'not_found file')
  t.equal(await root.fails('files.get', { file: '0'.repeat(32) }), 'not_found file')
})

t.test('a file that an admin blocks is off the disk, is not served, and nobody can send it', async (t) => {
  const { broker, alice, bob, root } = await open(t)
  const file = await upload(broker, 'alice', BYTES)
  await bob.get('rooms.join', { room: 'lobby' })
  t.ok((await alice.send('rooms/lobby/messages', withFile(file))).ok)
  t.equal((await download(broker, 'bob', file)).status, 200)
  t.equal(await bob.fails('files.block', { file }), 'forbidden')
  t.match(await root.get('files.block', { file, reason: 'against the rules' }), { file, scan: 'blocked' })
  t.same(await filesOnDisk(broker), [])
  t.equal((await download(broker, 'bob', file)).status, 403)
  t.match(await alice.get('files.get', { file }), { scan: 'blocked', blockedFor: 'against the rules' })
  const { error } = await bob.send('rooms/lobby/messages', withFile(file))
  t.match(error, { code: 'forbidden', message: /against the rules/ })
  const { entries } = await root.get('audit.list', { action: 'files.block' })
  t.match(entries, [
    { actor: 'bob', result: 'forbidden', details: { file } },
    { actor: 'root', result: 'ok', user: 'alice', details: { file, reason: 'against the rules' } },
  ])
})

t.test('what was blocked is refused when it is uploaded again, until an admin lifts it', async (t) => {
  const { broker, alice, bob, root } = await open(t)
  await root.get('files.block', { file: await upload(broker, 'alice', BYTES), reason: 'against the rules' })
  await broker.restart()
  const [again, admin] = [await Person.connect(t, broker, 'bob'), await Person.connect(t, broker, 'root', ROOT)]
  const refused = await finish(broker, 'bob', BYTES)
  t.match(refused, { status: 403, code: 'forbidden' })
  t.match((await again.get('files.list')).files, [{ scan: 'blocked', blockedFor: 'against the rules' }])
  t.same(await filesOnDisk(broker), [])
  t.equal((await finish(broker, 'bob', Buffer.from('something else'))).status, 204)
  const { entries } = await admin.get('audit.list', { action: 'files.block', user: 'bob' })
  t.match(entries, [{ actor: 'system', user: 'bob', details: { reason: 'against the rules' } }])

  const { contents } = await admin.get('files.blocked')
  const hash = createHash('sha256').update(BYTES).digest('base64url')
  t.match(contents, [{ hash, by: 'admin', reason: 'against the rules', size: BYTES.length, mime: 'text/plain' }])
  t.equal(await again.fails('files.blocked'), 'forbidden')
  t.equal(await again.fails('files.unblock', { hash }), 'forbidden')
  await admin.get('files.unblock', { hash })
  t.equal(await admin.fails('files.unblock', { hash }), 'not_found hash')
  t.match(await admin.get('files.blocked'), { contents: [], more: false })
  t.equal((await finish(broker, 'bob', BYTES)).status, 204)
  t.match((await admin.get('audit.list', { action: 'files.unblock' })).entries, [
    { actor: 'bob', result: 'forbidden' },
    { actor: 'root', result: 'ok', details: { hash } },
  ])
  t.ok(alice && bob)
})

t.test('so many contents stay blocked; beyond that the oldest is forgotten', async (t) => {
  const { broker, root } = await open(t, { blockedContents: 3 })
  const content = (i: number) => Buffer.from(`content ${i}`)
  for (const i of [1, 2, 3, 4, 5, 5]) {
    const { file, status } = await finish(broker, 'alice', content(i))
    if (status === 204) await root.get('files.block', { file, reason: `${i}` })
  }
  const first = await root.get('files.blocked', { limit: 2 })
  const rest = await root.get('files.blocked', { limit: 2, cursor: first.cursor })
  const reasons = [...first.contents, ...rest.contents].map(({ reason }: { reason: string }) => reason)
  t.same([reasons, first.more, rest.more], [['5', '4', '3'], true, false])
  t.equal((await finish(broker, 'alice', content(1))).status, 204)
  t.equal((await finish(broker, 'alice', content(3))).status, 403)
})

t.test('an upload is blocked when it is finished, not before', async (t) => {
  const { broker, root } = await open(t)
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  t.equal(await root.fails('files.block', { file: path.split('/').at(-1)! }), 'conflict file')
  t.equal(await root.fails('files.block', { file: '0'.repeat(32) }), 'not_found file')
})
