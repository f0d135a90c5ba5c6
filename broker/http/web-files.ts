/** The files of the web app, as the build made them: each also compressed. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the broker, in a clone as in the package. */
const DIRECTORY = fileURLToPath(new URL('../../client/web/', import.meta.url))
const PAGE = 'index.html'
const WORKER = 'sw.js'
const ICONS = 'icons.json'

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
}

/** Best first, by the endings that the build gives them. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const

export interface Icon {
  readonly src: string
  readonly sizes: string
  readonly type: string
  readonly purpose?: string
}

export interface WebFile {
  readonly type: string
  /** By content encoding; `identity` is always there. */
  readonly bodies: ReadonlyMap<string, Buffer>
}

export interface WebFiles {
  /** The page with its placeholders. */
  readonly page: string
  readonly worker: string
  /** As the manifest has them. */
  readonly icons: readonly Icon[]
  readonly assets: ReadonlyMap<string, WebFile>
}

/** All of them, to be served from memory: some hundred kilobytes. Resolves with null if the app was not built. */
export async function readWebFiles(): Promise<WebFiles | null> {
  const names = await readdir(DIRECTORY).catch((): string[] => [])
  if (!names.includes(PAGE)) return null
  const assets = new Map<string, WebFile>()
  for (const name of names) {
    const type = TYPES[name.split('.').at(-1)!]
    if (type !== undefined && name !== WORKER) assets.set(name, { type, bodies: await readBodies(name, names) })
  }
  const read = (name: string) => readFile(join(DIRECTORY, name), 'utf8')
  const icons = JSON.parse(await read(ICONS)) as Icon[]
  return { page: await read(PAGE), worker: await read(WORKER), icons, assets }
}

async function readBodies(name: string, names: readonly string[]): Promise<Map<string, Buffer>> {
  const bodies = new Map([['identity', await readFile(join(DIRECTORY, name))]])
  for (const [encoding, ending] of ENCODINGS)
    if (names.includes(name + ending)) bodies.set(encoding, await readFile(join(DIRECTORY, name + ending)))
  return bodies
}

/** The best encoding that the client takes, of those that there are. @param accepted Accept-Encoding */
export function encodingFor({ bodies }: WebFile, accepted = ''): string {
  const taken = new Map(accepted.split(',').map((one) => [one.split(';')[0]!.trim(), !/;\s*q=0(\.0*)?\s*$/.test(one)]))
  const best = ENCODINGS.find(([encoding]) => bodies.has(encoding) && taken.get(encoding))
  return best ? best[0] : 'identity'
}
