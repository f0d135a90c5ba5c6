/** Guards: what a change was decided on, and must still be so when the change is committed. */
import { keyPart, type Owner, type Table } from './tables.js'

/** Names something that was read and can be changed by others. */
export type Guard = string

export interface Guards {
  /** Position of the reader's memory when it began to read. */
  readonly at: number
  /** Have not changed since. */
  readonly keys: readonly Guard[]
  readonly limits?: readonly RecordLimit[]
  readonly retained?: RetainedLimit | null
  /** Hold however long ago they were read, unlike `keys`. */
  readonly same?: readonly SameRecord[]
}

/** The record has exactly this value when the change is committed, by what earlier changes leave of it. */
export interface SameRecord {
  readonly table: Table
  readonly key: string
  /** Null: there is no such record. */
  readonly value: string | null
}

/** The owner has at most so many records once the change is committed. Unlike a guard of all its records, it holds while others come and go. */
export interface RecordLimit {
  readonly table: Table
  readonly owner: Owner
  readonly most: number
}

/** A message on the topic may be retained: what these publishers have retained together stays within the limit, or it replaces one of theirs that is no smaller. */
export interface RetainedLimit {
  readonly owners: readonly string[]
  readonly topic: string
  /** Size of the message. */
  readonly bytes: number
  readonly most: { readonly messages: number; readonly bytes: number }
}

/** A record, whether or not it exists. */
export function guardOf(table: Table, key: string): Guard {
  return `${table}\0${key}`
}

/** All records of an owner: those that are there, and that there are no others. */
export function guardOfOwner(table: Table, owner: Owner): Guard {
  return `${table}\0${keyPart(owner)}`
}

/** All records whose key has this second part. */
export function guardOfName(table: Table, name: string): Guard {
  return `${table}\x03${keyPart(name)}`
}

/** All notes about an entry of a log. */
export function guardOfNotes(log: string, target: number): Guard {
  return `note\0${keyPart(log)}\0${target}`
}

/** All notes about all entries of a log. */
export function guardOfAllNotes(log: string): Guard {
  return `note\0${keyPart(log)}`
}

/** What no single record stands for, such as all rooms that a person made: a change that names it is guarded against others that do. */
export function guardOfTopic(topic: string): Guard {
  return `\x04${topic}`
}
