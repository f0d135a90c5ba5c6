/** Lists in replies: cut to what a reply may hold, and complete over their pages. */
import t from 'tap'
import { cutList } from '../../broker/chat/commands/lists.js'
import { COMMANDS, type Command } from '../../schemas/commands.js'

const MAX = 8192

const lists = Object.entries(COMMANDS as Record<string, Command>).flatMap(([name, { http }]) =>
  http?.page?.key === undefined ? [] : [{ name, page: http.page, key: http.page.key }],
)

/** What a handler would answer of `all`: those after or before an entry, whatever they weigh. */
function answer(
  all: readonly Record<string, unknown>[],
  { items, back }: (typeof lists)[number]['page'],
  from: number,
) {
  const entries = back ? all.slice(0, from) : all.slice(from)
  return JSON.stringify({ [items]: entries, more: false })
}

t.test('every list of the table can be read to its end, however long its entries', async (t) => {
  for (const { name, page, key } of lists) {
    for (const size of [10, 3000, 20_000]) {
      const all = Array.from({ length: 12 }, (_, i) => ({ [key]: i, text: '√'.repeat(size / 3) }))
      const seen: unknown[] = []
      let from = page.back ? all.length : 0
      for (let more = true; more; ) {
        const text = cutList(answer(all, page, from), page, false, MAX)
        const read = JSON.parse(text)
        const entries = read[page.items]
        if (entries.length > 1 && Buffer.byteLength(text) > MAX) t.fail(`${name}: longer than a reply may be`)
        if (page.back) seen.unshift(...entries)
        else seen.push(...entries)
        from = page.back ? entries[0][key] : entries.at(-1)[key] + 1
        more = read.more
      }
      t.same(seen, all, `${name}, entries of ${size} bytes`)
    }
  }
})

t.test('a list that says itself how to go on says it anew', async (t) => {
  const entries = Array.from({ length: 5 }, (_, seq) => ({ seq, text: 'x'.repeat(3000) }))
  const page = { items: 'entries', key: 'seq', back: true } as const
  const back = JSON.parse(cutList(JSON.stringify({ entries, more: true, before: 0 }), page, false, MAX))
  t.match(back, { entries: [{ seq: 3 }, { seq: 4 }], more: true, before: 3 })
  const on = JSON.parse(cutList(JSON.stringify({ entries, more: false, after: 4 }), page, true, MAX))
  t.match(on, { entries: [{ seq: 0 }, { seq: 1 }], more: true, after: 1 })
})
