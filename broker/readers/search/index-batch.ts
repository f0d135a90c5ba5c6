/** One bounded batch of index changes, applied in one transaction; built from log entries. */
import type { MessageInput } from '../../../schemas/message.js'
import { FoldedMessages } from '../../chat/history/folded.js'
import type { LogName } from '../../store/log-name.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import type { Changes, Doc, Position } from './text-index.js'

/**
 * Messages per batch when a search waits, and otherwise: passing a batch on takes the main thread some 10 µs per
 * message.
 */
export const LARGE_BATCH = 500
export const SMALL_BATCH = 100
const MAX_BYTES = 1024 * 1024

export class IndexBatch {
  readonly #store: Store
  readonly #maxDocs: number
  readonly #docs = new Map<string, Doc>()
  readonly #positions = new Map<LogName, Position>()
  #bytes = 0

  constructor(store: Store, maxDocs: number) {
    this.#store = store
    this.#maxDocs = maxDocs
  }

  get full(): boolean {
    return this.#docs.size >= this.#maxDocs || this.#bytes >= MAX_BYTES
  }

  get changes(): Changes {
    return { positions: [...this.#positions.values()], docs: [...this.#docs.values()] }
  }

  reached(position: Position): void {
    this.#positions.set(position.name, position)
  }

  /** Adds messages as they were sent (their changes follow in the log), and the targets of changes as they are now. */
  async add(log: LogName, entries: readonly LogEntry[]): Promise<void> {
    const changed = new Map<number, number>()
    for (const entry of entries) {
      const target = targetOf(entry)
      if (target !== null) changed.set(target, sooner(changed.get(target) ?? 0, expiryOf(entry)))
      else if (entry.gone) this.#gone(log, entry.seq)
      else if (!entry.isChange) this.#put(log, entry, entry.payload.toString('utf8'))
    }
    await this.look(log, changed)
  }

  /** Adds messages as they are now. `until`: by number, when an edit of it expires; 0: never. */
  async look(log: LogName, until: ReadonlyMap<number, number>): Promise<void> {
    const present: LogEntry[] = []
    for (const seq of until.keys()) {
      const [entry] = await this.#store.log.read(log, seq - 1, 1, 1, 'shown')
      if (entry?.seq === seq && !entry.gone && !entry.isChange) present.push(entry)
      else this.#gone(log, seq)
    }
    if (present.length === 0) return
    const texts = await new FoldedMessages(this.#store, log, '').render(present)
    for (const [i, entry] of present.entries()) this.#put(log, entry, texts[i]!, until.get(entry.seq))
  }

  #put(log: LogName, entry: LogEntry, payload: string, editUntil = 0): void {
    const { seq, ts, from } = entry
    this.#bytes += payload.length
    this.#set({ log, seq, ts, from, payload, until: sooner(expiryOf(entry), editUntil) })
  }

  #gone(log: LogName, seq: number): void {
    this.#set({ log, seq, ts: 0, from: '', until: 0, payload: null })
  }

  #set(doc: Doc): void {
    this.#docs.set(`${doc.seq} ${doc.log}`, doc)
  }
}

/** The target of a readable edit or deletion. */
function targetOf({ isChange, gone, payload }: LogEntry): number | null {
  if (!isChange || gone) return null
  const { type, target } = JSON.parse(payload.toString('utf8')) as MessageInput
  return type === 'edit' || type === 'delete' ? target! : null
}

function expiryOf({ extra }: LogEntry): number {
  return extra?.expiresAt ?? 0
}

/** The earlier time; 0 is never. */
function sooner(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b)
}
