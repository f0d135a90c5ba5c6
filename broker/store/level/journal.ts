/**
 * The journal: one value for each commit whose entries are not all in chunks yet, numbered without gaps, and replayed
 * at the start.
 */
import { StoreError } from '../changes.js'
import { type CommittedLog, decodeCommit } from './commit-codec.js'
import type { Database } from './database.js'
import { keys, numberOf, ranges } from './keys.js'

/** What a commit of the journal added to one log. */
export interface JournaledLog extends CommittedLog {
  /** Number of the commit. */
  readonly commit: number
}

export class Journal {
  readonly #database: Database
  /** Number of the last commit. */
  last = 0
  /** Number of the last commit that is folded. */
  folded = 0
  /** Size of what waits for folding. */
  bytes = 0
  entries = 0

  constructor(database: Database) {
    this.#database = database
  }

  get commits(): number {
    return this.last - this.folded
  }

  get nextKey(): string {
    return keys.journal(this.last + 1)
  }

  /** Counts a written commit. */
  added(bytes: number, entries: number): void {
    this.last++
    this.bytes += bytes
    this.entries += entries
  }

  /** Subtracts what was folded; commits written meanwhile remain counted. */
  foldedTo(commit: number, bytes: number, entries: number): void {
    this.folded = commit
    this.bytes -= bytes
    this.entries -= entries
  }

  /** The unfolded commits, oldest first. Throws if one is damaged or missing: acknowledged messages would be lost. */
  async *replay(): AsyncGenerator<JournaledLog[]> {
    this.folded = this.last = Number((await this.#database.get(keys.folded))?.toString() ?? 0)
    this.bytes = this.entries = 0
    for await (const [key, value] of this.#database.entries(ranges.journal)) {
      const commit = numberOf(key)
      // Left behind when folding was interrupted after its last write.
      if (commit <= this.folded) continue
      if (commit !== this.last + 1) throw new StoreError(`the journal is damaged: commit ${this.last + 1} is missing`)
      const logs = decodeCommit(value)
      if (!logs) throw new StoreError(`the journal is damaged: the checksum of commit ${commit} does not match`)
      this.added(
        value.length,
        logs.flatMap(({ runs }) => runs).reduce((sum, { count }) => sum + count, 0),
      )
      yield logs.map((log) => ({ ...log, commit }))
    }
  }
}
