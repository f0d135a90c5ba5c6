/** By which words names are found. */
import t from 'tap'
import { isNamed, nameWords, queryWords } from '../../broker/util/name-words.js'

const finds = (query: string, name: string): boolean => isNamed(queryWords(query), name)

t.test('each word of a query begins a word of the name', async (t) => {
  t.ok(finds('al', 'Alice Liddell'))
  t.ok(finds('lid al', 'Alice Liddell'))
  t.ok(finds('ALICE', 'alice'))
  t.notOk(finds('lice', 'Alice Liddell'), 'not in the middle of a word')
  t.notOk(finds('al bo', 'Alice Liddell'), 'all of them')
  t.notOk(finds('', 'Alice'), 'no words find nothing')
  t.notOk(finds('?!', 'Alice'))
})

t.test('accents, width and case do not matter; a script without spaces is found anywhere', async (t) => {
  for (const [query, name] of [
    ['zoe', 'Zoë'],
    ['ÉLO', 'élodie'],
    ['strasse', 'Straße'],
    ['alice', 'Ａｌｉｃｅ'],
    ['太郎', '田中太郎'],
    ['민수', '김민수'],
  ] as const)
    t.ok(finds(query, name), `${query}: ${name}`)
  t.notOk(finds('郎太', '田中太郎'))
})

t.test('the words of a long name are bounded', async (t) => {
  t.equal(nameWords(Array.from({ length: 100 }, (_, i) => `w${i}`).join(' ')).length, 32)
  t.equal(nameWords('x'.repeat(1000))[0]!.length, 64)
  t.ok(finds('x'.repeat(1000), 'x'.repeat(1000)), 'a long word is found by its beginning')
})
