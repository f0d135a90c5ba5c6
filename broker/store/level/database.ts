/**
 * The LevelDB below the store: opens it with clear errors, lets reads wait while it is reopened, and records failed
 * writes. A failed write may or may not be on disk, so nothing may be written again before `reopen`.
 */
import { existsSync } from 'node:fs'
import { chmod, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { freeBytes } from '../../util/free-bytes.js'
import { makeDirectory } from '../../util/make-directory.js'
import { StoreError } from '../changes.js'
import { type KeyRange, keys } from './keys.js'
import { type LevelDatabase, type LevelIterator, pagesOf, writeBatch } from './level-database.js'
import type { WriteBatch } from './operation.js'
import { adviceOn, type Formats, type UpgradeOptions, upgrade } from './upgrade.js'
import { damagedLogs } from './write-ahead-log.js'

/** Opens the database: called at the start, and for every reopening after the previous one is closed. */
export type OpenDatabase = () => Promise<LevelDatabase>

/** The format of this version. Steps from formats before it are added here; docs and fixtures: see UPGRADING.md. */
export const FORMATS: Formats = { current: 'topictalk 1', steps: [] }
const WRITE_BUFFER = 16 * 1024 * 1024
const OPTIONS = { valueEncoding: 'buffer', writeBufferSize: WRITE_BUFFER, cacheSize: 32 * 1024 * 1024 }
/** Free space needed to open: for the recovered write buffer, and as much again. */
const SPACE_TO_OPEN = WRITE_BUFFER + 4 * 1024 * 1024
/** Bytes read at once when everything is read. */
const COPY_BYTES = 256 * 1024
const PROBE_BYTES = 262_144
/** Keys read per turn of the event loop: about a millisecond or two; then the reader yields. */
const READS_IN_TURN = 1000

/** A LevelDB in a directory. */
export function diskDatabase(location: string): OpenDatabase {
  return async () => {
    const level = new Level<string, Buffer>(location, OPTIONS)
    await level.open()
    return level
  }
}

/** What opening would do about the format of a store: null if nothing, or if another process has it open. */
export async function formatAdvice(location: string): Promise<string | null> {
  if (!existsSync(join(location, 'CURRENT')) || (await damagedLogs(location)).length > 0) return null
  const level = new Level<string, Buffer>(location, { ...OPTIONS, createIfMissing: false })
  try {
    await level.open()
  } catch {
    return null
  }
  try {
    const found = (await level.get(keys.format))?.toString()
    if (found === undefined || found === FORMATS.current) return null
    return `${location}: ${adviceOn(found, FORMATS)}`
  } finally {
    await level.close()
  }
}

/** A database in memory, for tests. Survives reopening. */
export async function memoryDatabase(): Promise<OpenDatabase> {
  const { MemoryLevel } = await import('memory-level')
  const level = new MemoryLevel<string, Buffer>({ valueEncoding: 'buffer' })
  return async () => {
    await level.open()
    return level as LevelDatabase
  }
}

export interface DatabaseOptions {
  /** Whether unreadable parts of LevelDB's log are discarded; otherwise opening fails. */
  readonly dropDamaged?: boolean
  readonly upgrade?: UpgradeOptions
}

export class Database {
  /** Whether opening discarded damaged writes. */
  lostWrites = false
  readonly #location: string | null
  readonly #openLevel: OpenDatabase
  readonly #upgrade: UpgradeOptions
  #level: LevelDatabase
  #reopening: Promise<void> | null = null
  #suspect = false
  /** Keys read in this turn of the event loop. */
  #readsInTurn = 0

  private constructor(location: string | null, openLevel: OpenDatabase, upgrade: UpgradeOptions, level: LevelDatabase) {
    this.#location = location
    this.#openLevel = openLevel
    this.#upgrade = upgrade
    this.#level = level
  }

  /** Opens it, and upgrades it if it has an older format. */
  static async open(
    location: string | null,
    openLevel: OpenDatabase,
    { dropDamaged = false, upgrade = { formats: FORMATS, notice: null } }: DatabaseOptions = {},
  ): Promise<Database> {
    const damaged = location === null ? false : await prepare(location, dropDamaged)
    const database = new Database(location, openLevel, upgrade, await openAt(location, openLevel))
    database.lostWrites = damaged
    try {
      await database.#checkFormat()
    } catch (error) {
      await database.close()
      throw error
    }
    return database
  }

  /** One that is only looked into: whatever its format is. */
  static async peek(location: string): Promise<Pick<Database, 'get' | 'close'>> {
    const openLevel = diskDatabase(location)
    const upgrade = { formats: FORMATS, notice: null }
    return new Database(location, openLevel, upgrade, await openAt(location, openLevel))
  }

  /** The format of this store. */
  get format(): string {
    return this.#upgrade.formats.current
  }

  /** True from a failed write until the next successful `reopen`. */
  get suspect(): boolean {
    return this.#suspect
  }

  /** Marks the database as suspect, for writers whose memory is ahead of the disk. */
  distrust(): void {
    this.#suspect = true
  }

  /**
   * Reads one key synchronously: a microsecond for a small or missing value, where a read in another thread costs this
   * one fifteen. For values of a page or more, and for many at once, `getMany` reads in another thread.
   */
  async get(key: string): Promise<Buffer | undefined> {
    if (this.#readsInTurn === 0) setImmediate(() => (this.#readsInTurn = 0))
    if (++this.#readsInTurn > READS_IN_TURN) await new Promise((resolve) => setImmediate(resolve))
    return this.#read((level) => level.getSync(key))
  }

  /** Reads synchronously, between commits. */
  getSync(key: string): Buffer | undefined {
    return this.#level.getSync(key)
  }

  async getMany(wanted: string[]): Promise<(Buffer | undefined)[]> {
    return this.#read((level) => level.getMany(wanted))
  }

  /** The last entry of a range, with one seek. */
  async last(range: KeyRange): Promise<[string, Buffer] | undefined> {
    return (await this.some(range, 1, true))[0]
  }

  /** The first entries of a range; `reverse`: the last ones, last first. */
  async some(range: KeyRange, limit: number, reverse = false): Promise<[string, Buffer][]> {
    return this.#read((level) => level.iterator({ ...range, reverse, limit }).all())
  }

  /** The first keys of a range, at most `limit`. */
  async someKeys(range: KeyRange, limit: number): Promise<string[]> {
    return this.#read(async (level) => {
      const iterator = level.keys({ ...range, limit })
      const page = await iterator.nextv(limit)
      // Need not be awaited.
      iterator.close().catch(() => {})
      return page
    })
  }

  /** The entries of a range in pages, from one snapshot. */
  pages(range: KeyRange & { limit?: number; reverse?: boolean }): AsyncGenerator<[string, Buffer][]> {
    return this.#pages((level) => level.iterator(range))
  }

  /** All entries of one snapshot, in pages bounded by bytes. */
  everything(): AsyncGenerator<[string, Buffer][]> {
    return this.#pages((level) => level.iterator({ highWaterMarkBytes: COPY_BYTES } as object))
  }

  async *#pages<T>(open: (level: LevelDatabase) => LevelIterator<T>): AsyncGenerator<T[]> {
    if (this.#reopening) await this.#reopening
    try {
      yield* pagesOf(open(this.#level))
    } catch (cause) {
      throw storeError('reading failed', cause)
    }
  }

  async *entries(range: KeyRange): AsyncGenerator<[string, Buffer]> {
    for await (const page of this.pages(range)) yield* page
  }

  /** Visits all entries of a range without a promise for each; for loading at the start. */
  async scan(range: KeyRange, visit: (key: string, value: Buffer) => void): Promise<void> {
    for await (const page of this.pages(range)) for (const [key, value] of page) visit(key, value)
  }

  /** The keys of a range, in pages. */
  keyPages(range: KeyRange): AsyncGenerator<string[]> {
    return this.#pages((level) => level.keys(range))
  }

  /** Writes atomically. */
  async write(batch: WriteBatch, sync: boolean): Promise<void> {
    await this.#change((level) => writeBatch(level, batch, sync))
  }

  /** Deletes a range, not atomically. */
  async clear(range: KeyRange): Promise<void> {
    await this.#change((level) => level.clear(range))
  }

  /**
   * Compacts a range: deleted and replaced values leave the disk, provided newer writes overlap them, since LevelDB
   * merges the levels in which the range has files. No effect in memory.
   */
  async compact(from: string, to: string): Promise<void> {
    const level = this.#level as LevelDatabase & { compactRange?: (start: string, end: string) => Promise<void> }
    await level.compactRange?.(from, to)
  }

  /** Closes and opens again. If that fails for lack of space, reading goes on with the database as it was. */
  async reopen(): Promise<void> {
    await this.#probeSpace()
    this.#reopening = (async () => {
      await this.#level.close()
      this.#level = await openAt(this.#location, this.#openLevel)
      await this.#checkFormat()
    })()
    try {
      await this.#reopening
    } finally {
      this.#reopening = null
    }
    this.#suspect = false
  }

  async close(): Promise<void> {
    await this.#level.close()
  }

  async #read<T>(read: (level: LevelDatabase) => T | Promise<T>): Promise<T> {
    if (this.#reopening) await this.#reopening
    try {
      return await read(this.#level)
    } catch (cause) {
      throw storeError('reading failed', cause)
    }
  }

  async #change(change: (level: LevelDatabase) => Promise<void>): Promise<void> {
    if (this.#suspect) throw new StoreError('the store has to be reopened after a failed write')
    try {
      await change(this.#level)
    } catch (cause) {
      this.#suspect = true
      throw storeError('writing failed', cause)
    }
  }

  async #checkFormat(): Promise<void> {
    const where = this.#location ?? 'memory'
    const found = (await this.#level.get(keys.format))?.toString()
    if (found === this.format) return
    if (found !== undefined) {
      try {
        return await upgrade(this.#level, where, found, this.#upgrade)
      } catch (cause) {
        throw storeError(`${where}: the upgrade failed, and is continued at the next start`, cause)
      }
    }
    const [foreign] = await this.#level.keys({ limit: 1 }).all()
    if (foreign !== undefined) throw new StoreError(`${where}: not a TopicTalk store`)
    await this.#level.put(keys.format, Buffer.from(this.format), { sync: true } as object)
  }

  /** LevelDB cannot be opened on a full disk: detect that before closing a database that still answers reads. */
  async #probeSpace(): Promise<void> {
    if (this.#location === null) return
    const probe = join(this.#location, 'space.probe')
    try {
      const free = await freeBytes(this.#location)
      if (free < SPACE_TO_OPEN) throw new Error(`no space left on device: ${free} bytes, ${SPACE_TO_OPEN} are needed`)
      // Quotas are not part of what the file system reports, so write a probe.
      await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flush: true } as object)
    } catch (cause) {
      throw storeError('no room to reopen the store', cause)
    } finally {
      await rm(probe, { force: true })
    }
  }
}

/** Creates the directory for its owner only. Returns whether its log is damaged, which throws unless `dropDamaged`. */
async function prepare(location: string, dropDamaged: boolean): Promise<boolean> {
  makeDirectory(location)
  await chmod(location, 0o700)
  const [damage] = await damagedLogs(location)
  if (!damage || dropDamaged) return damage !== undefined
  throw new StoreError(
    `${join(location, damage.file)} is damaged at byte ${damage.offset}: writes that were acknowledged cannot be read. ` +
      'Start on a backup; or, to give up what cannot be read, start once with --set store.level.onDamage=drop',
  )
}

async function openAt(location: string | null, openLevel: OpenDatabase): Promise<LevelDatabase> {
  try {
    return await openLevel()
  } catch (cause) {
    if (codes(cause).includes('LEVEL_LOCKED'))
      throw new StoreError(
        `${location}: the store is already in use by another process; stop that, or set node.dataDir`,
        { cause },
      )
    throw storeError(`${location ?? 'memory'}: cannot open the store`, cause)
  }
}

/** A StoreError with the reason, and whether the disk is full. */
export function storeError(what: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const chain = causes(cause)
  const reason = chain[chain.length - 1]?.message ?? String(cause)
  const full = chain.some((error) => error.code === 'ENOSPC' || /ENOSPC|no space left/i.test(error.message))
  return new StoreError(`${what}: ${reason}`, { cause, full })
}

function causes(error: unknown): NodeJS.ErrnoException[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : []
}

function codes(error: unknown): (string | undefined)[] {
  return causes(error).map(({ code }) => code)
}
