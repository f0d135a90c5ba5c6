/** How many records owners have, for limits: counted on disk when first asked, then kept current. */
import type { RecordLimit } from '../guards.js'
import { ownerOf, type TableChange } from '../tables.js'
import type { Database } from './database.js'
import { recordKey, recordRange } from './record-keys.js'

/** Owners whose count is kept. */
const MOST = 1000

export class RecordCounts {
  readonly #database: Database
  /** By the beginning of the owner's keys, the last asked last. */
  readonly #counts = new Map<string, number>()
  /** Keys of counted owners that the commit which is being built sets (true) or removes. */
  readonly #staged = new Map<string, boolean>()
  /** Beginnings of the keys that it clears. */
  readonly #cleared = new Set<string>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Counts for the limits of a group of changes; between commits. */
  async prepare(limits: readonly RecordLimit[]): Promise<void> {
    for (const { table, owner } of limits) {
      const { gte, lt } = recordRange(table, owner)
      const known = this.#counts.get(gte)
      let count = known ?? 0
      if (known === undefined) for await (const page of this.#database.keyPages({ gte, lt })) count += page.length
      this.#counts.delete(gte)
      this.#counts.set(gte, count)
    }
    for (const oldest of this.#counts.keys()) {
      if (this.#counts.size <= Math.max(MOST, limits.length)) return
      this.#counts.delete(oldest)
    }
  }

  /** Whether an owner has fewer records than the limit, so that one may be added. */
  hasRoom({ table, owner, most }: RecordLimit): boolean {
    return (this.#counts.get(recordRange(table, owner).gte) ?? 0) < most
  }

  /** Notes a change of the commit that is being built, before it is written. */
  note(change: TableChange): void {
    if (this.#counts.size === 0) return
    const { table } = change
    const prefix = recordRange(table, 'owner' in change ? change.owner : ownerOf(change.key)).gte
    const count = this.#counts.get(prefix)
    if (count === undefined) return
    if ('owner' in change) this.#clear(prefix)
    else this.#set(prefix, count, recordKey(table, change.key), change.value !== null)
  }

  /** The commit is written, or everything is read anew. */
  settle(kept: boolean): void {
    this.#staged.clear()
    this.#cleared.clear()
    if (!kept) this.#counts.clear()
  }

  #set(prefix: string, count: number, key: string, exists: boolean): void {
    const before = this.#staged.get(key) ?? (!this.#cleared.has(prefix) && this.#database.getSync(key) !== undefined)
    this.#staged.set(key, exists)
    if (exists !== before) this.#counts.set(prefix, count + (exists ? 1 : -1))
  }

  #clear(prefix: string): void {
    this.#counts.set(prefix, 0)
    this.#cleared.add(prefix)
    for (const key of this.#staged.keys()) if (key.startsWith(prefix)) this.#staged.set(key, false)
  }
}
