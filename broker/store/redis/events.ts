/** What a commit did, as all nodes are told of it (`tell` in lua/), its own included. */
import type { LogName } from '../log-name.js'
import type { LogEntry } from '../logs.js'
import type { RetainOp } from '../op.js'
import { ownerOf, type TableChange } from '../tables.js'
import { decodeEntry } from './entry-codec.js'
import { WordReader } from './words.js'

/** A commit. Numbers are dense over all nodes. */
export interface Committed {
  readonly number: number
  /** Of the last commit that changed something guarded. */
  readonly position: number
  readonly changes: readonly TableChange[]
  readonly events: readonly LogEvent[]
  readonly queued: readonly QueueEvent[]
  /** Of a commit of this node. */
  readonly local?: readonly LocalStep[]
}

/** What concerns the memory of the committing node only, at its place among the events of queues and retained messages. */
export type LocalStep = { readonly cut: number; readonly at: number } | { readonly retain: RetainOp }

/** Entries from `first` on. `ends`: the commit dropped the log. */
export interface Appended {
  readonly type: 'appended'
  readonly log: LogName
  readonly incarnation: number
  readonly tail: number
  readonly first: number
  /** Decoded when called. */
  readonly entries: () => readonly LogEntry[]
  readonly count: number
  readonly ends: boolean
  /** By this node. */
  readonly own: boolean
}

/** What happened to a log. */
export type LogEvent =
  | Appended
  | { readonly type: 'dropped'; readonly log: LogName; readonly incarnation: number }
  | { readonly type: 'erased'; readonly log: LogName; readonly incarnation: number; readonly seqs: readonly number[] }
  | { readonly type: 'trimmed'; readonly log: LogName; readonly incarnation: number; readonly tail: number }
  | { readonly type: 'marked'; readonly log: LogName; readonly seq: number }
  | { readonly type: 'unmarked'; readonly log: LogName }

/** What happened to queues and retained messages. */
export type QueueEvent =
  | { readonly type: 'queued'; readonly number: number; readonly bytes: number; readonly sessions: readonly string[] }
  | { readonly type: 'dequeued'; readonly session: string; readonly number: number }
  | {
      readonly type: 'retained'
      readonly topic: string
      readonly owner: string
      readonly bytes: number
      readonly at: number
    }
  | { readonly type: 'cleared'; readonly topic: string; readonly at: number }

/** Reads what a node is told of a commit of another. */
export function readCommit(message: Buffer): Committed {
  const words = new WordReader(message)
  const [number, position] = [words.number(), words.number()]
  return { number, position, ...readEvents([words]) }
}

export function readEvents(parts: readonly WordReader[]): Omit<Committed, 'number' | 'position'> {
  const changes: TableChange[] = []
  const events: LogEvent[] = []
  const queued: QueueEvent[] = []
  for (const words of parts)
    while (!words.done) {
      const kind = words.text()
      const change = readChange(kind, words)
      if (change) changes.push(change)
      else readOther(kind, words, events, queued)
    }
  return { changes, events, queued }
}

function readChange(kind: string, words: WordReader): TableChange | null {
  const table = (): TableChange['table'] => words.text() as TableChange['table']
  switch (kind) {
    case 'P':
      return { table: table(), key: words.text(), value: words.bytes() }
    case 'X':
      return { table: table(), key: words.text(), value: null }
    case 'K':
      return { table: table(), owner: ownerOf(words.text()) }
    default:
      return null
  }
}

function readOther(kind: string, words: WordReader, events: LogEvent[], queued: QueueEvent[]): void {
  const text = (): string => words.text()
  const number = (): number => words.number()
  switch (kind) {
    case 'L':
    case 'l':
      return void events.push(readAppended(words, kind === 'l'))
    case 'G':
      return void events.push({ type: 'dropped', log: text(), incarnation: number() })
    case 'E':
      return void events.push({ type: 'erased', log: text(), incarnation: number(), seqs: words.texts().map(Number) })
    case 'T':
      return void events.push({ type: 'trimmed', log: text(), incarnation: number(), tail: number() })
    case 'M':
      return void events.push({ type: 'marked', log: text(), seq: number() })
    case 'm':
      return void events.push({ type: 'unmarked', log: text() })
    case 'Q':
      return void queued.push({ type: 'queued', number: number(), bytes: number(), sessions: words.texts() })
    case 'D':
      return void queued.push({ type: 'dequeued', session: text(), number: number() })
    case 'R':
      return void queued.push({ type: 'retained', topic: text(), owner: text(), bytes: number(), at: number() })
    case 'r':
      return void queued.push({ type: 'cleared', topic: text(), at: number() })
    default:
      throw new TypeError(`an event of no kind that this version knows: ${kind}`)
  }
}

function readAppended(words: WordReader, ends: boolean): Appended {
  const [log, incarnation, tail, first] = [words.text(), words.number(), words.number(), words.number()]
  const encoded: Buffer[] = []
  for (const list = words.words(); !list.done; ) encoded.push(list.bytes())
  const entries = (): LogEntry[] => encoded.map((value, i) => decodeEntry(value, first + i))
  return { type: 'appended', log, incarnation, tail, first, entries, count: encoded.length, ends, own: false }
}
