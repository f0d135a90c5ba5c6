/** Reads from Redis, on a connection of their own: what is large there does not delay commits. */
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreError } from '../changes.js'
import { type Connection, NO_CONNECTION } from './link.js'
import type { Patience } from './patience.js'
import { pairsOf } from './reply-pairs.js'

/** Elements of one page. */
export const PAGE = 512

export interface SortedRange {
  readonly gte?: string
  /** Behind it. Instead of `gte`. */
  readonly gt?: string
  readonly lt?: string
  /** Negative: all. */
  readonly limit: number
  readonly reverse?: boolean
}

/** Ms between two looks for a connection. */
const LOOK_EVERY = 20

export class Reader {
  readonly #connection: () => Connection | null
  readonly #patience: Patience
  #closed = false

  /** @param patience For which a read waits for a connection */
  constructor(connection: () => Connection | null, patience: Patience) {
    this.#connection = connection
    this.#patience = patience
  }

  /** Those who wait for a connection wait no longer. */
  close(): void {
    this.#closed = true
  }

  /** Read again if the connection is lost. @throws StoreError */
  async call(command: string, args: readonly (string | Buffer | number)[]): Promise<unknown> {
    const deadline = this.#patience.deadline()
    for (;;) {
      const connection = this.#connection()
      try {
        if (connection) return await connection.call(command, args)
        throw new StoreError(NO_CONNECTION)
      } catch (error) {
        const isLost = !connection || connection.ended
        if (!isLost || this.#closed) throw error
        if (performance.now() >= deadline) {
          this.#patience.gaveUp()
          throw error
        }
        await sleep(LOOK_EVERY)
      }
    }
  }

  async hashField(key: string, field: string): Promise<Buffer | undefined> {
    return ((await this.call('HGET', [key, field])) as Buffer | null) ?? undefined
  }

  async hashFields(key: string, fields: readonly (string | Buffer)[]): Promise<(Buffer | null)[]> {
    if (fields.length === 0) return []
    const pages: Promise<unknown>[] = []
    for (let i = 0; i < fields.length; i += PAGE) pages.push(this.call('HMGET', [key, ...fields.slice(i, i + PAGE)]))
    return (await Promise.all(pages)).flat() as (Buffer | null)[]
  }

  async wholeHash(key: string): Promise<[field: string, value: Buffer][]> {
    return pairsOf(await this.call('HGETALL', [key]))
  }

  /** As `wholeHash`, where fields are not texts. */
  async bytePairs(key: string): Promise<[field: Buffer, value: Buffer][]> {
    const found = (await this.call('HGETALL', [key])) as Buffer[]
    return found.flatMap((field, i) => (i % 2 === 0 ? [[field, found[i + 1]!] as [Buffer, Buffer]] : []))
  }

  async hashSize(key: string): Promise<number> {
    return Number(await this.call('HLEN', [key]))
  }

  /** Fields in no order, perhaps twice. */
  async *hashPages(key: string): AsyncGenerator<[field: string, value: Buffer][]> {
    for await (const found of this.#scan('HSCAN', key, PAGE)) yield pairsOf(found)
  }

  /**
   * Names of fields in no order, perhaps twice.
   * @param count Of fields in one reply, with their values
   */
  async *fieldPages(key: string, count: number): AsyncGenerator<string[]> {
    for await (const found of this.#scan('HSCAN', key, count)) yield found.filter((_, i) => i % 2 === 0).map(String)
  }

  /** Members in no order, perhaps twice. */
  async *setPages(key: string): AsyncGenerator<string[]> {
    for await (const found of this.#scan('SSCAN', key, PAGE)) yield found.map(String)
  }

  async *#scan(command: string, key: string, count: number): AsyncGenerator<Buffer[]> {
    let cursor = '0'
    do {
      const [next, found] = (await this.call(command, [key, cursor, 'COUNT', count])) as [Buffer, Buffer[]]
      cursor = next.toString()
      yield found
    } while (cursor !== '0')
  }

  /** Names of keys in no order, perhaps twice. */
  async *keyPages(pattern: string, count: number): AsyncGenerator<string[]> {
    let cursor = '0'
    do {
      const [next, found] = (await this.call('SCAN', [cursor, 'MATCH', pattern, 'COUNT', count])) as [Buffer, Buffer[]]
      cursor = next.toString()
      yield found.map(String)
    } while (cursor !== '0')
  }

  async list(key: string, first: number, last: number): Promise<Buffer[]> {
    return (await this.call('LRANGE', [key, first, last])) as Buffer[]
  }

  /** Members of an index in their order. */
  async sorted(key: string, { gte, gt, lt, limit, reverse = false }: SortedRange): Promise<string[]> {
    const from = gt !== undefined ? `(${gt}` : gte !== undefined ? `[${gte}` : '-'
    const to = lt !== undefined ? `(${lt}` : '+'
    const command = reverse ? 'ZREVRANGEBYLEX' : 'ZRANGEBYLEX'
    const bounds = reverse ? [to, from] : [from, to]
    const found = (await this.call(command, [key, ...bounds, 'LIMIT', 0, limit])) as Buffer[]
    return found.map(String)
  }

  /** All members of an index, read in pages. */
  async *sortedPages(key: string, range: Omit<SortedRange, 'limit'>): AsyncGenerator<string[]> {
    let next = range
    for (;;) {
      const page = await this.sorted(key, { ...next, limit: PAGE })
      if (page.length > 0) yield page
      if (page.length < PAGE) return
      const last = page[page.length - 1]!
      next = range.reverse ? { ...range, lt: last } : { ...range, gt: last }
    }
  }
}
