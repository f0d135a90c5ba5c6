/** Users: read on demand, the last used ones cached. */
import { del, type Op, put, wipe } from '../op.js'
import { keyOf, type TableChange, type Tables } from '../tables.js'
import type { UserRecord } from '../users.js'
import { parse, type Value } from './memory-table.js'
import { readAll, readRecord } from './on-demand.js'

const CACHED_USERS = 10_000

export class Users {
  readonly #tables: Tables
  /** By id, the last used last; null: there is no such user. */
  readonly #cache = new Map<string, UserRecord | null>()
  /** Number of changes: a read overtaken by a change is not cached. */
  #changes = 0

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get(id: string): UserRecord | null | Promise<UserRecord | null> {
    const cached = this.#cache.get(id)
    if (cached === undefined) return this.#read(id)
    this.#cache.delete(id)
    this.#cache.set(id, cached)
    return cached
  }

  /** False also where it is not known. */
  isKnownMissing(id: string): boolean {
    return this.#cache.get(id) === null
  }

  async like(id: string): Promise<UserRecord | null> {
    const found = await this.#tables.get('userName', keyOf(id.toLowerCase()))
    return found ? this.get(found.toString()) : null
  }

  async idsLike(prefix: string, after: string, limit: number): Promise<string[]> {
    const range = { prefix: keyOf(prefix.toLowerCase()), after: keyOf(after.toLowerCase()), limit }
    return (await this.#tables.list('userName', range)).map(([, value]) => value.toString())
  }

  all(): AsyncIterable<UserRecord> {
    return readAll(this.#tables, 'user')
  }

  putOps(record: UserRecord): Op[] {
    const { id } = record
    return [put('user', keyOf(id), JSON.stringify(record)), put('userName', keyOf(id.toLowerCase()), id)]
  }

  deleteOps(id: string): Op[] {
    return [wipe('user', keyOf(id)), del('userName', keyOf(id.toLowerCase()))]
  }

  /** Anything may have changed. */
  forget(): void {
    this.#changes++
    this.#cache.clear()
  }

  apply(changes: readonly TableChange[]): void {
    for (const change of changes) {
      if (change.table !== 'user' || !('key' in change)) continue
      this.#changes++
      this.#keep(change.key, asRecord(change.value))
    }
  }

  async #read(id: string): Promise<UserRecord | null> {
    const changes = this.#changes
    const record = await readRecord<UserRecord>(this.#tables, 'user', keyOf(id))
    if (changes === this.#changes) this.#keep(id, record)
    return record
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

function asRecord(value: Value | null): UserRecord | null {
  return value === null ? null : parse(value)
}
