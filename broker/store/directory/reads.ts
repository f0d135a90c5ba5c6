/** What a transaction reads, as guards of what it writes. */
import {
  type Guard,
  guardOf,
  guardOfAllNotes,
  guardOfName,
  guardOfNotes,
  guardOfOwner,
  guardOfTopic,
  type RecordLimit,
  type SameRecord,
} from '../guards.js'
import type { LogName } from '../log-name.js'
import type { Owner, Table } from '../tables.js'

export class Reads {
  readonly guards = new Set<Guard>()
  readonly limits: RecordLimit[] = []
  readonly same: SameRecord[] = []
  /** Guards that what is written fails for others. */
  readonly touched = new Set<Guard>()

  clear(): void {
    this.guards.clear()
    this.limits.length = 0
    this.same.length = 0
    this.touched.clear()
  }

  record(table: Table, key: string): void {
    this.guards.add(guardOf(table, key))
  }

  owner(table: Table, owner: Owner): void {
    this.guards.add(guardOfOwner(table, owner))
  }

  name(table: Table, name: string): void {
    this.guards.add(guardOfName(table, name))
  }

  notes(log: LogName, target: number): void {
    this.guards.add(guardOfNotes(log, target))
  }

  allNotes(log: LogName): void {
    this.guards.add(guardOfAllNotes(log))
  }

  readTopic(topic: string): void {
    this.guards.add(guardOfTopic(topic))
  }

  topic(topic: string): void {
    this.readTopic(topic)
    this.touched.add(guardOfTopic(topic))
  }
}
