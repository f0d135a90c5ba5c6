/** The script that performs commits (lua/). Its SHA-1 names it, so that nodes of several versions can work beside each other. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { NOTE_LETTERS } from '../notes.js'
import { UNGUARDED, UNTOLD } from '../tables.js'
import { BLOCK_ENTRIES } from './entry-codec.js'

export interface Script {
  readonly sha: string
  readonly text: string
}

/** The files, in the order of what they use; beside the sources and in the package alike. */
const FILES = ['words', 'guards', 'tables', 'logs', 'queues', 'commit']
const DIRECTORY = new URL('../../../../broker/store/redis/lua/', import.meta.url)

/** Guards are compared with so many changes at least. */
const MOST_CHANGES = 100_000
/** Commits that a node can have missed and read again; after more it loads everything anew. */
const MOST_JOURNALED = 20_000

export function commitScript(): Script {
  const constants = [
    `local UNGUARDED = ${luaSet(UNGUARDED)}`,
    `local UNTOLD = ${luaSet(UNTOLD)}`,
    `local BLOCK = ${BLOCK_ENTRIES}`,
    `local NOTE_LETTERS = '${Object.values(NOTE_LETTERS).join('')}'`,
    `local MOST_CHANGES = ${MOST_CHANGES}`,
    `local MOST_JOURNALED = ${MOST_JOURNALED}`,
  ]
  return scriptOf([...constants, ...FILES.map(source)].join('\n'))
}

/** Another script of that directory. */
export function scriptNamed(file: string): Script {
  return scriptOf(source(file))
}

function scriptOf(text: string): Script {
  return { sha: createHash('sha1').update(text).digest('hex'), text }
}

function source(file: string): string {
  return readFileSync(new URL(`${file}.lua`, DIRECTORY), 'utf8')
}

function luaSet(names: ReadonlySet<string>): string {
  return `{ ${[...names].map((name) => `['${name}'] = true`).join(', ')} }`
}
