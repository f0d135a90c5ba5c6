/** What filters find in a text, and how long they may take. */
import t from 'tap'
import { compileFilters, filterFaults } from '../../broker/chat/moderation/filters/compile.js'
import { fold, unfold } from '../../broker/util/text-folding.js'
import type { Filter } from '../../schemas/moderation.js'

/** What is found, as it was written. */
function found(text: string, patterns: string[], match: Filter['match'] = 'words'): string[] {
  const [filter] = compileFilters([{ match, patterns, action: 'mask' }])
  const folded = fold(text, filter!.lower)
  return filter!.find(folded.text, 100).map((span) => text.slice(...unfold(folded, span)))
}

t.test('words are found whole, whatever their case, their form or what stands around them', (t) => {
  for (const [text, words, expected] of [
    ['Darn it, DARN!', ['darn'], ['Darn', 'DARN']],
    ['darning is fine, a_darn too', ['darn'], []],
    ['ｄａｒｎ, 𝐝𝐚𝐫𝐧 and Ⓓarn', ['darn'], ['ｄａｒｎ', '𝐝𝐚𝐫𝐧', 'Ⓓarn']],
    ['da\u200brn da\u00adrn', ['darn'], ['da\u200brn', 'da\u00adrn']],
    ['so E\u0301COLE, école', ['école'], ['E\u0301COLE', 'école']],
    ['Straße STRASSE strasse', ['straße'], ['Straße', 'STRASSE', 'strasse']],
    ['ΟΔΟΣ οδος οδός', ['οδοσ'], ['ΟΔΟΣ', 'οδος']],
    ['dang\n  it dang it all', ['dang it', 'dang it all'], ['dang\n  it', 'dang it all']],
    ['你真是笨蛋啊', ['笨蛋'], ['笨蛋']],
    ['ばかやろう ﾊﾞｶ', ['ばか', 'バカ'], ['ばか', 'ﾊﾞｶ']],
    ['이바보야', ['바보'], ['바보']],
    ['xyz你 xyz1', ['xyz'], ['xyz']],
    ['a$$ is $$$ and x$$$y', ['a$$', '$$$'], ['a$$', '$$$', '$$$']],
    ['🖕🏽🖕', ['🖕'], ['🖕', '🖕']],
    ['', ['a'], []],
  ] as const)
    t.same(found(text, [...words]), expected, text)
  t.end()
})

t.test('regular expressions see a text in its composed form', (t) => {
  t.same(found('card 4111111111111111, ４１１１１１１１１１１１１１１１', ['\\b\\d{16}\\b'], 'regex'), [
    '4111111111111111',
    '４１１１１１１１１１１１１１１１',
  ])
  t.same(found('Free FREE free', ['free', '(?i)f.{2}e'], 'regex'), ['free', 'Free', 'FREE', 'free'])
  t.end()
})

t.test('what cannot be looked for is named', (t) => {
  const regex = (...patterns: string[]): Filter => ({ match: 'regex', patterns, action: 'refuse' })
  const places = (...filters: Filter[]) => filterFaults(filters).map(({ path }) => path.join('.'))
  t.same(places(regex('a+', '(', '(?=x)'), { match: 'words', patterns: ['ok', '\u200b'], action: 'mask' }), [
    '0.patterns.1',
    '0.patterns.2',
    '1.patterns.1',
  ])
  t.same(places(regex('a*')), ['0.patterns.0'], 'it would be found everywhere')
  t.same(places(regex(...Array.from({ length: 101 }, (_, i) => `a${i}`))), ['0.patterns'])
  t.same(places(...Array.from({ length: 101 }, () => regex('a'))), [''])
  t.match(filterFaults([regex('(')])[0]?.message, /"\("/)
  t.end()
})

t.test('no pattern and no text take long', (t) => {
  const long = 65_536
  const began = process.cpuUsage()
  found('a'.repeat(long), ['(a+)+$', '(a|aa)+$', '(?:a?){30}a{30}$'], 'regex')
  found('x '.repeat(long / 2), ['x x x x x x x x y', `${'x '.repeat(120)}y`])
  found('é'.repeat(long / 2), ['e'])
  found('笨'.repeat(long / 4), [`${'笨'.repeat(255)}x`])
  const { user, system } = process.cpuUsage(began)
  const ms = (user + system) / 1000
  // Where time grew with the square of the text, or worse, it would be minutes.
  t.ok(ms < 20_000, `${Math.round(ms)} ms`)
  t.end()
})
