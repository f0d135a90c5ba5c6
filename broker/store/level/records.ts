/** Records keyed by owner and name, loaded at the start and kept in memory, which is updated after the disk. */

import type { Op } from '../op.js'
import type { OwnedRecords } from '../owned-records.js'
import type { Database } from './database.js'
import { keys, type RoomRecordKind, ranges } from './keys.js'
import { NestedMap } from './nested-map.js'
import { del, put, type WriteBatch, wipe } from './operation.js'

export interface RecordNames<T> {
  readonly ownerOf: (record: T) => string
  readonly nameOf: (record: T) => string
}

export class LevelRecords<T extends object> implements OwnedRecords<T> {
  readonly #database: Database
  readonly #kind: RoomRecordKind
  readonly #names: RecordNames<T>
  #records = new NestedMap<T>()
  /** By name and owner. */
  #byName = new NestedMap<T>()

  constructor(database: Database, kind: RoomRecordKind, names: RecordNames<T>) {
    this.#database = database
    this.#kind = kind
    this.#names = names
  }

  /** Reads everything; the function returned replaces what is in memory. */
  async load(): Promise<() => void> {
    const records = new NestedMap<T>()
    const byName = new NestedMap<T>()
    await this.#database.scan(ranges.allOfRooms(this.#kind), (key, value) => {
      const [owner, name] = keys.roomRecordOf(key) as [string, string]
      const record = JSON.parse(value.toString()) as T
      records.set(owner, name, record)
      byName.set(name, owner, record)
    })
    return () => {
      this.#records = records
      this.#byName = byName
    }
  }

  get(owner: string, name: string): T | undefined {
    return this.#records.get(owner, name)
  }

  of(owner: string): ReadonlyMap<string, T> {
    return this.#records.of(owner)
  }

  /** By owner. */
  named(name: string): ReadonlyMap<string, T> {
    return this.#byName.of(name)
  }

  putOp(record: T): Op {
    const kept = { ...record }
    const { ownerOf, nameOf } = this.#names
    const [owner, name] = [ownerOf(record), nameOf(record)]
    return put(this.#key(owner, name), JSON.stringify(kept), () => {
      this.#records.set(owner, name, kept)
      this.#byName.set(name, owner, kept)
    })
  }

  deleteOp(owner: string, name: string): Op {
    return del(this.#key(owner, name), () => {
      this.#records.delete(owner, name)
      this.#byName.delete(name, owner)
    })
  }

  wipeOp(owner: string, name: string): Op {
    return { ...this.deleteOp(owner, name), ...wipe(this.#key(owner, name), Date.now()) }
  }

  /**
   * Stages the deletion of all records of an owner, including those added by this very commit, which are not in memory
   * yet.
   */
  stageDeleteAll(owner: string, batch: WriteBatch): void {
    for (const name of this.#records.of(owner).keys()) batch.del(this.#key(owner, name))
    batch.delPuts(ranges.ofRoom(this.#kind, owner))
  }

  forgetAll(owner: string): void {
    for (const name of this.#records.of(owner).keys()) this.#byName.delete(name, owner)
    this.#records.deleteAll(owner)
  }

  *all(): Iterable<T> {
    yield* this.#records.all()
  }

  #key(owner: string, name: string): string {
    return keys.ofRoom(this.#kind, owner, name)
  }
}
