/** Whatever others write, the terminal chat prints nothing that steers a terminal, and nothing wider than its place. */
import t from 'tap'
import type { Item } from '../../client/node/index.js'
import { messageLine } from '../../client/terminal/lines.js'
import { inputRow } from '../../client/terminal/screen/input-row.js'
import { rowsOf } from '../../client/terminal/screen/rows.js'
import { styleOf } from '../../client/terminal/screen/style.js'
import { widthOf } from '../../client/terminal/screen/text.js'
import { Random } from '../helpers/random.js'

const ESC = '\u001b'
const BEL = '\u0007'
const PIECES = [
  ...['tea', ' ', 'a much longer word than fits', '\t', '\n', '\r', '\0', '\u0008', '\u007f', '\u0085', '\u2028'],
  ...[
    `${ESC}[2J`,
    `${ESC}]0;title${BEL}`,
    `${ESC}P$q${ESC}\\`,
    `${ESC}c`,
    '\u009b31m',
    '\u009d0;x\u009c',
    `${ESC}[999C`,
  ],
  ...['\u202e', '\u2066', '\u200f', '\u200b', '\u00ad', '\ufeff', '\u{e0041}', '\ud800', '\udc00', '\ufffe'],
  ...['你好', '한글', 'ﾊﾝ', 'مرحبا', 'שלום', 'e\u0301', `z${'\u0301'.repeat(50)}`, 'क्षि', '\u0e33'],
  ...['👨‍👩‍👧', '🇩🇪', '🇩', '❤️', '☎\ufe0e', '👍🏽', '1️⃣', '\u200d', '\ufe0f'],
]

const random = Random.from('TERMINAL_SEED', 17)
const RUNS = Number(process.env['TERMINAL_RUNS'] ?? 150)

function text(most = 12): string {
  return Array.from({ length: random.below(most) }, () => PIECES[random.below(PIECES.length)]).join('')
}

function item(seq: number): Item {
  const message = {
    ...{ id: `${seq}`, room: 'tea', seq, ts: Date.now(), from: 'eve', text: text(), edits: random.below(2) },
    ...(random.chance(0.3) && { attachments: [{ type: 'file', file: 'f', name: text() }] }),
    ...(random.chance(0.3) && { reactions: [{ emoji: text(3), count: 2, me: false }] }),
    ...(random.chance(0.2) && { replyTo: 1 + random.below(seq) }),
    ...(random.chance(0.1) && { type: 'custom', text: '', data: { [text()]: text() } }),
    ...(random.chance(0.1) && { forwarded: { from: text(3), room: 'tea', seq: 1, ts: 1 } }),
  }
  return { kind: 'message', key: `${seq}`, own: false, message } as unknown as Item
}

/** Without the colours that are ours. */
function plain(row: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  return row.replace(/\u001b\[(\d+(;\d+)*)?m|\u001b\[K$/g, '')
}

function check(row: string, width: number): string | null {
  const shown = plain(row)
  if (/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f\u2028\u2029]/u.test(shown))
    return `steers: ${JSON.stringify(shown)}`
  return widthOf(shown) > width ? `${widthOf(shown)} cells in ${width}: ${JSON.stringify(shown)}` : null
}

t.test(`hostile text stays in its place # TERMINAL_SEED=${random.seed}`, async (t) => {
  for (let run = 0; run < RUNS; run++) {
    const width = 10 + random.below(110)
    const style = styleOf([1, 4, 8][random.below(3)]!, random.chance(0.8))
    const items = Array.from({ length: 4 }, (_, i) => item(i + 1))
    const options = { width, style, me: 'alice', read: 1, isOnline: true, thread: null }
    const rows = rowsOf(items, [], options).map((row) => row.text)
    const bad = [
      ...rows.map((row) => check(row, width)),
      check(inputRow(text(), 0, 'tea> ', width, '/').text, Math.max(width, 10)),
    ].filter((one) => one !== null)
    t.same(bad, [], `run ${run}, width ${width}`)
    if (bad.length > 0) return
  }
})

t.test('in lines as well', async (t) => {
  for (let run = 0; run < RUNS; run++) {
    const one = item(1)
    if (one.kind !== 'message') return
    for (const line of messageLine(one.message, { items: [one] }).split('\n'))
      t.equal(check(line.replaceAll('\t', ' '), Number.POSITIVE_INFINITY), null)
  }
})
