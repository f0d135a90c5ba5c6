/** Of the records with a time to live, those that are held in memory: counts of attempts, by kind. */
import { COUNT_KINDS, type Expiring } from '../expiring.js'
import { keyPart, type Owner } from '../tables.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'

/** Most records of a kind, since strangers cause them; those that have not changed for longest are forgotten. */
const MOST = 20_000

export class CountTable implements MemoryTable {
  /** By kind, then by key: the last changed last, and those not changed since the start first, in the order of their keys. */
  readonly #byKind = new Map<string, Map<string, Expiring>>(COUNT_KINDS.map((kind) => [kind, new Map()]))

  get(kind: string, key: string): Expiring | undefined {
    return this.#byKind.get(kind)!.get(key)
  }

  /** The keys of records that have to make place for one of their kind. */
  forgotten(kind: string, key: string): string[] {
    const records = this.#byKind.get(kind)!
    const others = records.has(key) ? records.size - 1 : records.size
    const forgotten: string[] = []
    for (const oldest of records.keys()) {
      if (others - forgotten.length < MOST) break
      if (oldest !== key) forgotten.push(oldest)
    }
    return forgotten
  }

  apply(key: string, value: Value | null): void {
    const records = this.#byKind.get(kindOf(key))
    records?.delete(key)
    if (value !== null) records?.set(key, parse(value))
  }

  clear(owner: Owner): void {
    const prefix = `${keyPart(owner)}\0`
    for (const records of this.#byKind.values())
      for (const key of records.keys()) if (key.startsWith(prefix)) records.delete(key)
  }
}

/** The second part of a key; no kind needs escapes. */
function kindOf(key: string): string {
  return key.split('\0', 2)[1]!
}
