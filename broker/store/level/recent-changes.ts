/**
 * Which records changed lately, and at which position: what guards are compared with. Only the last changes are known; a guard taken before
 * them counts as failed.
 */
import { type Guard, type Guards, guardOf, guardOfOwner } from '../guards.js'
import type { TableChange } from '../tables.js'

/** Changes kept: guards are some seconds old at most, those of a slow password hash included. */
const MOST = 100_000

/** Behind the guard of an owner: when all records were removed at once, which changes each of them. */
const CLEARED = '\x02'

export class RecentChanges {
  /** Of the last commit that changed a table. */
  position = 0
  readonly #most: number
  /** By guard: the position of the last change. The older generation is forgotten when the younger one is full. */
  #younger = new Map<string, number>()
  #older = new Map<string, number>()
  /** Guards taken before this position are not comparable. */
  #floor = 0
  #youngerFrom = 0

  constructor(most = MOST) {
    this.#most = most
  }

  /** Notes a change of the commit that is being built, whose position will be the next one. */
  note(change: TableChange): void {
    if ('owner' in change) {
      const owner = guardOfOwner(change.table, change.owner)
      this.#set(owner)
      this.#set(owner + CLEARED)
    } else {
      const guard = guardOf(change.table, change.key)
      this.#set(guard)
      const owner = ownerEnd(guard)
      if (owner > 0) this.#set(guard.slice(0, owner))
    }
    if (this.#younger.size < this.#most) return
    this.#older = this.#younger
    this.#younger = new Map()
    this.#floor = this.#youngerFrom
    this.#youngerFrom = this.position + 1
  }

  /** Whether nothing that the guards name has changed since, in commits or in the one that is being built. */
  holds({ at, keys }: Guards): boolean {
    if (at < this.#floor) return false
    return keys.every((key) => {
      if (this.#changed(key) > at) return false
      const owner = ownerEnd(key)
      return owner < 0 || this.#changed(key.slice(0, owner) + CLEARED) <= at
    })
  }

  /** Nothing is known any more: all guards taken so far fail. */
  reset(): void {
    this.#younger.clear()
    this.#older.clear()
    this.#floor = this.#youngerFrom = ++this.position
  }

  #changed(key: Guard): number {
    return this.#younger.get(key) ?? this.#older.get(key) ?? 0
  }

  #set(key: Guard): void {
    this.#younger.set(key, this.position + 1)
  }
}

/** Where the owner of a record ends in its guard; negative: it has none. */
function ownerEnd(guard: Guard): number {
  return guard.indexOf('\0', guard.indexOf('\0') + 1)
}
