/** Accounts: read on demand and cached. Names that differ only by case are found through an index. */
import type { UserRecord } from '../users.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import type { StagedOp } from './operation.js'

const CACHED_USERS = 10_000

export class UserDirectory {
  readonly #database: Database
  /** Null: known not to exist. In order of use. */
  readonly #cache = new Map<string, UserRecord | null>()
  /** Number of changes: a read overtaken by a change is not cached. */
  #changes = 0

  constructor(database: Database) {
    this.#database = database
  }

  forget(): void {
    this.#changes++
    this.#cache.clear()
  }

  get(id: string): UserRecord | null | Promise<UserRecord | null> {
    const cached = this.#cache.get(id)
    if (cached === undefined) return this.#read(id)
    this.#cache.delete(id)
    this.#cache.set(id, cached)
    return cached
  }

  async like(id: string): Promise<UserRecord | null> {
    const found = await this.#database.get(keys.userName(id.toLowerCase()))
    return found ? this.get(found.toString()) : null
  }

  async idsLike(prefix: string, after: string, limit: number): Promise<string[]> {
    const found: string[] = []
    const range = ranges.userNames(prefix.toLowerCase(), after.toLowerCase())
    for await (const [, value] of this.#database.entries(range)) if (found.push(value.toString()) >= limit) break
    return found
  }

  async *all(): AsyncGenerator<UserRecord> {
    for await (const [, value] of this.#database.entries(ranges.users)) yield JSON.parse(value.toString())
  }

  putOp(record: UserRecord): StagedOp {
    const kept = structuredClone(record)
    return {
      type: 'staged',
      stage: (batch) => {
        batch.put(keys.user(record.id), JSON.stringify(kept))
        batch.put(keys.userName(record.id.toLowerCase()), record.id)
      },
      applied: () => this.#changed(record.id, kept),
    }
  }

  deleteOp(id: string): StagedOp {
    return {
      type: 'staged',
      stage: (batch) => {
        batch.del(keys.user(id))
        batch.del(keys.userName(id.toLowerCase()))
      },
      applied: () => this.#changed(id, null),
    }
  }

  async #read(id: string): Promise<UserRecord | null> {
    const changes = this.#changes
    const value = await this.#database.get(keys.user(id))
    const record = value ? (JSON.parse(value.toString()) as UserRecord) : null
    if (changes === this.#changes) this.#keep(id, record)
    return record
  }

  #changed(id: string, record: UserRecord | null): void {
    this.#changes++
    this.#keep(id, record)
  }

  #keep(id: string, record: UserRecord | null): void {
    this.#cache.delete(id)
    this.#cache.set(id, record)
    if (this.#cache.size <= CACHED_USERS) return
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest)
      return
    }
  }
}
