/** Holds the arrows of the house: which part may import which (docs/architecture.md). */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** Part → the parts it may import. A part is a folder, or a file where it stands alone. The longest matching name is a file's part. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  schemas: [],
  client: ['schemas'],
  'broker/topic-trie.ts': ['schemas'],
  'broker/lazy.ts': [],
  'broker/line.ts': [],
  'broker/utf8.ts': [],
  'broker/wheel.ts': [],
  'broker/refusal-log.ts': [],
  'broker/turns.ts': [],
  'broker/message-id.ts': [],
  'broker/slots.ts': [],
  'broker/signature.ts': [],
  'broker/metrics.ts': [],
  'broker/version.ts': [],
  'broker/store': ['schemas', 'broker/message-id.ts', 'broker/topic-trie.ts', 'broker/utf8.ts'],
  'broker/auth': [
    'schemas',
    'broker/store',
    'broker/make-directory.ts',
    'broker/message-id.ts',
    'broker/network.ts',
    'broker/signature.ts',
    'broker/slots.ts',
    'broker/turns.ts',
  ],
  'broker/make-directory.ts': [],
  'broker/network.ts': [],
  'broker/origins.ts': ['schemas'],
  'broker/net': ['schemas', 'broker/line.ts', 'broker/network.ts', 'broker/origins.ts'],
  'broker/hub.ts': ['schemas', 'broker/store', 'broker/topic-trie.ts'],
  'broker/chat': [
    'schemas',
    'broker/store',
    'broker/auth',
    'broker/hub.ts',
    'broker/message-id.ts',
    'broker/turns.ts',
    'broker/wheel.ts',
  ],
  'broker/webhooks': [
    'schemas',
    'broker/store',
    'broker/auth',
    'broker/chat',
    'broker/message-id.ts',
    'broker/metrics.ts',
    'broker/signature.ts',
    'broker/slots.ts',
    'broker/turns.ts',
    'broker/wheel.ts',
  ],
  'broker/search': ['schemas', 'broker/store', 'broker/chat'],
  'broker/following': [
    'schemas',
    'broker/store',
    'broker/hub.ts',
    'broker/topic-trie.ts',
    'broker/chat',
    'broker/lazy.ts',
    'broker/metrics.ts',
  ],
  'broker/http': [
    'schemas',
    'broker/store',
    'broker/auth',
    'broker/hub.ts',
    'broker/chat',
    'broker/following',
    'broker/metrics.ts',
    'broker/network.ts',
    'broker/refusal-log.ts',
    'broker/origins.ts',
    'broker/wheel.ts',
  ],
  'broker/mqtt': [
    'schemas',
    'broker/store',
    'broker/auth',
    'broker/hub.ts',
    'broker/chat',
    'broker/following',
    'broker/net',
    'broker/lazy.ts',
    'broker/line.ts',
    'broker/metrics.ts',
    'broker/topic-trie.ts',
    'broker/utf8.ts',
    'broker/network.ts',
    'broker/refusal-log.ts',
    'broker/wheel.ts',
  ],
}

/** Where a package may be imported, of those that only one part should know. */
const ONLY_IN: Record<string, readonly string[]> = {
  aedes: ['broker/mqtt/aedes.ts'],
  'aedes-packet': ['broker/mqtt/aedes.ts', 'broker/store/level'],
  level: ['broker/store/level'],
  'memory-level': ['broker/store/level'],
  ws: ['broker/net'],
  jose: ['broker/auth'],
  'openid-client': ['broker/auth/oidc.ts'],
  '@node-rs/argon2': ['broker/auth'],
  otpauth: ['broker/auth'],
  fflate: ['broker/chat/zip.ts'],
  'node-sqlite3-wasm': ['broker/search'],
  commander: ['broker/cli', 'broker/cli.ts'],
  mqtt: ['client'],
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
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier]) => specifier!)
  return specifiers.map((specifier) => ({
    file,
    target: specifier.startsWith('.') ? normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts') : specifier,
  }))
}

function isIn(file: string, part: string): boolean {
  return file === part || file.startsWith(`${part}/`)
}

function partOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT)
    .filter((part) => isIn(file, part))
    .sort((a, b) => b.length - a.length)[0]
}

const all = ['schemas', 'broker', 'client'].flatMap(sources).flatMap(importsOf)
const ours = all.filter(({ target }) => target.endsWith('.ts'))

t.test('imports follow the arrows of the house', async (t) => {
  t.ok(ours.length > 100, 'the walk found the sources')
  for (const { file, target } of ours) {
    const part = partOf(file)
    if (part === undefined || isIn(target, part)) continue
    const allowed = MAY_IMPORT[part]!.some((other) => isIn(target, other))
    if (!allowed)
      t.fail(`${file} imports ${target}: ${part} may import ${MAY_IMPORT[part]!.join(', ') || 'nothing of ours'}`)
  }
})

t.test('only the composition root names a store adapter', async (t) => {
  const named = ours.filter(
    ({ file, target }) => isIn(target, 'broker/store/level') && !isIn(file, 'broker/store/level'),
  )
  t.strictSame([...new Set(named.map(({ file }) => file))], ['broker/broker.ts'])
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
