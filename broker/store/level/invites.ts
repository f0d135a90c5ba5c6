/** Invites in memory, with the number made by each user. */
import { KeyCounts } from '../../util/key-counts.js'
import type { InviteRecord } from '../rooms.js'
import { NestedMap } from './nested-map.js'

export class Invites {
  /** By room and user. */
  readonly #records = new NestedMap<InviteRecord>()
  readonly #by = new KeyCounts()

  get(room: string, user: string): InviteRecord | undefined {
    return this.#records.get(room, user)
  }

  of(room: string): ReadonlyMap<string, InviteRecord> {
    return this.#records.of(room)
  }

  countBy(name: string): number {
    return this.#by.get(name)
  }

  set(record: InviteRecord): void {
    const { room, user, by } = record
    this.delete(room, user)
    this.#records.set(room, user, record)
    this.#by.add(by)
  }

  delete(room: string, user: string): void {
    const record = this.#records.get(room, user)
    if (!record) return
    this.#records.delete(room, user)
    this.#by.remove(record.by)
  }

  deleteAll(room: string): void {
    for (const user of [...this.of(room).keys()]) this.delete(room, user)
  }
}
