/**
 * Bundles the web app into dist/client/web: scripts and styles with the hash of their content in their names, each compressed too, the page
 * that loads them, and the service worker that keeps them. Types are checked elsewhere (`tsc -p client/web`, `tsc -p client/web/worker`).
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, parse, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const SOURCES = join('client', 'web')
const TARGET = join('dist', 'client', 'web')
const ICONS = join(SOURCES, 'icons')
const ENTRIES = { app: join(SOURCES, 'main.tsx'), style: join(SOURCES, 'style', 'index.css') }
/** Where the broker serves them. */
const PUBLIC = '/assets'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))
// A build that fails leaves the last one as it is.
const fresh = `${TARGET}.new`
rmSync(fresh, { recursive: true, force: true })
const options = {
  bundle: true,
  minify: true,
  target: ['es2022', 'chrome123', 'firefox125', 'safari17.5'],
  legalComments: 'none',
  logLevel: 'warning',
}
const { metafile } = await build({
  ...options,
  entryPoints: ENTRIES,
  outdir: fresh,
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  splitting: true,
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  metafile: true,
  plugins: [oneFirstChunk()],
})
mkdirSync(fresh, { recursive: true })
for (const name of readdirSync(fresh)) compress(join(fresh, name))
const icons = copyIcons()
const files = readdirSync(fresh)
  .filter((name) => !/\.(gz|br|json)$/.test(name))
  .sort()
const html = page(metafile.outputs)
const version = createHash('sha256').update(files.join()).update(html).digest('hex').slice(0, 12)
writeFileSync(join(fresh, 'index.html'), html.replace('<!-- version -->', version))
await build({
  ...options,
  entryPoints: [join(SOURCES, 'worker', 'worker.ts')],
  outfile: join(fresh, 'sw.js'),
  format: 'iife',
  define: { VERSION: JSON.stringify(version), FILES: JSON.stringify(files.map(url)) },
})
rmSync(TARGET, { recursive: true, force: true })
mkdirSync(dirname(TARGET), { recursive: true })
renameSync(fresh, TARGET)

/**
 * What the page loads at once becomes one chunk: esbuild makes one for each set of parts that share something, which were dozens of requests, and
 * compressed worse. To that end each part that is loaded later imports all that the app begins with. `main.tsx` itself is none of it: it waits for parts.
 */
function oneFirstChunk() {
  const main = resolve(ENTRIES.app)
  const begins = [...readFileSync(main, 'utf8').matchAll(/^import .*'(\.[^']+)\.js'$/gm)].map(([, path]) => path)
  const imports = begins.map((path) => `import ${JSON.stringify(resolve(dirname(main), `${path}.js`))}\n`).join('')
  const later = new Set()
  return {
    name: 'one first chunk',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ kind, path, ...from }) => {
        if (kind !== 'dynamic-import') return null
        const found = await build.resolve(path, { ...from, kind: 'import-statement' })
        later.add(found.path)
        return { path: found.path }
      })
      build.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
        if (!later.has(path)) return null
        const loader = extname(path).slice(1)
        return { contents: `${readFileSync(path, 'utf8')}\n${imports}`, loader }
      })
    },
  }
}

/** The icons under names with the hash of their content; by their names before. */
function copyIcons() {
  const names = readdirSync(ICONS).map((name) => {
    const content = readFileSync(join(ICONS, name))
    const { name: base, ext } = parse(name)
    const made = `${base}-${createHash('sha256').update(content).digest('hex').slice(0, 8)}${ext}`
    writeFileSync(join(fresh, made), content)
    return [name, url(made)]
  })
  const icons = Object.fromEntries(names)
  const manifest = [
    { src: icons['icon.svg'], sizes: 'any', type: 'image/svg+xml' },
    { src: icons['icon-192.png'], sizes: '192x192', type: 'image/png' },
    { src: icons['icon-512.png'], sizes: '512x512', type: 'image/png' },
    { src: icons['whole-512.png'], sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ]
  writeFileSync(join(fresh, 'icons.json'), JSON.stringify(manifest))
  return icons
}

function compress(path) {
  const content = readFileSync(path)
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }))
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length }
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params }))
}

function url(path) {
  return `${PUBLIC}/${basename(path)}`
}

/** The page with the names of what it loads, and of the chunks that its script imports at once. */
function page(outputs) {
  const made = (source) =>
    Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source.replaceAll('\\', '/'))
  const [script, { imports }] = made(ENTRIES.app)
  const [style] = made(ENTRIES.style)
  const early = imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path)
  const preloads = early.map((path) => `<link rel="modulepreload" href="${url(path)}">`).join('\n')
  const parts = {
    '<!-- style -->': url(style),
    '<!-- script -->': url(script),
    '<!-- preloads -->': preloads,
    '<!-- icon -->': icons['icon.svg'],
    '<!-- touch icon -->': icons['whole-180.png'],
  }
  let html = readFileSync(join(SOURCES, 'index.html'), 'utf8')
  for (const [place, text] of Object.entries(parts)) html = html.replace(place, text)
  return html
}
