/** Keywords in texts: by the words that search goes by. */
import t from 'tap'
import { isKeyword, Keywords } from '../../broker/util/keywords.js'

const finds = (keyword: string, text: string): boolean => new Keywords([keyword]).isIn(text)

t.test('a keyword is a whole word, or some in a row', async (t) => {
  t.ok(finds('tea', 'green TEA, please'))
  t.ok(finds('tea', 'tea'))
  t.ok(finds('green tea', 'a green\n(tea)'))
  t.ok(finds('v1.2', 'out now: v1.2!'))
  t.notOk(finds('tea', 'the team'))
  t.notOk(finds('tea', 'steal'))
  t.notOk(finds('green tea', 'tea green'))
  t.notOk(finds('green tea', 'evergreen tea'))
  t.notOk(finds('tea', ''))
})

t.test('in any spelling; in a script without spaces wherever it stands', async (t) => {
  for (const [keyword, text] of [
    ['zoe', 'ask Zoë'],
    ['STRASSE', 'die Straße'],
    ['tea', 'ｔｅａ'],
    ['tea', 't\u00ade\u00ada'],
    ['抹茶', '今日は抹茶ラテを飲む'],
    ['抹茶', 'tea抹茶'],
    ['민수', '김민수입니다'],
    ['ชา', 'ดื่มชาเขียว'],
  ] as const)
    t.ok(finds(keyword, text), `${keyword}: ${text}`)
  t.notOk(finds('茶抹', '今日は抹茶ラテ'))
  t.notOk(finds('tea抹茶', 'team抹茶'))
})

t.test('one of several is enough; what has no word finds nothing', async (t) => {
  t.ok(new Keywords(['coffee', 'tea']).isIn('tea'))
  t.notOk(new Keywords(['coffee', 'tea']).isIn('water'))
  t.notOk(new Keywords([]).isIn('tea'))
  t.notOk(new Keywords(['?!']).isIn('what?!'))
  t.same([isKeyword('?!'), isKeyword('tea!')], [false, true])
})
