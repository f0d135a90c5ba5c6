/** Files on two nodes that share a Redis, and a bucket or a directory: where one was uploaded does not matter. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { twoNodes } from '../helpers/redis-nodes.js'
import { startBucket } from '../helpers/s3.js'
import { begin, download, tus, upload } from '../helpers/uploads.js'

const TEXT = Buffer.from('what they said\n'.repeat(10_000))

async function bucket(t: Test): Promise<object> {
  return { s3: (await startBucket(t)).s3 }
}

function directory(t: Test): object {
  const dir = mkdtempSync(join(tmpdir(), 'topictalk-media-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return { dir, shared: true }
}

for (const [name, place] of Object.entries({ bucket, directory })) {
  t.test(`in a ${name}, a file is read at either node, until its reader may not`, async (t) => {
    const [one, two] = await twoNodes(t, { media: await place(t), limits: { rates: 'off' } })
    const [ann, bob] = [await Person.connect(t, one, 'ann'), await Person.connect(t, two, 'bob')]
    await bob.get('rooms.join', { room: 'den' })
    const file = await upload(one, 'ann', TEXT)
    t.equal((await download(two, 'bob', file)).status, 404)
    t.ok((await ann.send('rooms/den/messages', { attachments: [{ type: 'file', file }] })).ok)
    await until('the other node knows the message', async () => (await download(two, 'bob', file)).status === 200)
    t.ok((await download(two, 'bob', file)).bytes.equals(TEXT))
    await bob.get('rooms.leave', { room: 'den' })
    for (const node of [one, two])
      await until('nobody serves it to who left', async () => (await download(node, 'bob', file)).status === 404)
    await ann.get('files.delete', { file })
    await until('it is gone everywhere', async () => (await download(two, 'ann', file)).status === 404)
  })

  t.test(`in a ${name}, an upload that was begun at one node ends at the other`, async (t) => {
    const [one, two] = await twoNodes(t, { media: await place(t) })
    const path = (await begin(one, 'ann', TEXT.length)).headers.get('location')!
    const append = (at: number, bytes: Buffer) => ({ headers: { 'upload-offset': String(at) }, body: bytes })
    const half = TEXT.length / 2
    t.equal((await tus(one, 'ann', 'PATCH', path, append(0, TEXT.subarray(0, half)))).status, 204)
    const offset = Number((await tus(two, 'ann', 'HEAD', path)).headers.get('upload-offset'))
    t.equal(offset, name === 'bucket' ? 0 : half, 'a bucket has finished files only')
    t.equal((await tus(two, 'ann', 'PATCH', path, append(offset, TEXT.subarray(offset)))).status, 204)
    t.ok((await download(one, 'ann', path.split('/').at(-1)!)).bytes.equals(TEXT))
  })
}

t.test('of two uploads of a file that end at both nodes, one counts', async (t) => {
  for (const place of [bucket, directory]) {
    const [one, two] = await twoNodes(t, { media: await place(t) })
    const path = (await begin(one, 'ann', TEXT.length)).headers.get('location')!
    const other = Buffer.alloc(TEXT.length, 120)
    const ends = await Promise.all(
      [one, two].map(async (node, i) => {
        const body = i === 0 ? TEXT : other
        return (await tus(node, 'ann', 'PATCH', path, { headers: { 'upload-offset': '0' }, body })).status
      }),
    )
    t.equal(ends.filter((status) => status === 204).length, 1, ends.join(' '))
    const file = path.split('/').at(-1)!
    const { bytes, headers } = await download(one, 'ann', file)
    t.equal(
      headers.get('etag'),
      `"${createHash('sha256').update(bytes).digest('base64url')}"`,
      'its hash is of its bytes',
    )
    const again = await tus(two, 'ann', 'PATCH', path, { headers: { 'upload-offset': '0' }, body: other })
    t.equal(again.status, 409)
    t.ok((await download(two, 'ann', file)).bytes.equals(bytes), 'and it stays as it is')
  }
})

t.test('what a person has counts at both nodes, also for uploads that begin at once', async (t) => {
  const [one, two] = await twoNodes(t, { media: { ...(await bucket(t)), userBytes: 1000 } })
  const begun = await Promise.all([one, two, one, two].map((node) => begin(node, 'ann', 600)))
  t.same(begun.map(({ status }) => status).sort(), [201, 413, 413, 413])
})
