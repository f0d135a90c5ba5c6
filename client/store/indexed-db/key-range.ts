import type { Key, Range } from '../store.js'

/** IndexedDB compares keys as the store does. An array comes after every number and every text, so this is behind all that begin so. */
function behind(prefix: Key): unknown[] {
  return [...prefix, []]
}

/** Null: nothing is in it. */
export function keyRange({
  prefix = [],
  after,
  before,
}: Pick<Range, 'prefix' | 'after' | 'before'>): IDBKeyRange | null {
  const beginsAfter = after !== undefined && indexedDB.cmp(after, prefix) >= 0
  const lower = beginsAfter ? after : prefix
  const end = behind(prefix)
  const upper = before !== undefined && indexedDB.cmp(before, end) < 0 ? before : end
  return indexedDB.cmp(lower, upper) < 0 ? IDBKeyRange.bound(lower, upper, beginsAfter, true) : null
}
