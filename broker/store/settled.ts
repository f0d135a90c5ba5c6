/** Waiting for what others committed, within the order that the store promises. Nothing is written. */
import { body } from './body.js'
import type { Change, Draft } from './changes.js'
import type { LogName } from './log-name.js'
import type { Store } from './store.js'

/** Logs per change. */
const PAGE = 1000
const NOTHING = body('', '')

/** Resolves once everything committed before to these logs has settled, with success or not. */
export async function logsSettled(store: Pick<Store, 'commit'>, logs: readonly LogName[]): Promise<void> {
  for (let i = 0; i < logs.length; i += PAGE)
    await settled(store, { drafts: logs.slice(i, i + PAGE).map(unwritten), ops: [] })
}

/** Resolves once everything committed before to queues and retained messages has settled, with success or not. */
export async function queuesSettled(store: Pick<Store, 'commit' | 'queue'>): Promise<void> {
  const { op, cut } = store.queue.cut()
  await settled(store, { drafts: [], ops: [op] })
  cut.end()
}

function settled(store: Pick<Store, 'commit'>, change: Pick<Change, 'drafts' | 'ops'>): Promise<void> {
  return new Promise((resolve) => store.commit({ ...change, lazy: true, settled: () => resolve() }))
}

/** A draft that takes its place in the order of the log, and is never appended. */
function unwritten(log: LogName): Draft {
  return { log, id: '', ts: 0, from: '', qos: 0, body: NOTHING, dedupe: null, retryOnly: true }
}
