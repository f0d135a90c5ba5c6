import t from 'tap'
import { TopicTrie } from '../../broker/store/topic-trie.js'
import { filterMatches } from '../../schemas/topics.js'
import fc from '../helpers/fast-check.js'

function trieOf(...filters: string[]): TopicTrie<string> {
  const trie = new TopicTrie<string>()
  for (const filter of filters) trie.add(filter, filter)
  return trie
}

t.test('# matches its parent level too, + exactly one level, empty ones included [MQTT-4.7.1]', (t) => {
  const trie = trieOf('a/#', 'a/+', 'a/b', 'a', '+', '#', '/+', '+/+')
  t.same([...trie.match('a')].sort(), ['#', '+', 'a', 'a/#'])
  t.same([...trie.match('a/')].sort(), ['#', '+/+', 'a/#', 'a/+'])
  t.same([...trie.match('a/b')].sort(), ['#', '+/+', 'a/#', 'a/+', 'a/b'])
  t.same([...trie.match('/x')].sort(), ['#', '+/+', '/+'])
  t.same([...trie.match('a/b/c')].sort(), ['#', 'a/#'])
  t.end()
})

t.test('wider filters come first', (t) => {
  t.same(trieOf('a', 'a/b', 'a/+', 'a/#', '#').match('a/b'), ['#', 'a/#', 'a/+', 'a/b'])
  t.end()
})

t.test('wildcards in the first level skip reserved levels and $ [MQTT-4.7.2-1]', (t) => {
  const trie = trieOf('#', '+/+/messages', 'rooms/#', '$SYS/#')
  t.same(trie.match('rooms/a/messages'), ['rooms/#'])
  t.same(trie.match('$SYS/uptime'), ['$SYS/#'])
  t.same(trie.match('other/a/messages'), ['#', '+/+/messages'])
  const open = new TopicTrie<string>({ reserved: () => false })
  open.add('#', 'all')
  t.same(open.match('rooms/a/messages'), ['all'], 'unless another rule is given')
  t.end()
})

t.test('wildcards in a topic are not those of a filter', (t) => {
  const trie = trieOf('a/+', 'b/#')
  t.same(trie.match('a/+'), ['a/+'])
  t.same(trie.match('b/#'), ['b/#'])
  t.end()
})

t.test('adding and removing', (t) => {
  const trie = new TopicTrie<object>()
  const one = {}
  const other = {}
  trie.add('a/+', one)
  trie.add('a/+', one)
  trie.add('a/b', one)
  trie.add('a/b', other)
  t.equal(trie.size, 3, 'a pair counts once')
  t.same(trie.match('a/b').length, 3, 'a value comes once for each of its filters')
  t.notOk(trie.remove('a/c', one))
  t.notOk(trie.remove('a/+', other))
  t.ok(trie.remove('a/+', one))
  t.ok(trie.remove('a/b', one))
  t.same(trie.match('a/b'), [other], 'the cache follows')
  t.ok(trie.remove('a/b', other))
  t.same(trie.match('a/b'), [])
  t.equal(trie.size, 0)
  t.end()
})

t.test('the same answer is the same object until something changes', (t) => {
  const trie = trieOf('a')
  const first = trie.match('a')
  t.equal(trie.match('a'), first)
  trie.add('b', 'b')
  t.not(trie.match('a'), first)
  t.same(trie.match('a'), first)
  const small = new TopicTrie<string>({ cacheWeight: 4 })
  small.add('#', 'all')
  for (let i = 0; i < 10; i++) t.same(small.match(`topic/${i}`), ['all'], 'a full cache starts anew')
  t.end()
})

t.test('it agrees with filterMatches', (t) => {
  const level = fc.constantFrom('a', 'b', '', 'rooms', '$SYS', '+')
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'))
  const topic = fc
    .array(fc.constantFrom('a', 'b', 'c', '', 'rooms', '$SYS'), { minLength: 1, maxLength: 5 })
    .map((levels) => levels.join('/'))
  const steps = fc.array(fc.record({ filter, add: fc.boolean() }), { maxLength: 30 })
  fc.assert(
    fc.property(steps, fc.array(topic, { minLength: 1, maxLength: 5 }), (changes, topics) => {
      const trie = new TopicTrie<string>()
      const filters = new Set<string>()
      for (const { filter, add } of changes) {
        if (add) trie.add(filter, filter)
        else trie.remove(filter, filter)
        if (add) filters.add(filter)
        else filters.delete(filter)
        for (const topic of topics) {
          const expected = [...filters].filter((filter) => filterMatches(filter, topic)).sort()
          if (JSON.stringify([...trie.match(topic)].sort()) !== JSON.stringify(expected)) return false
        }
      }
      return trie.size === filters.size
    }),
  )
  t.end()
})

t.test('topics of any length have a bounded place in the cache', async (t) => {
  const trie = new TopicTrie<string>({ cacheWeight: 100 })
  const short = trie.match('a/b')
  t.equal(trie.match('a/b'), short, 'kept')
  const long = `a/${'x'.repeat(6000)}`
  const found = trie.match(long)
  t.equal(trie.match(long), found, 'kept, too')
  t.equal(trie.match('a/b'), short, 'beside the other')
  trie.match(`b/${'x'.repeat(8000)}`)
  t.not(trie.match(long), found, 'but not with one as long')
  const longest = `a/${'x'.repeat(60_000)}`
  t.not(trie.match(longest), trie.match(longest), 'and what is larger than all of it is not')
})
