/** What the core of the SDK weighs in a web page, and that nothing of it is of one platform or runs before it is asked for. */
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import t from 'tap'

/** Bytes, minified and compressed: the budget of the core with its wire. */
const BUDGET = 35_000

const CORE = `export { ChatError, createChat } from './dist/client/index.js'`
const ALL = `export * from './dist/client/index.js'`

/** The bundle of a page that does this. */
async function bundled(contents: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: '.' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    write: false,
    ...options,
  })
  return outputFiles![0]!.text
}

t.test('the core is within its budget', async (t) => {
  // Packages of Node would not resolve for a browser.
  const size = gzipSync(await bundled(CORE), { level: 9 }).length
  t.comment(`${size} bytes`)
  t.ok(size <= BUDGET, `${size} bytes; the budget is ${BUDGET}`)
})

t.test('what a page does not use is left out, as nothing runs when it is imported', async (t) => {
  const unused = ALL.replace('export *', 'import * as all')
  t.equal((await bundled(unused)).trim(), '')
})

t.test('only a page that has files loads what they need', async (t) => {
  const core = await bundled(CORE)
  const files = await bundled(`${CORE}; export { fileTransfers } from './dist/client/index.js'`)
  t.notMatch(core, /tus-resumable/)
  t.match(files, /tus-resumable/)
  const size = gzipSync(files, { level: 9 }).length - gzipSync(core, { level: 9 }).length
  t.comment(`${size} bytes`)
  t.ok(size <= 4000, `${size} bytes`)
})

t.test('the hooks of React bring nothing but themselves', async (t) => {
  const hooks = await bundled(`export * from './dist/client/react/index.js'`, { external: ['react'] })
  const size = gzipSync(hooks, { level: 9 }).length
  t.comment(`${size} bytes`)
  t.ok(size <= 1000, `${size} bytes`)
})

t.test('a device has nothing of rooms and messages', async (t) => {
  const device = await bundled(`export * from './dist/client/device/index.js'`, { platform: 'node', external: ['ws'] })
  const size = gzipSync(device, { level: 9 }).length
  t.comment(`${size} bytes`)
  t.ok(size <= 15_000, `${size} bytes`)
})
