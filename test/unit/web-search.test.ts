/** What the web app makes of searches: which words of a text it marks, which names it takes for what is typed, and lines through values. */
import t from 'tap'
import { bundle } from '../helpers/bundle.js'
import { Random } from '../helpers/random.js'

interface Piece {
  readonly at: number
  readonly text: string
  readonly isHit: boolean
}

interface Parts {
  piecesOf(text: string, query: string): Piece[]
  excerptOf(text: string, query: string): Piece[]
  fit(name: string, wanted: string): number
  plotOf(points: readonly { ts: number; value: number }[]): { path: string; least: number; most: number }
}

const source = await bundle(
  `export * from './client/web/search/hits.js'
  export { fit } from './client/web/search/fit.js'
  export { plotOf } from './client/web/devices/plot.js'`,
)
const { piecesOf, excerptOf, fit, plotOf } = (await import(
  `data:text/javascript,${encodeURIComponent(source)}`
)) as Parts
const hits = (text: string, query: string): string[] =>
  piecesOf(text, query).flatMap(({ text, isHit }) => (isHit ? [text] : []))

t.test('words are marked as the broker compares them', async (t) => {
  t.same(hits('Green tea, teapot', 'TEA'), ['tea'])
  t.same(hits('Green tea, teapot', 'tea*'), ['tea', 'tea'])
  t.same(hits('Café, CAFÉ, cafe\u0301!', 'cafe'), ['Café', 'CAFÉ', 'cafe\u0301'])
  t.same(hits('Die Straße', 'strasse'), ['Straße'])
  t.same(hits('می‌خواهم', 'میخواهم'), ['می‌خواهم'])
  t.same(hits('我喜欢北京的茶', '北京 茶'), ['北京', '茶'])
  t.same(hits('my file, pdf: my_file.pdf', 'my_file.pdf'), ['my file, pdf', 'my_file.pdf'])
  t.same(hits('tea is green, green tea', '"green tea"'), ['green tea'])
  t.same(hits('a.b (c) [d]', '.* ( ['), [], 'punctuation is no word, and no pattern')
})

t.test('whatever is searched in whatever text, the pieces are the text', async (t) => {
  const random = new Random(7)
  const parts = ['tea', 'É', '茶', ' ', '"', '*', '\u200d', '👩‍👩‍👧', '\u0301', 'ß', 'ﬁ', '\ud800', '.', 'İ', '한']
  const made = (length: number): string => Array.from({ length }, () => random.pick(parts)).join('')
  const runs = Array.from({ length: 2000 }, () => ({
    text: made(random.between(0, 20)),
    query: made(random.between(0, 6)),
  }))
  const joined = (pieces: readonly Piece[]): string => pieces.map(({ text }) => text).join('')
  t.same(
    runs.filter(({ text, query }) => joined(piecesOf(text, query)) !== text),
    [],
  )
})

t.test('an excerpt is short, and has the first hit', async (t) => {
  const text = `${'word '.repeat(1500)}kettle ${'word '.repeat(5000)}`
  const pieces = excerptOf(text, 'kettle')
  t.ok(pieces.map((piece) => piece.text).join('').length < 300)
  t.ok(pieces.some(({ text, isHit }) => isHit && text === 'kettle'))
  const began = performance.now()
  piecesOf('a'.repeat(60_000), Array.from({ length: 16 }, (_, n) => `${'a'.repeat(n + 1)}*`).join(' '))
  t.ok(performance.now() - began < 5000, 'no text takes long')
})

t.test('names are found by a beginning, first letters, or with one letter wrong', async (t) => {
  const order = ['green tea', 'tea green', 'thegreens', 'gr east'].map((name) => fit(name, 'green'))
  t.same(order, [5, 4, 3, 0])
  t.equal(fit('green tea', 'gt'), 2)
  for (const typo of ['gren', 'grene', 'greeen', 'gteen']) t.ok(fit('green tea', typo) > 0, typo)
  for (const other of ['blue', 'reen x', 'grxxn']) t.equal(fit('green tea', other), 0, other)
  t.equal(fit('北京茶馆', '京茶'), 3)
})

t.test('a line has gaps where values are missing, and a value alone is a dot', async (t) => {
  const at = (...times: number[]) => times.map((ts) => ({ ts, value: ts % 7 }))
  const strokes = (path: string): number => path.split('M').length - 1
  t.equal(strokes(plotOf(at(0, 1, 2, 3, 4)).path), 1)
  t.equal(strokes(plotOf(at(0, 1, 2, 3, 50, 51, 52)).path), 2)
  t.match(plotOf(at(5)).path, /^M150\.0 36\.0h0$/)
  t.match(plotOf([1, 2, 3].map((ts) => ({ ts, value: 4 }))), { least: 4, most: 4 })
  t.notMatch(plotOf(at(5, 5, 5)).path, /NaN/)
})
