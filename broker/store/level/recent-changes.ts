/**
 * Which records changed lately, and at which position: what guards are compared with. Only the last changes are known; a guard taken before
 * them counts as failed.
 */
import { type Guard, type Guards, guardOf, guardOfAllNotes, guardOfName, guardOfOwner } from '../guards.js'
import type { LogName } from '../log-name.js'
import { partsOf, type Table, type TableChange, UNGUARDED } from '../tables.js'

/** Guards are seconds old at most, those of a slow password hash included. */
const MOST = 100_000

/** Behind the guard of an owner: all records were removed at once, which changes each of them. */
const CLEARED = '\x02'

export class RecentChanges {
  /** Of the last commit that changed something guarded. */
  position = 0
  /** Whether the commit that is being built changes something guarded. */
  #isAhead = false
  readonly #most: number
  /** By guard: the position of the last change. The older generation is forgotten when the younger one is full. */
  #younger = new Map<Guard, number>()
  #older = new Map<Guard, number>()
  /** Guards taken before this position cannot be compared. */
  #floor = 0
  #youngerFrom = 0

  constructor(most = MOST) {
    this.#most = most
  }

  /** Notes a change of the commit that is being built, whose position will be the next one. */
  note(change: TableChange): void {
    const { table } = change
    if (UNGUARDED.has(table)) return
    if ('owner' in change) {
      const owner = guardOfOwner(table, change.owner)
      this.touch(owner)
      this.touch(owner + CLEARED)
      this.touch(clearedIn(table))
    } else {
      this.touch(guardOf(table, change.key))
      const [owner, name] = partsOf(change.key)
      if (name === undefined) return
      this.touch(guardOfOwner(table, owner!))
      this.touch(guardOfName(table, name))
    }
  }

  /** All notes of a log are removed. */
  noteDropped(log: LogName): void {
    const notes = guardOfAllNotes(log)
    this.touch(notes)
    this.touch(notes + CLEARED)
  }

  /** Notes a change of what a guard names. */
  touch(guard: Guard): void {
    this.#isAhead = true
    this.#younger.set(guard, this.position + 1)
    if (this.#younger.size < this.#most) return
    this.#older = this.#younger
    this.#younger = new Map()
    this.#floor = this.#youngerFrom
    this.#youngerFrom = this.position + 1
  }

  /** The commit that was being built is written. Returns whether it has a position of its own. */
  advance(): boolean {
    if (!this.#isAhead) return false
    this.position++
    this.#isAhead = false
    return true
  }

  /** Whether nothing that the guards name has changed since, in commits or in the one that is being built. */
  holds({ at, keys }: Guards): boolean {
    if (keys.length === 0) return true
    return at >= this.#floor && keys.every((guard) => this.#changed(guard) <= at && this.#cleared(guard) <= at)
  }

  /** Nothing is known any more: all guards taken so far fail. */
  reset(): void {
    this.#isAhead = false
    this.#younger.clear()
    this.#older.clear()
    this.#floor = this.#youngerFrom = ++this.position
  }

  #changed(guard: Guard): number {
    return this.#younger.get(guard) ?? this.#older.get(guard) ?? 0
  }

  /** When all records of an owner were removed that the guard may be about. */
  #cleared(guard: Guard): number {
    const end = guard.indexOf('\0', guard.indexOf('\0') + 1)
    if (end > 0) return this.#changed(guard.slice(0, end) + CLEARED)
    const name = guard.indexOf('\x03')
    return name < 0 ? 0 : this.#changed(clearedIn(guard.slice(0, name) as Table))
  }
}

function clearedIn(table: Table): Guard {
  return `${table}\x03${CLEARED}`
}
