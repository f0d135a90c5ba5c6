/** Holds the layout of the house: every file belongs to a part, and imports go one way (docs/architecture.md). */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

const BASE = ['schemas', 'broker/util', 'broker/store', 'broker/auth', 'broker/hub.ts']

/** The folders of chat, lowest first: each may import those before it. Folders that stand in one row do not know each other. */
const CHAT = [
  ['model'],
  ['rooms'],
  ['presence'],
  ['history'],
  ['files'],
  ['messages'],
  ['devices', 'notices', 'moderation'],
  ['erasure', 'exports'],
  ['commands'],
  ['pipeline.ts', 'access.ts'],
  ['wiring'],
  ['chat.ts'],
].map((row) => row.map((name) => `broker/chat/${name}`))

const chatDeps = CHAT.flatMap((row, above) => row.map((part) => [part, [...BASE, ...CHAT.slice(0, above).flat()]]))

/** Part → the parts it may import. A part is a folder, or a file that stands alone. The longest matching name is a file's part. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  schemas: [],
  client: ['schemas'],
  // What an application can import.
  'client/web': ['schemas', 'client/index.ts'],
  'broker/util': ['schemas'],
  'broker/store': ['schemas', 'broker/util'],
  'broker/auth': ['schemas', 'broker/util', 'broker/store'],
  'broker/hub.ts': ['schemas', 'broker/util', 'broker/store'],
  ...Object.fromEntries(chatDeps),
  'broker/following': [...BASE, 'broker/chat'],
  'broker/net': ['schemas', 'broker/util'],
  'broker/mqtt': [...BASE, 'broker/chat', 'broker/following', 'broker/net'],
  'broker/media': [...BASE, 'broker/chat'],
  'broker/http': [...BASE, 'broker/chat', 'broker/following', 'broker/media', 'broker/net'],
  'broker/readers': [...BASE, 'broker/chat'],
  'broker/config': [...BASE, 'broker/chat', 'broker/net'],
  'broker/admin': [...BASE, 'broker/chat'],
  'broker/wiring': [
    ...BASE,
    'broker/chat',
    'broker/config',
    'broker/following',
    'broker/http',
    'broker/media',
    'broker/mqtt',
    'broker/net',
    'broker/readers',
  ],
  'broker/broker.ts': ['schemas', 'broker'],
  'broker/index.ts': ['schemas', 'broker'],
  'broker/cli': ['schemas', 'broker', 'client'],
  'broker/cli.ts': ['broker/cli', 'broker/util'],
}

/** Where a package may be imported, of those that only one part should know. */
const ONLY_IN: Record<string, readonly string[]> = {
  aedes: ['broker/mqtt/aedes.ts', 'broker/index.ts'],
  'aedes-packet': ['broker/mqtt/aedes.ts', 'broker/store/directory/aedes-persistence.ts'],
  level: ['broker/store/level', 'client/node'],
  'memory-level': ['broker/store/level'],
  ioredis: ['broker/store/redis/connection.ts'],
  ws: ['broker/net', 'client/node'],
  jose: ['broker/auth'],
  'openid-client': ['broker/auth/oidc.ts'],
  '@node-rs/argon2': ['broker/auth'],
  otpauth: ['broker/auth'],
  fflate: ['broker/chat/exports/zip.ts'],
  sharp: ['broker/media/images'],
  blurhash: ['broker/media/images'],
  mediabunny: ['broker/media/recordings'],
  'node-sqlite3-wasm': ['broker/readers/search'],
  commander: ['broker/cli', 'broker/cli.ts'],
  mqtt: ['client'],
  react: ['client/react'],
  preact: ['client/web'],
  'preact/hooks': ['client/web'],
  '@preact/signals': ['client/web'],
  'string-width': ['client/terminal'],
  fastify: ['broker/http'],
  '@fastify/etag': ['broker/http'],
  '@fastify/swagger': ['broker/http'],
  '@fastify/swagger-ui': ['broker/http'],
}

interface Import {
  file: string
  /** Path from the root, or a package's name. */
  target: string
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier!)
  return specifiers.map((specifier) => ({
    file,
    target: specifier.startsWith('.') ? sourceAt(normalize(join(dirname(file), specifier))) : specifier,
  }))
}

/** The source of a module. */
function sourceAt(module: string): string {
  const jsx = module.replace(/\.js$/, '.tsx')
  return existsSync(join(ROOT, jsx)) ? jsx : module.replace(/\.js$/, '.ts')
}

function isIn(file: string, part: string): boolean {
  return file === part || file.startsWith(`${part}/`)
}

function partOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((part) => isIn(file, part))
    .sort((a, b) => b.length - a.length)[0]
}

/** Rings of imports, each once: what is walked to its end is not walked again. */
function cyclesOf(edges: readonly (readonly [string, string])[]): string[][] {
  const targets = new Map<string, Set<string>>()
  for (const [from, to] of edges) {
    if (!targets.has(from)) targets.set(from, new Set())
    if (to !== from) targets.get(from)!.add(to)
  }
  const cycles: string[][] = []
  const done = new Set<string>()
  const walk = (at: string, path: readonly string[]): void => {
    if (path.includes(at)) {
      cycles.push([...path.slice(path.indexOf(at)), at])
      return
    }
    if (done.has(at)) return
    for (const to of targets.get(at) ?? []) walk(to, [...path, at])
    done.add(at)
  }
  for (const from of targets.keys()) walk(from, [])
  return cycles
}

const files = ['schemas', 'broker', 'client'].flatMap(sources)
const all = files.flatMap(importsOf)
const ours = all.filter(({ target }) => /\.tsx?$/.test(target))

const HOW = 'The parts and their arrows are in MAY_IMPORT of test/unit/imports.test.ts and in docs/architecture.md'

t.test('every file belongs to a part', async (t) => {
  for (const file of files)
    if (partOf(file) === undefined)
      t.fail(`${file} belongs to no part: move it into the folder of what it is about. ${HOW}`)
})

t.test('imports follow the arrows of the house', async (t) => {
  t.ok(ours.length > 100, 'the walk found the sources')
  for (const { file, target } of ours) {
    const part = partOf(file)
    if (part === undefined || isIn(target, part)) continue
    if (MAY_IMPORT[part]!.some((other) => isIn(target, other))) continue
    t.fail(
      `${file} imports ${target}, but ${part} may import only ${MAY_IMPORT[part]!.join(', ') || 'nothing of ours'}. ` +
        `Move what both need into a part that both may import, or hand it over as an argument. ${HOW}`,
    )
  }
})

t.test('no folder and no file is imported by what it imports, types included', async (t) => {
  /** A folder; what lies at the top of the house, or of chat, stands for itself. */
  const folderOf = (file: string): string =>
    ['schemas', 'broker', 'broker/chat'].includes(dirname(file)) ? file : dirname(file)
  for (const cycle of cyclesOf(ours.map(({ file, target }) => [folderOf(file), folderOf(target)])))
    t.fail(`these folders import each other: ${cycle.join(' → ')}. Move what both need into the lower one. ${HOW}`)
  for (const cycle of cyclesOf(ours.map(({ file, target }) => [file, target])))
    t.fail(`these files import each other: ${cycle.join(' → ')}. Move the type that both need into a file of its own.`)
})

t.test('only the composition root names a store adapter', async (t) => {
  for (const adapter of ['broker/store/level', 'broker/store/redis']) {
    const named = ours.filter(({ file, target }) => isIn(target, adapter) && !isIn(file, adapter))
    // The address of a server and its certificates are checked with the configuration.
    const checked = ['broker/store/redis/address.ts', 'broker/store/redis/tls-files.ts']
    const others = named.filter(({ target }) => !checked.includes(target))
    t.strictSame([...new Set(others.map(({ file }) => file))], ['broker/wiring/storage.ts'])
  }
})

t.test('packages stay in the part that owns them', async (t) => {
  for (const { file, target } of all) {
    const homes = ONLY_IN[target]
    if (homes && !homes.some((home) => isIn(file, home)))
      t.fail(`${file} imports ${target}: only ${homes.join(', ')} should`)
  }
})

t.test('a topic string is spelled in schemas/topics.ts alone', async (t) => {
  const spelled = /[`'"](?:rooms|users|broadcast)\/(?:\$\{|\+|#|[a-z]+\/)/
  for (const file of ['broker', 'client'].flatMap(sources)) {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
    for (const [index, line] of lines.entries()) {
      if (spelled.test(line) && !/^\s*(\/\/|\*|\/\*)/.test(line))
        t.fail(`${relative('.', file)}:${index + 1} spells a topic: ${line.trim()}`)
    }
  }
})
