import type { BlockedContent, BlockedContentStore } from '../blocked-contents.js'
import { del, type Op, put } from '../op.js'
import { keyOf, numberPart, partsOf, type Tables } from '../tables.js'
import { readRecord } from './on-demand.js'

const TABLE = 'blockedContent'
const COUNT = keyOf('count', '')
/** Owner of the records, and of their order. */
const [BY_HASH, BY_TIME] = ['hash', 'time']
const NUMBER_WIDTH = numberPart(0).length

export class BlockedContents implements BlockedContentStore {
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
  }

  get(hash: string): Promise<BlockedContent | null> {
    return readRecord(this.#tables, TABLE, keyOf(BY_HASH, hash))
  }

  list(after: Pick<BlockedContent, 'hash' | 'blockedAt'> | null, limit: number): Promise<BlockedContent[]> {
    return this.#ordered({ ...(after && { before: timeKey(after) }), limit, reverse: true })
  }

  async addOps(content: BlockedContent, most: number): Promise<Op[]> {
    if (most === 0 || (await this.get(content.hash))) return []
    const over = (await this.#count()) + 1 - most
    const oldest = over > 0 ? await this.#ordered({ limit: over }) : []
    return [
      put(TABLE, keyOf(BY_HASH, content.hash), JSON.stringify(content)),
      put(TABLE, timeKey(content), ''),
      ...oldest.flatMap(deleteOps),
      await this.#countOp(1 - oldest.length),
    ]
  }

  async removeOps(content: BlockedContent): Promise<Op[]> {
    return [...deleteOps(content), await this.#countOp(-1)]
  }

  async #ordered(range: { before?: string; limit: number; reverse?: boolean }): Promise<BlockedContent[]> {
    const found = await this.#tables.list(TABLE, { owner: BY_TIME, ...range })
    const contents = await Promise.all(found.map(([key]) => this.get(partsOf(key)[1]!.slice(NUMBER_WIDTH))))
    return contents.filter((content) => content !== null)
  }

  async #count(): Promise<number> {
    return (await readRecord(this.#tables, TABLE, COUNT)) ?? 0
  }

  async #countOp(by: number): Promise<Op> {
    return put(TABLE, COUNT, String((await this.#count()) + by))
  }
}

function deleteOps(content: BlockedContent): Op[] {
  return [del(TABLE, keyOf(BY_HASH, content.hash)), del(TABLE, timeKey(content))]
}

/** Sorts by the time. */
function timeKey({ blockedAt, hash }: Pick<BlockedContent, 'hash' | 'blockedAt'>): string {
  return keyOf(BY_TIME, numberPart(blockedAt) + hash)
}
