/** Texts in their order, of what can only be read in none. */
import t from 'tap'
import { inOrder } from '../../broker/store/redis/in-order.js'
import { all } from '../contract/store-suite.js'
import { Random } from '../helpers/random.js'

const random = new Random(5)
const sorted = (texts: Iterable<string>): string[] => [...texts].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

/** All texts in pages, in another order each time, some twice. */
function pagesOf(texts: readonly string[]): () => AsyncIterable<string[]> {
  return async function* () {
    const some = [...texts, ...texts.filter(() => random.chance(0.1))]
    for (let left = some.length; left > 0; left -= 7)
      yield Array.from({ length: Math.min(7, left) }, () => some.splice(random.below(some.length), 1)[0]!)
  }
}

t.test('each once, in order, in rounds of so many', async (t) => {
  for (const count of [0, 1, 9, 10, 11, 20, 21, 95, 100]) {
    const texts = Array.from({ length: count }, (_, i) => `é${(i * 7919) % 1000}`)
    const rounds = await all(inOrder(pagesOf(texts), null, 10))
    t.same(rounds.flat(), sorted(texts), `${count}`)
    t.ok(rounds.every((round) => round.length > 0 && round.length <= 10))
  }
})

t.test('behind one of them, and behind one that is not there', async (t) => {
  const texts = ['a', 'b', 'c', 'd', 'e', 'f']
  t.same((await all(inOrder(pagesOf(texts), 'b', 2))).flat(), ['c', 'd', 'e', 'f'])
  t.same((await all(inOrder(pagesOf(texts), 'bb', 2))).flat(), ['c', 'd', 'e', 'f'])
  t.same((await all(inOrder(pagesOf(texts), 'f', 2))).flat(), [])
})
