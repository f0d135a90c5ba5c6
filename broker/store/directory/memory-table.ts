/** What is held in memory of a table: built by `apply` alone, at the start and ever after. */
import { type Owner, ownerOf, partsOf } from '../tables.js'
import { NestedMap } from './nested-map.js'

export type Value = string | Buffer

export interface MemoryTable {
  /** Null: the record is removed. */
  apply(key: string, value: Value | null): void
  /** Removes the records of an owner. */
  clear(owner: Owner): void
}

/** Records under one part. */
export class SingleTable<T> implements MemoryTable {
  readonly records = new Map<string, T>()
  readonly #read: (value: Value, name: string) => T

  constructor(read: (value: Value, name: string) => T) {
    this.#read = read
  }

  apply(key: string, value: Value | null): void {
    const name = ownerOf(key)
    if (value === null) this.records.delete(name)
    else this.records.set(name, this.#read(value, name))
  }

  clear(owner: Owner): void {
    this.records.delete(owner)
  }
}

/** Records under an owner and a name, found by either. */
export class PairTable<T> implements MemoryTable {
  readonly byOwner = new NestedMap<T>()
  readonly byName = new NestedMap<T>()
  readonly #read: (value: Value, owner: string, name: string) => T

  constructor(read: (value: Value, owner: string, name: string) => T) {
    this.#read = read
  }

  apply(key: string, value: Value | null): void {
    const [owner, name] = partsOf(key) as [string, string]
    this.applyTo(owner, name, value)
  }

  /** `apply`, by the parts of the key. */
  protected applyTo(ownerPart: string, namePart: string, value: Value | null): void {
    if (value === null) return this.#delete(ownerPart, namePart)
    const owner = this.byOwner.held(ownerPart)
    const name = this.byName.held(namePart)
    const record = this.#read(value, owner, name)
    this.byOwner.set(owner, name, record)
    this.byName.set(name, owner, record)
  }

  clear(owner: Owner): void {
    for (const name of this.byOwner.of(owner).keys()) this.byName.delete(name, owner)
    this.byOwner.deleteAll(owner)
  }

  #delete(owner: string, name: string): void {
    this.byOwner.delete(owner, name)
    this.byName.delete(name, owner)
  }
}

/** Reads a record that is stored as JSON. */
export function parse<T>(value: Value): T {
  return JSON.parse(value.toString()) as T
}
