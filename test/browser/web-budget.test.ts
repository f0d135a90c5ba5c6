/** What a first visit to the web app costs, and what of it is in the package. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const DIRECTORY = join('dist', 'client', 'web')
/** Bytes, compressed with gzip. */
const SCRIPT = 90_000
const STYLE = 12_000
const CHUNK = 40_000

const page = readFileSync(join(DIRECTORY, 'index.html'), 'utf8')
const first = [...page.matchAll(/"\/assets\/([^"]+)"/g)].map(([, name]) => name!)
const bytesOf = (names: readonly string[]): number =>
  names.reduce((sum, name) => sum + readFileSync(join(DIRECTORY, `${name}.gz`)).length, 0)

t.test('the first visit is within its budget', async (t) => {
  const script = bytesOf(first.filter((name) => name.endsWith('.js')))
  const style = bytesOf(first.filter((name) => name.endsWith('.css')))
  t.comment(`${script} bytes of script, ${style} of style`)
  t.ok(script > 0 && script <= SCRIPT, `${script} bytes of script; the budget is ${SCRIPT}`)
  t.ok(style > 0 && style <= STYLE, `${style} bytes of style; the budget is ${STYLE}`)
})

t.test('languages come when they are wanted, each within its budget', async (t) => {
  const chunks = readdirSync(DIRECTORY).filter(
    (name) => name.endsWith('.js') && name !== 'sw.js' && !first.includes(name),
  )
  t.ok(chunks.some((name) => name.startsWith('ar-')) && chunks.some((name) => name.startsWith('zh-')))
  for (const name of chunks) t.ok(bytesOf([name]) <= CHUNK, name)
})

t.test('the package has the app, compressed too, and no sources of it', async (t) => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  const paths = files.map(({ path }) => path).filter((path) => path.startsWith('dist/client/web/'))
  t.ok(paths.includes('dist/client/web/index.html'))
  for (const name of first.filter((name) => /\.(js|css)$/.test(name)))
    for (const ending of ['', '.gz', '.br']) t.ok(paths.includes(`dist/client/web/${name}${ending}`))
  t.same(
    paths.filter((path) => /\.(map|tsx?)$/.test(path)),
    [],
  )
})
