/**
 * Bundles compiled test files: a broker in a test imports 2,000 small modules, and to find, read and link each of them takes more than a
 * second of CPU in each of 300 processes. What several tests import becomes chunks that they share.
 */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { build, stop } from 'esbuild'

/** Packages in hundreds of modules. The others stay outside: tap looks at where it lies, and some bring native code. */
const INLINED = /^(typebox|jose)(\/|$)/
/** What `import.meta.url` becomes. */
const PLACE = 'placeOfThisModule'

/**
 * Writes bundles, and their source maps, to a folder.
 * @param files The file of each bundle, by the path in the folder that it is to have, without `.js`
 * @throws what cannot be bundled; esbuild has printed why
 */
export async function bundle(files, folder) {
  await build({
    entryPoints: files,
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    define: { 'import.meta.url': PLACE },
    sourcemap: true,
    // The lines are in the files that the map names.
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [{ name: 'compiled-tests', setup }],
  })
  // Else its process stays as long as ours.
  await stop()
}

function setup({ onResolve, onLoad }) {
  onResolve({ filter: /^[^./]/ }, ({ path }) => (INLINED.test(path) ? undefined : { path, external: true }))
  onLoad({ filter: /\.js$/ }, async ({ path }) => ({ contents: atItsPlace(await readFile(path, 'utf8'), path) }))
}

/** A module finds programs, workers and pages by its own place; that is still where it was compiled to. In its first line, so that the others stay. */
function atItsPlace(source, path) {
  return source.includes('import.meta.url')
    ? `const ${PLACE} = ${JSON.stringify(pathToFileURL(path).href)};${source}`
    : source
}
