/** The embedded store: a LevelDB in a directory, one writer; listeners are called only after a commit is durable. */

import { type Change, StoreError } from '../changes.js'
import { CommitQueue, drops } from '../commit-queue.js'
import type { QueueLimits } from '../directory/queue-memory.js'
import { Subscriptions } from '../directory/subscriptions.js'
import { TableSlots } from '../directory/table-slots.js'
import { withRecords } from '../directory/with-records.js'
import type { LogName } from '../log-name.js'
import type { StoreFacts } from '../moving/contents.js'
import type { Store, StoreCounts, StorePort, StoreSupport } from '../store.js'
import type { TableChange, TableFollower } from '../tables.js'
import { ChunkCache } from './chunk-cache.js'
import { Committer } from './committer.js'
import { Compaction } from './compaction.js'
import { copyDatabase } from './copy.js'
import { Database, diskDatabase, FORMATS, memoryDatabase, type OpenDatabase, storeError } from './database.js'
import { Dedupe } from './dedupe.js'
import { Disposal } from './disposal.js'
import { DroppedLogs } from './dropped-logs.js'
import { Epoch, outdate } from './epoch.js'
import { FOLD_LIMITS, Folding, type FoldLimits } from './folding.js'
import { Journal, type JournaledLog } from './journal.js'
import { keys } from './keys.js'
import { LevelLogs } from './level-logs.js'
import { LevelNotes } from './notes.js'
import { OpStages } from './op-stages.js'
import { WriteBatch } from './operation.js'
import { LevelOutbox } from './outbox.js'
import { LevelQueue } from './queue.js'
import { LevelTables } from './record-tables.js'
import { Retained } from './retained.js'
import type { Formats, UpgradeNotice } from './upgrade.js'

const CACHE_BYTES = 64 * 1024 * 1024
const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 5000

export interface LevelStoreOptions {
  /** Directory; null keeps everything in memory, for tests. */
  readonly location: string | null
  /** Whether commits are fsynced; if not, a crash of the machine loses the last seconds. */
  readonly sync: boolean
  /** Days for which a client-chosen id is remembered. */
  readonly dedupeDays?: number
  readonly limits: QueueLimits
  /** Memory for log entries, in chunks and not in chunks yet. */
  readonly cacheBytes?: number
  /** Open a store whose log is damaged, without the unreadable parts. */
  readonly dropDamaged?: boolean
  /** Called while a store of an older format is upgraded; without it, such a store is refused. */
  readonly onUpgrade?: (notice: UpgradeNotice) => void
  /** Replaces the formats that are known, in tests. */
  readonly formats?: Formats
  /** Called for failures that have no other receiver: a failed write, a failed fold, a listener that throws. */
  readonly onFault?: (error: unknown) => void
  /** Replaces LevelDB in fault tests. */
  readonly openDatabase?: OpenDatabase
  readonly fold?: Partial<FoldLimits>
  /** Unix ms. */
  readonly now?: () => number
}

export async function openLevelStore(options: LevelStoreOptions): Promise<Store> {
  const { location } = options
  const openDatabase = options.openDatabase ?? (location === null ? await memoryDatabase() : diskDatabase(location))
  const { dropDamaged = false, formats = FORMATS, onUpgrade: notice = null } = options
  const database = await Database.open(location, openDatabase, { dropDamaged, upgrade: { formats, notice } })
  const store = new LevelStore(database, options)
  try {
    await store.load()
    await store.begin()
    return await withRecords(store, options.now)
  } catch (error) {
    await database.close()
    throw new StoreError(`${location ?? 'memory'}: ${(error as Error).message}`, { cause: error })
  }
}

/** Folding begins at half of the journal's share of memory; at the full share commits wait for it. */
function foldLimits(cacheBytes: number, given: Partial<FoldLimits> = {}): FoldLimits {
  return { ...FOLD_LIMITS, bytes: Math.min(FOLD_LIMITS.bytes, cacheBytes / 4), ...given }
}

export class LevelStore implements StorePort {
  /** Nobody else writes to the store. */
  readonly fresh = true
  readonly counts: StoreCounts = {
    ...{ commits: 0, appended: 0, writes: 0, duplicates: 0, catchUps: 0, failures: 0 },
  }
  readonly supports: StoreSupport
  readonly about = 'embedded'
  readonly log: LevelLogs
  readonly notes: LevelNotes
  readonly subscriptions: Subscriptions
  readonly queue: LevelQueue
  readonly outbox: LevelOutbox
  readonly tables: LevelTables

  readonly #database: Database
  readonly #epoch: Epoch
  readonly #journal: Journal
  readonly #dedupe: Dedupe
  readonly #retained: Retained
  readonly #folding: Folding
  readonly #disposal: Disposal
  readonly #dropped: DroppedLogs
  readonly #committer: Committer
  readonly #commits = new CommitQueue((group) => this.#write(group))
  readonly #followers: TableFollower[] = []
  readonly #onFault: (error: unknown) => void
  readonly #now: () => number
  /** The last task of the chain of folds, trims and reopenings. */
  #upkeep: Promise<unknown> = Promise.resolve()
  #retry = { wait: FIRST_RETRY_MS, at: 0, error: new StoreError('the store is not open') }

  constructor(database: Database, options: LevelStoreOptions) {
    this.#database = database
    this.supports = { copies: options.location !== null }
    this.#epoch = new Epoch(database, options.location, (error) => this.#onFault(error))
    this.#onFault = options.onFault ?? (() => undefined)
    this.#now = options.now ?? Date.now
    const cacheBytes = options.cacheBytes ?? CACHE_BYTES
    const cache = new ChunkCache(cacheBytes / 2)
    const alone = <T>(task: () => Promise<T>): Promise<T> => this.#alone(task)
    const written = (batch: WriteBatch): void => void (this.counts.writes += batch.size)
    const exclusive = <T>(task: () => Promise<T>): Promise<T> => this.#commits.exclusive(task)
    const journal = (this.#journal = new Journal(database))
    const dedupe = (this.#dedupe = new Dedupe(database, options.dedupeDays ?? 7, this.#now))
    const isDropped = (log: LogName): boolean => this.#dropped.has(log)
    const notes = (this.notes = new LevelNotes(database, isDropped))
    const logs: LevelLogs = new LevelLogs(database, cache, {
      alone,
      written,
      isDropped,
      sweep: async () => {
        await this.#dropped.finish()
        await this.#disposal.sweep()
        await this.#epoch.record(this.#journal.last)
      },
      forgetNotes: (log, upTo) => notes.forget(log, 0, upTo),
      now: this.#now,
      onFault: this.#onFault,
    })
    this.log = logs
    this.tables = new LevelTables(database)
    const slots = new TableSlots()
    const subscriptions = (this.subscriptions = new Subscriptions(slots))
    this.#followers.push(slots)
    const retained = (this.#retained = new Retained(database))
    const queue = (this.queue = new LevelQueue(database, subscriptions, retained, options.limits))
    const outbox = (this.outbox = new LevelOutbox(database, logs))
    const shared = {
      database,
      journal,
      logs,
      dedupe,
      notes,
      outbox,
      counts: this.counts,
      onFault: this.#onFault,
      now: this.#now,
    }
    this.#disposal = new Disposal({
      ...shared,
      cache,
      retained,
      alone,
      exclusive,
      compaction: new Compaction({ ...shared, alone, exclusive }),
    })
    const erase = (): Promise<void> => this.#disposal.erase()
    this.#folding = new Folding({ ...shared, cache, alone, erase, limits: foldLimits(cacheBytes, options.fold) })
    const dropped = (this.#dropped = new DroppedLogs({ ...shared, alone, fold: () => this.#folding.fold() }))
    const onChanges = (position: number, changes: readonly TableChange[]): void => {
      for (const change of changes) outbox.apply(change)
      for (const follower of this.#followers) follower.apply(position, changes)
    }
    const ops = new OpStages({ queue, retained, subscriptions, outbox })
    this.#committer = new Committer({ ...shared, dropped, retained, ops, sync: options.sync, onChanges })
  }

  /** Loads memory from disk. Reads everything first, so that nobody sees a partial state. */
  async load(): Promise<void> {
    const journal = await this.#replay()
    const applies = [
      await this.log.reload(journal),
      await this.queue.load(),
      await this.#retained.load(),
      await this.outbox.load(),
    ]
    for (const follower of this.#followers) applies.push(await follower.load(this.tables))
    for (const apply of applies) apply()
    this.#committer.reset()
    for (const follower of this.#followers) follower.apply(this.#committer.position, [])
    this.#resume(journal)
  }

  /** In place of `load` where nothing is to be committed: what of the store is not in its database yet. */
  async loadJournal(): Promise<void> {
    const journal = await this.#replay()
    const applies = [await this.log.reload(journal), await this.outbox.load()]
    for (const apply of applies) apply()
    this.#resume(journal)
  }

  async #replay(): Promise<JournaledLog[]> {
    await this.#dedupe.load()
    const journaled: JournaledLog[] = []
    for await (const logs of this.#journal.replay()) journaled.push(...logs)
    await this.#dropped.load()
    return journaled.filter(({ log }) => !this.#dropped.has(log))
  }

  #resume(journal: readonly JournaledLog[]): void {
    for (const { log, dedupe } of journal)
      for (const { from, cid, record } of dedupe) this.#dedupe.remember(keys.dedupeName(log, from, cid), record)
    this.#folding.notice()
    this.#dropped.start()
  }

  /** Called once, after loading. */
  begin(): Promise<void> {
    return this.#epoch.open(this.#journal.last, this.#database.lostWrites)
  }

  onFresh(): void {}

  get epoch(): string {
    return this.#epoch.id
  }

  get hindrance(): string | null {
    return this.healthy ? null : 'the store cannot be written'
  }

  get healthy(): boolean {
    return !this.#database.suspect
  }

  get position(): number {
    return this.#committer.position
  }

  get lastCommit(): number {
    return this.#journal.last
  }

  /** The database is locked: nobody else writes to it. */
  catchUp(): null {
    return null
  }

  get pendingSince(): number | null {
    return this.#commits.since
  }

  commit(change: Change): void {
    this.#commits.add(change)
  }

  follow(follower: TableFollower): Promise<void> {
    return this.#commits.exclusive(async () => {
      const apply = await follower.load(this.tables)
      apply()
      follower.apply(this.#committer.position, [])
      this.#followers.push(follower)
    })
  }

  async copyTo(location: string, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    if (!this.supports.copies) throw new StoreError('a store in memory cannot be copied')
    try {
      await copyDatabase(this.#database, location, onProgress, signal)
      await outdate(location, this.epoch)
    } catch (cause) {
      throw signal.aborted ? cause : storeError('the store cannot be copied', cause)
    }
  }

  /** Folds everything, and finishes what was begun: then all that counts can be read from the database, until the next commit. */
  async settle(): Promise<Pick<StoreFacts, 'epoch' | 'commits'>> {
    await this.#dropped.finish()
    await this.#folding.fold()
    return { epoch: this.epoch, commits: this.#journal.last }
  }

  async close(): Promise<void> {
    await this.#commits.close()
    await this.#dropped.close()
    await this.#folding.close()
    await this.#alone(async () => {
      const batch = new WriteBatch()
      this.#dedupe.saveFilter(batch)
      try {
        if (batch.size > 0 && !this.#database.suspect) await this.#database.write(batch, false)
      } finally {
        await this.#database.close()
      }
      await this.#epoch.record(this.#journal.last)
    })
  }

  async #write(group: readonly Change[]): Promise<void> {
    let staged = false
    try {
      if (this.#database.suspect) await this.#recover()
      await this.#folding.relief()
      await this.#committer.prepare(group)
      staged = true
      const write = (): Promise<void> => this.#committer.write(group)
      // A fold under way would write chunks and the head of a log that is dropped.
      await (drops(group.at(-1)!) ? this.#alone(write) : write())
      this.#folding.notice()
    } catch (cause) {
      const error = storeError('the commit failed', cause)
      this.counts.failures++
      // A failed reopening has been reported already.
      if (error !== this.#retry.error) this.#onFault(error)
      this.#committer.fail(group, error)
      if (staged) await this.#recover().catch(() => undefined)
    }
  }

  /** Closes, opens and reloads: what is on disk decides about the failed write. */
  async #recover(): Promise<void> {
    if (this.#now() < this.#retry.at) throw this.#retry.error
    try {
      await this.#alone(async () => {
        await this.#database.reopen()
        await this.load().catch((error) => {
          this.#database.distrust()
          throw error
        })
      })
      this.#retry = { ...this.#retry, wait: FIRST_RETRY_MS, at: 0 }
    } catch (cause) {
      const { wait } = this.#retry
      const error = storeError('the store cannot be reopened', cause)
      this.#retry = { wait: Math.min(2 * wait, LONGEST_RETRY_MS), at: this.#now() + wait, error }
      this.#onFault(error)
      throw error
    }
  }

  #alone<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#upkeep.then(task)
    this.#upkeep = run.catch(() => undefined)
    return run
  }
}
