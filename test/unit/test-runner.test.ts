/** What `npm test` does with a file (scripts/tests): a bundle of it runs as the file would, and what goes wrong there is told, and told where. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'

interface Runner {
  bundle(files: Record<string, string>, folder: string): Promise<void>
  withSources(output: string, folder: string): string
}

const SCRIPTS = new URL('../../../scripts/tests/', import.meta.url)
const NO_DOMAINS = fileURLToPath(new URL('no-domains.cjs', SCRIPTS))
const { bundle } = (await import(new URL('bundle.mjs', SCRIPTS).href)) as Pick<Runner, 'bundle'>
const { withSources } = (await import(new URL('positions.mjs', SCRIPTS).href)) as Pick<Runner, 'withSources'>

/** Bundles a test with these lines, and runs it as `npm test` does. */
async function run(t: Test, ...lines: string[]): Promise<{ place: string; status: number | null; output: string }> {
  const folder = realpathSync(t.testdir())
  const place = join(folder, 'some.test.js')
  const bundles = join(folder, 'bundles')
  mkdirSync(bundles)
  writeFileSync(place, ["import t from 'tap'", ...lines].join('\n'))
  await bundle({ some: place }, bundles)
  const args = ['--require', NO_DOMAINS, join(bundles, 'some.js')]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { place: relative('.', place), status, output: withSources(stdout + stderr, bundles) }
}

t.test('a file that passes has passed', async (t) => {
  const { status, output } = await run(t, `t.test('passes', async (t) => t.pass())`)
  t.equal(status, 0)
  t.match(output, '# { total: 1, pass: 1 }')
})

t.test('what a test rejects with fails it, and its position is that of the source', async (t) => {
  const { place, status, output } = await run(
    t,
    `t.test('rejects', async () => { await null; throw new Error('no') })`,
    `t.test('goes on', async (t) => t.pass())`,
  )
  t.equal(status, 1)
  t.match(output, /not ok 1 - rejects/)
  t.match(output, /ok 2 - goes on/)
  t.match(output, `(${place}:2:51)`)
  t.match(output, new RegExp(`fileName: ${place}\\s+lineNumber: 2\\s+columnNumber: 51`))
})

const LATE = {
  'an error in a callback': `setTimeout(() => { throw new Error('late') }, 5)`,
  'a rejection that nobody handles': `setTimeout(async () => { throw new Error('late') }, 5)`,
  'a rejection at once that nobody handles': `Promise.reject(new Error('late'))`,
}
for (const [what, line] of Object.entries(LATE)) {
  t.test(`${what} fails a file that has passed else`, async (t) => {
    const { place, status, output } = await run(t, `t.test('is over', async (t) => { t.pass()`, `${line} })`)
    t.not(status, 0)
    t.match(output, /late/)
    t.match(output, `${place}:3:`)
  })
  t.test(`${what} fails a file whose test goes on`, async (t) => {
    const waits = `await new Promise((resolve) => setTimeout(resolve, 20))`
    const { status, output } = await run(t, `t.test('goes on', async (t) => { ${line}`, `${waits}; t.pass() })`)
    t.not(status, 0)
    t.match(output, /late/)
  })
}

t.test('a module that is bundled is still where it was', async (t) => {
  const { place, output } = await run(t, `t.comment('I am at', import.meta.url)`, `t.pass()`)
  t.match(output, `I am at file://${resolve(place)}`)
})
