/** Finds the messages that were changed by entries a client has missed. */
import type { LogName } from '../../store/log-name.js'
import type { Store } from '../../store/store.js'

/** Maximum number of missed entries; beyond that it is cheaper for the client to start anew. */
const MAX_MISSED = 2000
/** Entries and bytes per read. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024

export interface Missed {
  /** Seqs of the messages that edits, deletes, reactions and pins refer to. */
  readonly targets: ReadonlySet<number>
}

/**
 * Reads the entries `since + 1` to `head`. Null: too many, or one of them expired or was deleted with an account, so that its target is
 * unknown.
 */
export async function changedTargets(
  store: Store,
  log: LogName,
  since: number,
  head: number,
): Promise<ReadonlySet<number> | null> {
  const targets = new Set<number>()
  if (head - since > MAX_MISSED) return null
  for (let after = since; after < head; ) {
    const page = await store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
    if (page.length === 0) break
    after = page[page.length - 1]!.seq
    for (const { isChange, gone, payload } of page) {
      if (!isChange) continue
      if (gone?.why === 'expired' || (gone && gone.by === null)) return null
      // A change that was deleted or replaced is covered by the entry that deleted or replaced it.
      if (!gone) targets.add(JSON.parse(payload.toString('utf8')).target)
    }
  }
  return targets
}
