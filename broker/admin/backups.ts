/**
 * Backups: copies of the data directory made while the broker runs, one at a time, each into its own directory on which
 * a broker can be started. They contain neither the configuration file nor the search index, which is rebuilt.
 */
import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { type ErrorBody, Refusal } from '../../schemas/errors.js'
import { StoreError } from '../store/changes.js'
import type { Store } from '../store/store.js'
import { freeBytes } from '../util/free-bytes.js'
import { makeDirectory } from '../util/make-directory.js'
import type { AdminCommands } from './control-socket.js'

/** Free space required beyond the size of the store. */
const SPARE_BYTES = 64 * 1024 * 1024

export interface BackupDeps {
  readonly store: Pick<Store, 'copyTo' | 'supports'>
  readonly dataDir: string
  /** Path of the store below a data directory. */
  readonly locate: (dataDir: string) => string
  readonly failed: (error: unknown) => void
}

export interface BackupStatus {
  readonly directory: string
  /** Bytes copied so far. */
  readonly bytes: number
  readonly done: boolean
  readonly error?: ErrorBody
}

export class Backups {
  readonly #deps: BackupDeps
  readonly #ending = new AbortController()
  #status: BackupStatus | null = null
  #running: Promise<void> | null = null

  constructor(deps: BackupDeps) {
    this.#deps = deps
  }

  /** Resolves when the copy has begun. */
  async start(directory: string): Promise<BackupStatus> {
    if (!this.#deps.store.supports.copies)
      throw new Refusal('not_implemented', 'this store cannot copy itself; make backups of the database that keeps it')
    if (this.#status && !this.#status.done)
      throw new Refusal('conflict', `a backup to ${this.#status.directory} is under way`)
    const target = resolve(directory)
    this.#status = { directory: target, bytes: 0, done: false }
    const prepared = this.#prepare(target)
    this.#running = prepared.then(
      () => this.#run(target),
      () => {
        this.#status = null
      },
    )
    await prepared
    return this.#status
  }

  /** Status of the last backup. */
  get status(): BackupStatus {
    if (!this.#status) throw new Refusal('not_found', 'no backup was made since the start')
    return this.#status
  }

  /** Aborts a running backup. */
  async close(): Promise<void> {
    this.#ending.abort(new Refusal('unavailable', 'the broker was stopped before the backup was done'))
    await this.#running
  }

  async #prepare(target: string): Promise<void> {
    const { dataDir, locate } = this.#deps
    try {
      if (within(await canonical(dataDir), await canonical(target)))
        throw new Refusal('bad_request', `${target} is in the data directory`, { field: 'directory' })
      makeDirectory(target)
      if ((await readdir(target)).length > 0)
        throw new Refusal('conflict', `${target} is not empty`, { field: 'directory' })
      const needed = (await sizeOf(locate(dataDir))) + SPARE_BYTES
      const free = await freeBytes(target)
      if (free < needed) throw new Refusal('unavailable', `${target} has ${free} bytes left, and ${needed} are needed`)
    } catch (cause) {
      if (cause instanceof Refusal) throw cause
      throw new Refusal('bad_request', `cannot write to ${target}: ${(cause as Error).message}`, {
        field: 'directory',
        cause,
      })
    }
  }

  async #run(target: string): Promise<void> {
    const { store, dataDir, locate, failed } = this.#deps
    const heard = (bytes: number): void => {
      this.#status = { ...this.#status!, bytes: this.#status!.bytes + bytes }
    }
    try {
      await mkdir(locate(target), { mode: 0o700 })
      await copySecret(dataDir, target)
      await store.copyTo(locate(target), heard, this.#ending.signal)
      this.#status = { ...this.#status!, done: true }
    } catch (error) {
      if (!(error instanceof Refusal)) failed(error)
      await clear(target).catch(failed)
      this.#status = { ...this.#status!, done: true, error: refusalOf(error).body() }
    }
  }
}

/** Resolves symbolic links; of a path that does not exist yet, those of its existing part. */
async function canonical(path: string): Promise<string> {
  const parent = dirname(path)
  return realpath(path).catch(async () => (parent === path ? path : join(await canonical(parent), basename(path))))
}

function within(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}${sep}`)
}

async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true })
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  return new Refusal('unavailable', error instanceof StoreError ? error.message : 'the backup failed')
}

/** The commands of `topictalk backup`. */
export function backupCommands(backups: Backups): AdminCommands {
  return {
    'backup.start': (params) => {
      const { directory } = (params ?? {}) as { directory?: unknown }
      if (typeof directory === 'string' && directory !== '') return backups.start(directory)
      throw new Refusal('bad_request', 'directory: expected a path', { field: 'directory' })
    },
    'backup.status': async () => backups.status,
  }
}

async function copySecret(dataDir: string, target: string): Promise<void> {
  try {
    await copyFile(join(dataDir, 'secret'), join(target, 'secret'), constants.COPYFILE_EXCL)
  } catch (error) {
    // The secret is in the configuration.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) {
    try {
      bytes += (await stat(join(directory, name))).size
    } catch {
      // LevelDB has deleted the file meanwhile.
    }
  }
  return bytes
}
