/** LevelDB as it is read and written by the store itself, and by its upgrades while it opens. */
import type { AbstractLevel } from 'abstract-level'
import type { WriteBatch } from './operation.js'

/** What the store needs of a LevelDB: on disk, in memory, or one that fails in a test. */
export type LevelDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Buffer>

/** An iterator over entries, or over keys. */
export interface LevelIterator<T> {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}

/** Most entries of a page. */
const PAGE = 1000

/** What is left of an iterator, in pages; then it is closed. */
export async function* pagesOf<T>(iterator: LevelIterator<T>): AsyncGenerator<T[]> {
  try {
    for (let page = await iterator.nextv(PAGE); page.length > 0; page = await iterator.nextv(PAGE)) yield page
  } finally {
    await iterator.close()
  }
}

/** Writes atomically. @param sync Waits until it is on disk */
export async function writeBatch(level: LevelDatabase, batch: WriteBatch, sync: boolean): Promise<void> {
  // A chained batch takes about half the CPU time of an array of operations.
  const chain = level.batch()
  for (let i = 0; i < batch.size; i++) {
    const value = batch.valueAt(i)
    if (value === null) chain.del(batch.keyAt(i))
    else chain.put(batch.keyAt(i), value as Buffer)
  }
  await chain.write({ sync } as object)
}
