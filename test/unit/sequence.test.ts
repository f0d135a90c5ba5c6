/** The order in which a node on Redis follows commits: whoever waits for one is answered, whatever becomes of it. */
import t from 'tap'
import type { Committed } from '../../broker/store/redis/events.js'
import { Sequence } from '../../broker/store/redis/sequence.js'

const commit = (number: number): Committed => ({ number, position: 0, changes: [], events: [], queued: [] })

function sequence(timeoutMs = 3_600_000) {
  const applied: number[] = []
  return { applied, order: new Sequence(({ number }) => applied.push(number), timeoutMs) }
}

t.test('commits are applied in their order, and who waits for one goes on when memory has it', async (t) => {
  const { order, applied } = sequence()
  order.hear(commit(2))
  const second = order.whenReached(2)
  t.same([applied, order.hasGap], [[], true])
  order.hear(commit(1))
  await second
  t.same([applied, order.hasGap], [[1, 2], false])
  t.equal(order.whenReached(2), undefined)
  const later = order.whenReached(5)
  order.jumpTo(7)
  await later
})

t.test('who waits for a commit that the store has lost is told so at once', async (t) => {
  const { order, applied } = sequence()
  order.hear(commit(3))
  const lost = order.whenReached(3)!
  order.restart(0)
  await t.rejects(lost, { name: 'StoreError', message: 'Redis has lost the commit' })
  order.hear(commit(1))
  t.same(applied, [1])
})

t.test('what is missing before a commit and cannot be read is not waited for without end', async (t) => {
  const { order } = sequence(1)
  order.hear(commit(2))
  await t.rejects(order.whenReached(2)!, { message: /could not be read in time/ })
  order.hear(commit(1))
  t.equal(order.reached, 2, 'it is applied all the same')
})
