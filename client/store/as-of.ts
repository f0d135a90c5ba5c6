/** `asOf` of puts, for adapters that read the rows before they write. */
import { beginsWith } from './keys.js'
import type { Change, Key, Table } from './store.js'

type Put = Extract<Change, { put: Table }>
type DatedPut = Put & { readonly asOf: number }

/** The puts that depend on the row that is there. */
export function datedPuts(changes: readonly Change[]): DatedPut[] {
  return changes.filter((change): change is DatedPut => 'put' in change && change.asOf !== undefined)
}

/**
 * The changes without the puts that are earlier than their row.
 * @param stored `asOf` of the row of each of `datedPuts`; undefined: there is none
 */
export function withoutEarlier(changes: readonly Change[], stored: readonly (number | undefined)[]): Change[] {
  const rows = new Map<string, { table: Table; key: Key; asOf: number | undefined }>()
  const set = (table: Table, key: Key, asOf: number | undefined): unknown =>
    rows.set(nameOf(table, key), { table, key, asOf })
  for (const [at, { put, key }] of datedPuts(changes).entries()) set(put, key, stored[at])
  const counts = (change: Change): boolean => {
    if ('clear' in change) {
      for (const { table, key } of rows.values())
        if (table === change.clear && beginsWith(key, change.prefix)) set(table, key, undefined)
      return true
    }
    if ('delete' in change) return !!set(change.delete, change.key, undefined)
    const { put, key, asOf } = change
    const old = rows.get(nameOf(put, key))?.asOf
    if (asOf !== undefined && old !== undefined && old > asOf) return false
    return !!set(put, key, asOf)
  }
  return changes.filter(counts)
}

/** One for each row. */
function nameOf(table: Table, key: Key): string {
  return JSON.stringify([table, ...key.map((part) => (typeof part === 'number' ? [String(part)] : part))])
}
