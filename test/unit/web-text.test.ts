/** What the web app makes of the text of a message: nothing is lost, no text takes long, and who is named is found. */
import t from 'tap'
import { bundle } from '../helpers/bundle.js'
import { Random } from '../helpers/random.js'

interface Token {
  readonly kind: string
  readonly text: string
  readonly code?: string
  readonly path?: string
  readonly user?: string
  readonly room?: string
}

interface Tokens {
  tokensOf(text: string, around: object): Token[]
  isEmojiOnly(text: string): boolean
  isLong(text: string): boolean
  beginningOf(tokens: readonly Token[]): Token[]
  mentionsIn(text: string, users: readonly string[] | null, mayAll: boolean): string[]
}

const source = await bundle(`
  export * from './client/web/room/tokens.js'
  export * from './client/web/room/folded.js'
  export { mentionsIn } from './client/web/complete/mentions.js'
`)
const tokens = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as Tokens

const around = {
  mentions: ['@alice', '@Bob.Smith', '@room'],
  origin: 'https://chat.example',
  isPage: (path: string) => path.startsWith('/r/'),
  isRoom: (id: string) => id === 'tea',
}
const tokensOf = (text: string): Token[] => tokens.tokensOf(text, around)
/** All but plain text. */
const found = (text: string): Token[] => tokensOf(text).filter(({ kind }) => kind !== 'text')

t.test('addresses, without what ends a sentence', async (t) => {
  const links = (text: string): string[] => found(text).map(({ text }) => text)
  t.same(links('See https://a.example/x, or (http://b.example/y(z)).'), [
    'https://a.example/x',
    'http://b.example/y(z)',
  ])
  t.same(links('javascript:alert(1) data:text/html,x xhttps://a.example http://[broken'), [])
  t.same(found('https://chat.example/r/tea/7!'), [
    { kind: 'page', text: 'https://chat.example/r/tea/7', path: '/r/tea/7' },
  ])
  t.equal(found('https://chat.example/r/tea?x=1')[0]?.kind, 'link', 'what the app does not know is the web')
  t.equal(found('https://chat.example.evil.example/r/tea')[0]?.kind, 'link')
})

t.test('whom a text names: of those that are known, or whoever it is as long as nobody is', async (t) => {
  const { mentionsIn } = tokens
  const text = 'Ask @Bob.Smith. or (@carol, @media, @room and me@example.com'
  t.same(mentionsIn(text, ['bob.smith', 'carol'], true), ['@bob.smith', '@carol', '@room'])
  t.same(mentionsIn(text, null, false), ['@Bob.Smith', '@carol', '@media'], 'those who may not do not name everyone')
})

t.test('people who are mentioned, and rooms that are known', async (t) => {
  const users = (text: string) => found(text).map(({ user, room }) => user ?? room)
  t.same(users('@ALICE, @bob.smith. and @carol; mail@alice.example #tea. #milk'), ['alice', 'Bob.Smith', 'tea'])
  t.same(users('@alicea @alice@x (@room) a#tea'), ['room'])
})

t.test('code is what it is', async (t) => {
  const code = (text: string) => found(text).map(({ kind, code }) => [kind, code])
  t.same(code('say `npm @alice` or ``x``, a ` or\n`'), [['code', 'npm @alice']])
  t.same(code('so:\n```js\nhttps://a.example `x`\n\n@alice\n```\nthen `y`'), [
    ['block', 'https://a.example `x`\n\n@alice'],
    ['code', 'y'],
  ])
  t.same(code('```\n```'), [['block', '']])
  t.same(code('```\nnot closed'), [])
  t.same(code('in a line ```\nx\n```'), [])
})

t.test('a text has a bounded number of parts', async (t) => {
  const text = '@alice '.repeat(5000)
  const parts = tokensOf(text)
  t.ok(parts.length <= 502, `${parts.length} parts`)
  t.equal(parts.map(({ text }) => text).join(''), text)
})

t.test('of a long text there is its beginning, in which nothing but text and code is cut', async (t) => {
  const lines = (count: number): string => Array.from({ length: count }, (_, n) => `line ${n + 1}`).join('\n')
  const beginningOf = (text: string) => tokens.beginningOf(tokensOf(text))
  t.same([lines(40), 'x'.repeat(4000), lines(41), 'x'.repeat(4001)].map(tokens.isLong), [false, false, true, true])
  t.same(beginningOf(lines(41)), [{ kind: 'text', text: lines(30) }])
  t.same(
    beginningOf(`so:\n\`\`\`\n${lines(100)}\n\`\`\``)
      .at(-1)
      ?.code?.split('\n').length,
    29,
  )
  const address = `https://a.example/${'x'.repeat(100)}`
  t.same(
    beginningOf(`${'x'.repeat(2990)} ${address} and so on${' on'.repeat(1000)}`).length,
    1,
    'no half of an address',
  )
  t.equal(beginningOf(`x${'💥'.repeat(3000)}`)[0]?.text.length, 2999, 'no half of a character')
})

t.test('a few emoji and nothing else', async (t) => {
  for (const text of ['👍', '👩‍👩‍👧 ❤️', '🇺🇦', '👋🏽👋🏽']) t.ok(tokens.isEmojiOnly(text), text)
  for (const text of ['ok 👍', '12', '#', '👍'.repeat(30)]) t.notOk(tokens.isEmojiOnly(text), text)
})

const PARTS = [
  ...['`', '``', '```', '\n```', '```js\n', '\n', ' ', '@', '#', '@alice', '#tea', 'https://', 'http://a.example/('],
  ...[
    ')',
    '.',
    '"',
    '<b>',
    '\u202e',
    'Z\u0310\u0300',
    '💥',
    '\ud800',
    '\0',
    '_',
    '~',
    '-',
    'word',
    'لا',
    '\u2066',
    '%',
    '\\',
  ],
]

t.test('any text is its tokens, put together', async (t) => {
  const random = Random.from('TEXT_SEED')
  t.comment(`TEXT_SEED=${random.seed} repeats this run`)
  for (let run = 0; run < 3000; run++) {
    const text = Array.from({ length: random.below(40) }, () => random.pick(PARTS)).join('')
    const all = tokensOf(text)
    if (all.map(({ text }) => text).join('') !== text) t.fail(`lost something of ${JSON.stringify(text)}`)
    for (const { kind, text: said, path, user, room } of all) {
      if (said === '') t.fail(`empty in ${JSON.stringify(text)}`)
      if (kind === 'link' && !/^https?:$/.test(new URL(said).protocol)) t.fail(`${said} is no address of the web`)
      if (path !== undefined && !around.isPage(path)) t.fail(`${path} is no page`)
      if (room !== undefined && !around.isRoom(room)) t.fail(`${room} is no room`)
      if (user !== undefined && !around.mentions.includes(`@${user}`)) t.fail(`${user} is not mentioned`)
    }
  }
})

/** Characters that the functions of the language look at while `act` runs, as far as they grow with the text. */
function looksOf(act: () => void): number {
  let looks = 0
  const { exec } = RegExp.prototype
  const { indexOf, includes } = String.prototype
  RegExp.prototype.exec = function (text) {
    const from = this.global || this.sticky ? this.lastIndex : 0
    const match = exec.call(this, text)
    looks += match ? match.index - from + match[0].length : this.sticky ? 1 : text.length - from
    return match
  }
  String.prototype.indexOf = function (part, from = 0) {
    const at = indexOf.call(this, part, from)
    looks += (at < 0 ? this.length : at) - from
    return at
  }
  String.prototype.includes = function (part, from = 0) {
    looks += this.length
    return includes.call(this, part as string, from)
  }
  try {
    act()
  } finally {
    Object.assign(RegExp.prototype, { exec })
    Object.assign(String.prototype, { indexOf, includes })
  }
  return looks
}

t.test('no text takes more than its length', async (t) => {
  const texts = [
    ...[
      '`',
      '``',
      '`\n',
      '```',
      '\n```',
      '```\n',
      '```x\n',
      '```x y\n',
      '@',
      '@a-',
      '@alice.',
      '#tea',
      '#',
      'https://',
    ],
    ...['http://[', 'http://a)', 'http://a....b', '('.repeat(99), ')'.repeat(99), ' '.repeat(99), '```   '],
  ]
  for (const part of texts) {
    const text = part.repeat(Math.ceil(30_000 / part.length))
    const looks = looksOf(() => tokensOf(text))
    t.ok(looks < 60 * text.length, `${JSON.stringify(part.slice(0, 12))} …: ${looks} for ${text.length}`)
  }
})
