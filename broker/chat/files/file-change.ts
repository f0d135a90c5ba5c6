/** Changes to the record of one file. */
import type { DirectoryStore } from '../../store/directory.js'
import type { FileRecord } from '../../store/files.js'
import type { Store } from '../../store/store.js'
import type { Decision } from '../../store/transaction.js'

/** What is written beside the record. */
export type Consequences = (
  next: FileRecord,
  directory: DirectoryStore,
) => Promise<Pick<Decision<unknown>, 'drafts' | 'ops'>>

/**
 * Decides on the record of a file. Null: there is none.
 * @param change Returns it as it is to be; the same one: nothing is written. It may run several times
 */
export async function changeFile(
  store: Pick<Store, 'transact'>,
  id: string,
  change: (before: FileRecord) => FileRecord,
  consequences: Consequences = async () => ({}),
): Promise<FileRecord | null> {
  const { value } = await store.transact(`file ${id}`, async ({ directory }) => {
    const before = await directory.files.get(id)
    const next = before && change(before)
    if (!next || next === before) return { value: next }
    const { drafts = [], ops = [] } = await consequences(next, directory)
    return { drafts, ops: [...directory.files.putOps(next, before), ...ops], value: next }
  })
  return value
}
