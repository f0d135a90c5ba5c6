/** Ids of messages: UUIDs of version 7, each once, in the order they were made (RFC 9562). */
import t from 'tap'
import { uuid7 } from '../../broker/util/uuid7.js'

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
const later = Date.now() + 3_600_000

t.test('they have the form, and the time in front', async (t) => {
  const id = uuid7(later)
  t.match(id, V7)
  t.equal(timeOf(id), later)
})

t.test(
  'each is there once and later than those before, however many there are and whatever the clock does',
  async (t) => {
    const times = [later + 1, later + 1, later + 2, later - 5000, later + 3]
    const ids = times.flatMap((now) => Array.from({ length: 10_000 }, () => uuid7(now)))
    t.equal(new Set(ids).size, ids.length)
    t.strictSame([...ids].sort(), ids)
    t.ok(ids.every((id) => V7.test(id)))
    // 12 bits begin below half: a millisecond has at least 2048 of them, so the time runs ahead by no more than that.
    t.ok(timeOf(ids.at(-1)!) <= later + 3 + ids.length / 2048)
  },
)

t.test('what is not the time or a count cannot be guessed', async (t) => {
  const ends = Array.from({ length: 5000 }, () => uuid7(later).slice(19))
  t.equal(new Set(ends).size, ends.length)
  for (let at = 1; at < 17; at++) t.equal(new Set(ends.map((end) => end[at])).size, at === 4 ? 1 : 16, `digit ${at}`)
})
