/**
 * The epoch of a store, which clients' sequence numbers belong to. It changes when the store has fewer commits than it
 * once had, because a backup was restored. The number of commits is recorded in a small file beside the store.
 */
import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { StoreError } from '../changes.js'
import type { Database } from './database.js'
import { keys } from './keys.js'
import { WriteBatch } from './operation.js'

const LOST =
  'the log of the store was damaged: what could not be read is gone. What clients remember of numbers is void'
const RESTORED = 'the store has less than it had: a backup, or a loss. What clients remember of numbers is void'

interface EpochRecord {
  epoch: string
  /** Number of the last commit recorded. */
  commits: number
}

/** The file beside a store. */
export function recordFileOf(location: string): string {
  return `${location}.witness`
}

/**
 * Writes the file for a copy of a store such that opening the copy starts a new epoch: clients may know later numbers
 * than it has.
 */
export function outdate(location: string, epoch: string): Promise<void> {
  const witness: EpochRecord = { epoch, commits: Number.MAX_SAFE_INTEGER }
  return writeFile(recordFileOf(location), JSON.stringify(witness), { flush: true } as object)
}

export class Epoch {
  /** Empty before `open`. */
  id = ''
  readonly #database: Database
  readonly #file: string | null

  readonly #notice: (error: StoreError) => void

  /**
   * @param location Of the store; null: in memory, where nothing is restored.
   * @param notice Called if the store has fewer commits than it had.
   */
  constructor(database: Database, location: string | null, notice: (error: StoreError) => void) {
    this.#database = database
    this.#notice = notice
    this.#file = location === null ? null : recordFileOf(location)
  }

  /**
   * @param commits Number of the last commit in the store.
   * @param lost Whether it is known that writes are missing.
   * @throws StoreError if the whole store is gone.
   */
  async open(commits: number, lost = false): Promise<void> {
    const stored = (await this.#database.get(keys.epoch))?.toString()
    const witness = await this.#readRecord()
    if (witness !== null && stored === undefined && !lost)
      throw new StoreError(
        `the store is empty, but had data (${this.#file}). Start on a backup; or, to begin anew, remove that file`,
      )
    const wentBack = witness !== null && (witness.epoch !== stored || witness.commits > commits)
    if (wentBack || lost) this.#notice(new StoreError(lost ? LOST : RESTORED))
    if (stored !== undefined && !wentBack && !lost) this.id = stored
    else await this.#begin()
    await this.record(commits)
  }

  /**
   * Records the number of commits. If that cannot be written the older record stays, which is still valid: a full disk
   * must not stop anything here.
   */
  async record(commits: number): Promise<void> {
    if (this.#file === null) return
    const witness: EpochRecord = { epoch: this.id, commits }
    try {
      await writeFile(`${this.#file}.new`, JSON.stringify(witness))
      await rename(`${this.#file}.new`, this.#file)
    } catch {
      return
    }
  }

  async #begin(): Promise<void> {
    this.id = randomUUID()
    const batch = new WriteBatch()
    batch.put(keys.epoch, this.id)
    await this.#database.write(batch, true)
  }

  /** An unreadable file counts as missing. */
  async #readRecord(): Promise<EpochRecord | null> {
    if (this.#file === null) return null
    try {
      return JSON.parse(await readFile(this.#file, 'utf8')) as EpochRecord
    } catch {
      return null
    }
  }
}
