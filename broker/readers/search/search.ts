/** Full-text search: an index beside the store that follows its logs (docs/search.md). */
import { Refusal } from '../../../schemas/errors.js'
import type { TextHit, TextQuery, TextSearch } from '../../chat/history/search.js'
import { logs as logNames } from '../../chat/model/views.js'
import type { LogName } from '../../store/log-name.js'
import type { Store } from '../../store/store.js'
import { isOneLeft } from '../../util/fair-share.js'
import type { IndependentReader } from '../reader.js'
import { IndexThread } from './index-thread.js'
import { Indexer, type IndexerDeps } from './indexer.js'
import { compileQuery } from './query.js'
import type { Hit, Wanted } from './text-index.js'

/** Longest waits of a search in ms: for the index to open after a start, and for the latest messages to be indexed. */
const WAIT_LIMITS = { toOpen: 15_000, toRead: 2000 }
/** Milliseconds that the store's sweep waits for that of the index. */
const SWEEP_WAIT = 10_000
/** Concurrent searches of one user, and of all. */
const MAX_OF_USER = 4
const MAX_OF_ALL = 64

export interface SearchDeps extends Omit<IndexerDeps, 'thread'> {
  readonly store: Store
  /** Path of the index file. */
  readonly path: string
  /** The account that a user's searches count for. */
  readonly accountOf: (user: string) => string
}

export class Search implements TextSearch, IndependentReader {
  readonly name = 'broker/search'
  readonly positions = 'own'
  readonly #thread: IndexThread
  readonly #indexer: Indexer
  readonly #accountOf: (user: string) => string
  readonly #asking = new Map<string, number>()
  #askingAll = 0

  constructor({ path, accountOf, ...deps }: SearchDeps) {
    this.#accountOf = accountOf
    this.#thread = new IndexThread(path)
    this.#indexer = new Indexer({ ...deps, thread: this.#thread })
  }

  start(): Promise<void> {
    return this.#indexer.start()
  }

  takesLog(log: LogName): boolean {
    return this.#indexer.takesLog(log)
  }

  grown(log: LogName): void {
    this.#indexer.grown(log)
  }

  sweep(): Promise<void> {
    return this.#indexer.sweep(SWEEP_WAIT)
  }

  stale(room: string, seq: number): void {
    this.#indexer.stale(logNames.messages(room), seq)
  }

  indexed(room: string, seq: number): boolean {
    return this.#indexer.has(logNames.messages(room), seq)
  }

  async find(query: TextQuery): Promise<{ hits: TextHit[]; pending: number }> {
    const match = compileQuery(query.text)
    const release = this.#enter(this.#accountOf(query.user))
    try {
      return await this.#find(query, match)
    } finally {
      release()
    }
  }

  async close(): Promise<void> {
    await this.#indexer.close()
    await this.#thread.close()
  }

  async #find({ rooms, from, after, before, below, limit }: TextQuery, match: string) {
    const logs = rooms.map(logNames.messages)
    await this.#indexer.settle(logs, WAIT_LIMITS)
    if (!this.#indexer.open) throw unavailable()
    const found = await this.#ask({ logs, match, from, after, before, below, limit })
    const hits = found.map(({ id, log, seq }) => ({ id, seq, room: log.slice(logNames.messages('').length) }))
    return { hits, pending: await this.#indexer.pending(logs) }
  }

  async #ask(wanted: Wanted): Promise<Hit[]> {
    try {
      return await this.#thread.find(wanted)
    } catch (error) {
      this.#indexer.searchFailed(error)
      throw unavailable(error)
    }
  }

  /** Counts a running search; the function returned ends it. */
  #enter(user: string): () => void {
    const mine = this.#asking.get(user) ?? 0
    if (mine >= MAX_OF_USER)
      throw new Refusal('rate_limited', `at most ${MAX_OF_USER} searches at once`, { retryAfter: 1, final: true })
    if (!isOneLeft({ mine, all: this.#askingAll, mostOfOne: MAX_OF_USER, most: MAX_OF_ALL }))
      throw new Refusal('unavailable', 'too many searches are under way', { retryAfter: 1, final: true })
    this.#asking.set(user, mine + 1)
    this.#askingAll++
    return () => {
      this.#askingAll--
      const left = this.#asking.get(user)! - 1
      if (left === 0) this.#asking.delete(user)
      else this.#asking.set(user, left)
    }
  }
}

function unavailable(cause?: unknown): Refusal {
  return new Refusal('unavailable', 'the search index is not open yet; try again soon', {
    retryAfter: 5,
    final: true,
    cause,
  })
}
