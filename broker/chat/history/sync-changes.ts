/** Finds the messages that were changed by entries a client has missed: edited, deleted, reacted to, pinned, or replied to in their thread. */
import type { LogName } from '../../store/log-name.js'
import type { LogReader } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { threadOf } from './threads.js'

/** Maximum number of missed entries; beyond that it is cheaper for the client to start anew. */
const MAX_MISSED = 2000
/** Entries and bytes per read. */
const PAGE = 200
const PAGE_BYTES = 1024 * 1024

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
      if (!isChange) {
        const thread = gone ? undefined : threadOf(payload)
        if (thread !== undefined) targets.add(thread)
        continue
      }
      if (gone?.why === 'expired' || (gone && gone.by === null)) return null
      // A change that was deleted or replaced is covered by the entry that deleted or replaced it.
      if (!gone) targets.add(JSON.parse(payload.toString('utf8')).target)
    }
  }
  return targets
}

/** A log, as far as it may be read. */
interface Readable {
  readonly name: LogName
  readonly head: number
  readonly tail: number
  /** The first seq that the reader may see. */
  readonly first: number
}

/**
 * The last entry made before a time (Unix ms), found from the head backwards: in strides that double, then by bisection, so that it takes few reads
 * if little was missed. Below the first: there was none. Null: too many were made since, or retention may have dropped some of them.
 */
export async function lastBefore(
  log: Pick<LogReader, 'read'>,
  { name, head, tail, first }: Readable,
  ts: number,
): Promise<number | null> {
  const isBefore = async (seq: number): Promise<boolean> => {
    const [entry] = await log.read(name, seq - 1, 1, 1, 'shown')
    return entry !== undefined && entry.ts < ts
  }
  const lowest = Math.max(first - 1, head - MAX_MISSED)
  let [low, high] = [lowest, head + 1]
  for (let stride = 1; high - stride > lowest; stride *= 2) {
    if (await isBefore(high - stride)) {
      low = high - stride
      break
    }
    high -= stride
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (await isBefore(middle)) low = middle
    else high = middle
  }
  if (low > lowest) return low
  if (low === first - 1) return first === tail && tail > 1 ? null : low
  return (await isBefore(low)) ? low : null
}
