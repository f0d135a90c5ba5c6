/** The stylesheets of the web app are one to the browser: a class that two parts of it use would have the styles of both. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const DIRECTORY = join('client', 'web', 'style')
/** What changes the others for narrow screens, colours of the system and large text. */
const ADAPTS = 'adapt.css'

t.test('a class has its styles in one stylesheet', (t) => {
  const sheets = new Map<string, Set<string>>()
  for (const sheet of readdirSync(DIRECTORY).filter((name) => name !== ADAPTS))
    for (const name of classesOf(readFileSync(join(DIRECTORY, sheet), 'utf8')))
      sheets.set(name, (sheets.get(name) ?? new Set()).add(sheet))
  t.ok(sheets.size > 100, `${sheets.size} classes`)
  for (const [name, its] of sheets) t.equal(its.size, 1, `.${name} is styled in ${[...its].join(' and ')}`)
  t.end()
})

/** Those with rules of their own: not in a media query, and not within, or together with, another. */
function classesOf(css: string): string[] {
  const lists = [...css.matchAll(/^([^\s@}/][^{}]*)\{/gm)].map(([, list]) => list!.replaceAll(/\([^()]*\)/g, '()'))
  const selectors = lists.flatMap((list) => list.split(','))
  return selectors.flatMap((one) => /^\.([a-z-]+)$/.exec(one.trim())?.[1] ?? [])
}
