/** The worker thread that owns the index: runs one call after another. */
import { parentPort } from 'node:worker_threads'
import { type Changes, isDamage, removeIndex, TextIndex, type Wanted } from './text-index.js'

export type Call =
  | { readonly what: 'open'; readonly path: string; readonly epoch: string }
  | { readonly what: 'apply'; readonly changes: Changes }
  | { readonly what: 'purge'; readonly name: string; readonly below: number | null; readonly limit: number }
  | { readonly what: 'due'; readonly now: number; readonly after: number; readonly limit: number }
  | { readonly what: 'find'; readonly wanted: Wanted }
  | { readonly what: 'close' }

export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
  /** The index file was damaged, and has been deleted. */
  readonly damaged?: boolean
}

let index: TextIndex | null = null
let path = ''

function run(call: Call): unknown {
  if (call.what === 'open') {
    index?.close()
    path = call.path
    const opened = TextIndex.open(path, call.epoch)
    index = opened.index
    return { positions: index.positions(), why: opened.why }
  }
  if (!index) throw new Error('the search index is not open')
  switch (call.what) {
    case 'apply':
      return index.apply(call.changes)
    case 'purge':
      return index.purge(call.name, call.below, call.limit)
    case 'due':
      return index.due(call.now, call.after, call.limit)
    case 'find':
      return index.find(call.wanted)
    case 'close':
      index.close()
      index = null
      return undefined
    default:
      return call satisfies never
  }
}

/** Deletes a damaged index: the next `open` creates a new one. */
function discard(): void {
  index?.close()
  index = null
  removeIndex(path)
}

parentPort!.on('message', ({ id, call }: { id: number; call: Call }) => {
  try {
    parentPort!.postMessage({ id, result: run(call) } satisfies Answer)
  } catch (error) {
    const { message } = error as Error
    const damaged = isDamage(error)
    if (damaged) discard()
    parentPort!.postMessage({ id, error: message, damaged } satisfies Answer)
  }
})
