import t from 'tap'
import { Batches } from '../../broker/util/batches.js'

t.test('what comes while work of the key is under way is done together', async (t) => {
  const held: { items: readonly number[]; go: () => void }[] = []
  const batches = new Batches<number, string>(
    (items) => new Promise((resolve) => held.push({ items, go: () => resolve(items.map((item) => `${item}!`)) })),
  )
  const outcomes = [1, 2, 3].map((item) => batches.add('a', item))
  const other = batches.add('b', 9)
  t.same(
    held.map(({ items }) => items),
    [[1], [9]],
    'keys do not wait for each other',
  )
  for (const { go } of held.splice(0)) go()
  t.equal(await other, '9!')
  t.equal(await outcomes[0], '1!')
  t.same(
    held.map(({ items }) => items),
    [[2, 3]],
  )
  held.shift()!.go()
  t.same(await Promise.all(outcomes), ['1!', '2!', '3!'])
  const later = batches.add('a', 4)
  held.shift()!.go()
  t.equal(await later, '4!')
})

t.test('work that fails fails all of its batch, and not the next', async (t) => {
  const batches = new Batches<number, number>(async (items) => {
    if (items.includes(2)) throw new Error(`no ${items}`)
    return items
  })
  const outcomes = [1, 2, 3].map((item) => batches.add('a', item))
  t.equal(await outcomes[0], 1)
  await t.rejects(outcomes[1]!, { message: 'no 2,3' })
  await t.rejects(outcomes[2]!, { message: 'no 2,3' })
  t.equal(await batches.add('a', 4), 4)
})
