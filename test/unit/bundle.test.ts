/** What the core of the SDK weighs in a web page, and that nothing of it is of one platform or runs before it is asked for. */
import { gzipSync } from 'node:zlib'
import { type BuildOptions, build } from 'esbuild'
import t from 'tap'

/** Bytes, minified and compressed: the budget of the core with its wire. */
const BUDGET = 35_000

const CORE = `
  export { ChatError, createChat, httpCalls, methods } from './dist/client/index.js'
`

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
  const unused = CORE.replaceAll('export {', 'import {')
  t.equal((await bundled(unused)).trim(), '')
})
