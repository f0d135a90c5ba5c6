/** The pages in Markdown: links resolve, the README is short and leads to every page, decisions have a date and a status and are in the index. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, normalize } from 'node:path'
import t from 'tap'

const README_LINES = 200

/** All pages of the repository: those at its top and everything below docs/. */
const PAGES = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]

const withoutCode = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '')

/** Targets of the links and images of a page. */
function linksOf(path: string): string[] {
  return [...withoutCode(readFileSync(path, 'utf8')).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target!)
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>()
  const markdown = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
  for (const [, heading] of markdown.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading!
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** Why a link of `page` leads nowhere; null when it resolves. */
function fault(page: string, target: string): string | null {
  if (/^[a-z]+:/.test(target)) return null
  const [file, anchor] = target.split('#', 2)
  const path = file ? normalize(join(dirname(page), decodeURI(file))) : page
  if (!existsSync(path)) return `${page}: ](${target}): there is no file ${path}`
  if (!anchor || !path.endsWith('.md') || anchorsOf(path).has(anchor)) return null
  return `${page}: ](${target}): ${path} has no heading with the anchor #${anchor}`
}

t.test('every relative link leads to a file, and to a heading that is there', async (t) => {
  const links = PAGES.flatMap((page) => linksOf(page).map((target) => ({ page, target })))
  t.same(
    links.map(({ page, target }) => fault(page, target)).filter((why) => why !== null),
    [],
  )
  t.ok(links.length > 200)
  t.match(fault('README.md', 'docs/nowhere.md'), /there is no file/)
  t.match(fault('README.md', 'docs/topics.md#nowhere'), /no heading/)
})

t.test(`the README has at most ${README_LINES} lines`, async (t) => {
  const lines = readFileSync('README.md', 'utf8').trimEnd().split('\n').length
  t.ok(lines <= README_LINES, `README.md has ${lines} lines: move what is no overview into a page of docs/`)
})

t.test('every page is found from the README', async (t) => {
  const reached = new Set(['README.md'])
  for (const page of reached)
    for (const target of linksOf(page)) {
      const path = normalize(join(dirname(page), target.split('#')[0]!))
      if (PAGES.includes(path)) reached.add(path)
    }
  t.same(
    PAGES.filter((page) => !reached.has(page)),
    [],
    'add a link to the tables of the README, or to a page they name',
  )
})

t.test('every decision has a date and a status, and is in the index', async (t) => {
  const areas = PAGES.filter((page) => /^docs.decisions.(?!README)/.test(page))
  const index = new Set(linksOf(join('docs', 'decisions', 'README.md')))
  t.ok(areas.length > 5)
  for (const page of areas) {
    for (const [, heading, status] of readFileSync(page, 'utf8').matchAll(/^## (.+)\n\n(.*)$/gm))
      t.match(status, /^\d{4}-\d{2} · (accepted|superseded by \[.+\]\(.+\))$/, `${page}: ${heading}`)
    for (const anchor of [...anchorsOf(page)].slice(1))
      t.ok(index.has(`${basename(page)}#${anchor}`), `docs/decisions/README.md lists ${basename(page)}#${anchor}`)
  }
})

t.test('every source file that a page names is there', async (t) => {
  const named = PAGES.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/`([a-z0-9][\w./-]*\/[\w.-]+\.(?:ts|mjs|yaml))`/g)].map(([, path]) => ({
      page,
      path,
    })),
  )
  t.ok(named.length > 100)
  for (const { page, path } of named)
    t.ok(
      ['', 'broker', 'test'].some((folder) => existsSync(join(folder, path!))),
      `${page} names ${path}: it was moved or removed`,
    )
})

t.test('every name in the recipes of CONTRIBUTING is in the sources', async (t) => {
  const sources = ['broker', 'schemas', 'client', 'test'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  )
  const words = new Set(sources.flatMap((text) => text.match(/#?[A-Za-z_$][\w$]*/g) ?? []))
  const inCode = [...readFileSync('CONTRIBUTING.md', 'utf8').matchAll(/`(#?[A-Za-z_]\w+)`/g)].map(([, name]) => name!)
  const names = inCode.filter((name) => /^#|[a-z][A-Z]|^[A-Z_]{4,}$/.test(name))
  t.ok(names.length > 30)
  for (const name of names) t.ok(words.has(name), `CONTRIBUTING.md names ${name}: it was renamed or removed`)
})
