/** Invites in memory, with the number made by each user. */
import type { InviteRecord } from '../rooms.js'
import { NestedMap } from './nested-map.js'

export class Invites {
  /** By room and user. */
  readonly #records = new NestedMap<InviteRecord>()
  readonly #by = new Map<string, number>()

  get(room: string, user: string): InviteRecord | undefined {
    return this.#records.get(room, user)
  }

  of(room: string): ReadonlyMap<string, InviteRecord> {
    return this.#records.of(room)
  }

  countBy(name: string): number {
    return this.#by.get(name) ?? 0
  }

  set(record: InviteRecord): void {
    const { room, user, by } = record
    this.delete(room, user)
    this.#records.set(room, user, record)
    this.#by.set(by, this.countBy(by) + 1)
  }

  delete(room: string, user: string): void {
    const record = this.#records.get(room, user)
    if (!record) return
    this.#records.delete(room, user)
    const left = this.countBy(record.by) - 1
    if (left > 0) this.#by.set(record.by, left)
    else this.#by.delete(record.by)
  }

  deleteAll(room: string): void {
    for (const user of [...this.of(room).keys()]) this.delete(room, user)
  }
}
