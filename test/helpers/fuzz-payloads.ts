/** Random payloads: messages and requests that are almost valid, unusual JSON, and bytes. */
import type { Random } from './random.js'

/** Difficult text: long, empty, multi-byte, names with a meaning in JavaScript, characters with a meaning elsewhere. */
const HARD_WORDS = [
  '',
  'x'.repeat(300),
  'x'.repeat(65_535),
  'ÄÖ😀',
  '\u{10ffff}',
  '\ufeff',
  '\uffff',
  '\u0001',
  '\u007f',
  '__proto__',
  'constructor',
  'a/b',
  '+',
  '#',
  '"}',
  '../..',
  '@uma',
  'dm:udo:uma',
  'dm:uma:udo',
] as const

/** A short plain word; rarely a difficult one. */
export function word(random: Random): string {
  return random.chance(0.95) ? random.pick(['a', 'b', 'word', 'temp', 'k1', 'k2']) : random.pick(HARD_WORDS)
}

const NUMBERS = [0, 1, 2, -1, 1.5, 255, 1e9, 9_007_199_254_740_991, 1e308, -0] as const

/** Any JSON value of limited depth. */
function anyValue(random: Random, depth = 0): unknown {
  const roll = random.below(depth > 3 ? 5 : 7)
  if (roll === 0) return random.pick([true, false, null])
  if (roll === 1) return random.pick(NUMBERS)
  if (roll < 5) return word(random)
  if (roll === 5) return Array.from({ length: random.below(4) }, () => anyValue(random, depth + 1))
  return Object.fromEntries(Array.from({ length: random.below(4) }, () => [word(random), anyValue(random, depth + 1)]))
}

type Fields = Record<string, (random: Random) => unknown>

const number = (random: Random): unknown => random.pick([1, 2, 3, 10, 0, -1, 1.5, 1e15])
const room = (random: Random): unknown =>
  random.pick(['lobby', 'r1', 'r2', 'r3', '@uma', '@udo', 'dm:udo:uma', word(random)])

const MESSAGE: Fields = {
  cid: (random) => (random.chance(0.5) ? `c${random.below(50)}` : word(random)),
  type: (random) =>
    random.pick([
      'text',
      'custom',
      'edit',
      'delete',
      'reaction',
      'pin',
      'location',
      'encrypted',
      'system',
      word(random),
    ]),
  text: word,
  attachments: (random) => [{ type: word(random), url: word(random), size: random.pick(NUMBERS) }],
  data: (random) => anyValue(random),
  replyTo: number,
  thread: number,
  mentions: (random) => [word(random), word(random)],
  target: number,
  ttl: number,
}

const REQUEST: Fields = {
  id: (random) => random.pick(['r1', 7, null, 'x'.repeat(200)]),
  room,
  user: (random) => random.pick(['uma', 'udo', 'ute', 'uli', word(random)]),
  role: (random) => random.pick(['owner', 'admin', 'member', 'reader', word(random)]),
  access: (random) => random.pick(['public', 'private', word(random)]),
  name: word,
  topic: word,
  avatar: word,
  scope: (random) => random.pick(['joined', 'public']),
  before: number,
  after: (random) => (random.chance(0.5) ? number(random) : word(random)),
  limit: number,
  maxBytes: number,
}

/** Some of the fields, sometimes with arbitrary values, and rarely an unknown field. */
function someOf(random: Random, fields: Fields, likely: number): Record<string, unknown> {
  const made: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields))
    if (random.chance(likely)) made[name] = random.chance(0.05) ? anyValue(random) : value(random)
  if (random.chance(0.05)) made[word(random)] = anyValue(random)
  return made
}

/** Valid JSON that is difficult to handle. */
const HARD_JSON: readonly ((random: Random) => string)[] = [
  (random) => `{"data":${'['.repeat(random.pick([99, 100, 101, 5000, 30_000]))}`,
  (random) => nested(random.pick([98, 99, 100, 101, 5000]), '{"a":', '1', '}'),
  (random) => `{"data":${nested(random.pick([98, 99, 100, 101, 30_000]), '[', '', ']')}}`,
  () => '{"text":"\\ud800"}',
  () => '{"text":"\\u0000"}',
  () => '{"text":"a","text":"b"}',
  () => '{"__proto__":{"text":"a"},"text":"b"}',
  () => `{"id":1,${Array.from({ length: 3000 }, (_, i) => `"k${i}":1`).join(',')}}`,
  () => `{"text":"x","mentions":[${'"a",'.repeat(8000)}"a"]}`,
  () => `{"data":${'9'.repeat(10_000)}}`,
  () => '{"data":1e999}',
  () => `{${' '.repeat(60_000)}}`,
  () => `${' '.repeat(60_000)}{`,
]

function nested(depth: number, open: string, inner: string, close: string): string {
  return open.repeat(depth) + inner + close.repeat(depth)
}

/** JSON text with characters changed, removed or doubled. */
function damaged(random: Random, json: string): string {
  const at = random.below(json.length + 1)
  switch (random.below(3)) {
    case 0:
      return json.slice(0, at) + random.pick(['"', '{', '}', ',', '\\', '\u0000', '1']) + json.slice(at + 1)
    case 1:
      return json.slice(0, at)
    default:
      return json.slice(0, at) + json.slice(Math.max(0, at - 5))
  }
}

/** A payload for `topic`, more or less valid. */
export function payloadFor(random: Random, topic: string): Buffer {
  const roll = random.below(20)
  if (roll === 0) return random.bytes(random.below(200))
  if (roll === 1) return Buffer.alloc(random.pick([0, 1, 1000, 65_535, 65_536, 65_537, 100_000]), random.below(256))
  if (roll === 2) return Buffer.from(random.pick(HARD_JSON)(random))
  if (roll < 6) return Buffer.from(word(random))
  const asked = topic.includes('/requests/')
  const json = JSON.stringify(someOf(random, asked ? REQUEST : MESSAGE, asked ? 0.4 : 0.15))
  return Buffer.from(roll < 9 ? damaged(random, json) : json)
}
