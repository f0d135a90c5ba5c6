/** Which messages were changed by what a client has missed. */
import type { LogName } from '../../store/log-name.js'
import type { Store } from '../../store/store.js'

/** Entries a client may be behind; beyond that it is cheaper to begin anew. */
const MOST_MISSED = 2000
/** Entries read at once, and their bytes. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024

export interface Missed {
  /** Numbers of the messages that edits, deletions, reactions and pins were about. */
  readonly targets: ReadonlySet<number>
}

/** Of the entries `since + 1` to `head`. Null: too many, or one of them expired, or went with an account, and can no more say what it changed. */
export async function missedSince(store: Store, log: LogName, since: number, head: number): Promise<Missed | null> {
  const targets = new Set<number>()
  if (head - since > MOST_MISSED) return null
  for (let after = since; after < head; ) {
    const page = await store.log.read(log, after, PAGE, PAGE_BYTES, 'shown')
    if (page.length === 0) break
    after = page[page.length - 1]!.seq
    for (const { aside, gone, payload } of page) {
      if (!aside) continue
      if (gone?.why === 'expired' || (gone && gone.by === null)) return null
      // What was deleted with its target, or replaced, is told by what deleted or replaced it.
      if (!gone) targets.add(JSON.parse(payload.toString('utf8')).target)
    }
  }
  return { targets }
}
