/** The tables: hashes of records, with an index of keys or owners (lua/tables.lua). */
import { keyPart, type RecordRange, SINGLE_KEYS, type StoredRecord, type Table, type Tables } from '../tables.js'
import type { Keys } from './keys.js'
import type { Reader } from './reader.js'

export class RedisTables implements Tables {
  readonly #reader: Reader
  readonly #keys: Keys

  constructor(reader: Reader, keys: Keys) {
    this.#reader = reader
    this.#keys = keys
  }

  get(table: Table, key: string): Promise<Buffer | undefined> {
    const end = key.indexOf('\0')
    if (end < 0) return this.#reader.hashField(this.#keys.records(table, null), key)
    return this.#reader.hashField(this.#keys.records(table, key.slice(0, end)), key.slice(end + 1))
  }

  async list(table: Table, range: RecordRange): Promise<StoredRecord[]> {
    const found: StoredRecord[] = []
    for await (const record of this.entries(table, range)) found.push(record)
    return found
  }

  async *entries(table: Table, range: RecordRange = {}): AsyncGenerator<StoredRecord> {
    const { limit = Number.POSITIVE_INFINITY } = range
    if (limit <= 0) return
    let left = limit
    for await (const page of this.#pages(table, range))
      for (const record of page) {
        yield record
        if (--left <= 0) return
      }
  }

  async scan(table: Table, visit: (key: string, value: Buffer) => void): Promise<void> {
    if (SINGLE_KEYS.has(table)) {
      for await (const page of this.#single(table, {})) for (const [key, value] of page) visit(key, value)
      return
    }
    for await (const owners of this.#reader.sortedPages(this.#keys.index(table), {}))
      for (const records of await Promise.all(owners.map((owner) => this.#ofOwner(table, owner))))
        for (const [key, value] of records) visit(key, value)
  }

  #pages(table: Table, range: RecordRange): AsyncGenerator<StoredRecord[]> {
    if (range.owner !== undefined) return this.#inOwner(table, keyPart(range.owner), range)
    const end = range.prefix?.indexOf('\0') ?? -1
    if (end > 0) return this.#inOwner(table, range.prefix!.slice(0, end), range)
    return SINGLE_KEYS.has(table) ? this.#single(table, range) : this.#owned(table, range)
  }

  async *#inOwner(table: Table, owner: string, range: RecordRange): AsyncGenerator<StoredRecord[]> {
    yield sorted(await this.#ofOwner(table, owner), range)
  }

  async *#single(
    table: Table,
    { prefix = '', after, before, reverse = false }: RecordRange,
  ): AsyncGenerator<StoredRecord[]> {
    const isBehind = after !== undefined && after >= prefix
    const end = prefix === '' ? undefined : behindPrefix(prefix)
    const lt = before !== undefined && (end === undefined || before < end) ? before : end
    const bounds = {
      ...(isBehind ? { gt: after } : prefix === '' ? {} : { gte: prefix }),
      ...(lt === undefined ? {} : { lt }),
    }
    for await (const keys of this.#reader.sortedPages(this.#keys.index(table), { ...bounds, reverse })) {
      const values = await this.#reader.hashFields(this.#keys.records(table, null), keys)
      yield keys.flatMap((key, i) => (values[i] ? [[key, values[i]] as const] : []))
    }
  }

  /** Owners in their order, and the records of each. */
  async *#owned(table: Table, range: RecordRange): AsyncGenerator<StoredRecord[]> {
    const { prefix = '', after, before, reverse = false } = range
    const firstOf = (key: string): string => key.split('\0', 1)[0]!
    const lowest = [prefix, after ?? ''].map(firstOf).sort().at(-1)!
    const bounds = {
      ...(lowest === '' ? {} : { gte: lowest }),
      ...(before === undefined ? {} : { lt: `${firstOf(before)}\0` }),
    }
    for await (const owners of this.#reader.sortedPages(this.#keys.index(table), { ...bounds, reverse }))
      for (const owner of owners) {
        if (!owner.startsWith(prefix)) {
          if (owner > prefix && !reverse) return
          continue
        }
        yield sorted(await this.#ofOwner(table, owner), range)
      }
  }

  /** @param owner As it is in keys */
  async #ofOwner(table: Table, owner: string): Promise<StoredRecord[]> {
    const found = await this.#reader.wholeHash(this.#keys.records(table, owner))
    return found.map(([name, value]) => [`${owner}\0${name}`, value] as const)
  }
}

/** Those in the range, in its order. */
function sorted(
  records: readonly StoredRecord[],
  { prefix, after, before, reverse = false }: RecordRange,
): StoredRecord[] {
  const isIn = ([key]: StoredRecord): boolean =>
    (prefix === undefined || key.startsWith(prefix)) &&
    (after === undefined || key > after) &&
    (before === undefined || key < before)
  const found = records.filter(isIn).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return reverse ? found.reverse() : found
}

/** The first key behind all that begin with it. */
function behindPrefix(prefix: string): string {
  const last = prefix.length - 1
  return prefix.slice(0, last) + String.fromCharCode(prefix.charCodeAt(last) + 1)
}
