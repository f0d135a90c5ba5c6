/** Admins see what files users have, and block them. */
import t, { type Test } from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { begin, download, filesOnDisk, upload } from '../helpers/uploads.js'

const BYTES = Buffer.from('what nobody should see\n')

async function open(t: Test) {
  const broker = await startTestBroker(t, { media: { shared: true }, limits: { rates: 'off' } })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  const root = await Person.connect(t, broker, 'root', { roles: ['admin'] })
  return { broker, alice, bob, root }
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
    { actor: 'root', result: 'ok', details: { file, reason: 'against the rules' } },
  ])
})

t.test('an upload is blocked when it is finished, not before', async (t) => {
  const { broker, root } = await open(t)
  const path = (await begin(broker, 'alice', 10)).headers.get('location')!
  t.equal(await root.fails('files.block', { file: path.split('/').at(-1)! }), 'conflict file')
  t.equal(await root.fails('files.block', { file: '0'.repeat(32) }), 'not_found file')
})
