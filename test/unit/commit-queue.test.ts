/** What the queue of commits says of the changes it has. */
import t from 'tap'
import type { Change } from '../../broker/store/changes.js'
import { CommitQueue } from '../../broker/store/commit-queue.js'

t.test('the oldest change counts as pending until its group is written and told', async (t) => {
  const releases: (() => void)[] = []
  const groups: (readonly Change[])[] = []
  let began = () => {}
  const queue = new CommitQueue((group) => {
    groups.push(group)
    began()
    return new Promise((resolve) => releases.push(resolve))
  })
  const write = () => new Promise<void>((resolve) => (began = resolve))
  const change = () => ({ drafts: [], ops: [{ type: 'del', key: 'k' }], settled() {} }) as unknown as Change
  t.equal(queue.since, null)
  const before = Date.now()
  let writing = write()
  queue.add(change())
  const first = queue.since!
  t.ok(first >= before)
  await writing
  t.equal(queue.since, first, 'while it is written')
  while (Date.now() === first) await new Promise((resolve) => setImmediate(resolve))
  queue.add(change())
  t.equal(queue.since, first, 'whatever comes behind it')
  writing = write()
  releases.shift()!()
  await writing
  t.ok(queue.since! > first, 'then it is the next one')
  releases.shift()!()
  await queue.close()
  t.equal(queue.since, null)
  t.equal(groups.length, 2)
})
