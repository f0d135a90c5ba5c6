/** Records of rooms under a name of their own, read once and kept in memory; memory changes after the disk did. */
import type { Op, RoomRecords } from '../store.js'
import type { Database } from './database.js'
import { keys, type RoomRecordKind, ranges } from './keys.js'
import { del, put, type WriteBatch } from './operation.js'
import { PairMap } from './pair-map.js'

export class LevelRoomRecords<T extends { room: string }> implements RoomRecords<T> {
  readonly #database: Database
  readonly #kind: RoomRecordKind
  readonly #nameOf: (record: T) => string
  #records = new PairMap<T>()

  constructor(database: Database, kind: RoomRecordKind, nameOf: (record: T) => string) {
    this.#database = database
    this.#kind = kind
    this.#nameOf = nameOf
  }

  /** Reads everything; what it returns makes that what memory says. */
  async load(): Promise<() => void> {
    const records = new PairMap<T>()
    await this.#database.scan(ranges.allOfRooms(this.#kind), (key, value) => {
      const [room, name] = keys.roomRecordOf(key) as [string, string]
      records.set(room, name, JSON.parse(value.toString()))
    })
    return () => {
      this.#records = records
    }
  }

  get(room: string, name: string): T | undefined {
    return this.#records.get(room, name)
  }

  of(room: string): ReadonlyMap<string, T> {
    return this.#records.of(room)
  }

  putOp(record: T): Op {
    const kept = { ...record }
    const { room } = record
    const name = this.#nameOf(record)
    return put(this.#key(room, name), JSON.stringify(kept), () => this.#records.set(room, name, kept))
  }

  deleteOp(room: string, name: string): Op {
    return del(this.#key(room, name), () => this.#records.delete(room, name))
  }

  /** Stages the removal of all of a room, with what the very commit adds, which is not in memory yet. */
  stageDeleteAll(room: string, batch: WriteBatch): void {
    for (const name of this.#records.of(room).keys()) batch.del(this.#key(room, name))
    batch.delPuts(ranges.ofRoom(this.#kind, room))
  }

  forgetAll(room: string): void {
    this.#records.deleteAll(room)
  }

  #key(room: string, name: string): string {
    return keys.ofRoom(this.#kind, room, name)
  }
}
