/** Guards: what a change was decided on, and must not have changed when it is committed. */
import { keyPart, type Owner, type Table } from './tables.js'

/** Names a record, or all records of an owner. */
export type Guard = string

export interface Guards {
  /** Position of the reader's memory when it began to read. */
  readonly at: number
  readonly keys: readonly Guard[]
}

/** A record, whether or not it exists. */
export function guardOf(table: Table, key: string): Guard {
  return `${table}\0${key}`
}

/** All records of an owner: those that are there, and that there are no others. */
export function guardOfOwner(table: Table, owner: Owner): Guard {
  return `${table}\0${keyPart(owner)}`
}
