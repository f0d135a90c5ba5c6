/** Opens a store as a broker does, in a process of its own, and tells what that took: `node --expose-gc open-store.js LOCATION TABLE`. */
import { Records } from '../../broker/store/directory/records.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { Store } from '../../broker/store/store.js'
import type { Table, TableChange } from '../../broker/store/tables.js'

export interface Opened {
  /** Seconds of CPU, and of the clock. */
  readonly cpu: number
  readonly seconds: number
  /** Bytes that are still referenced after a collection, on the heap and beside it. */
  readonly held: number
  /** Microseconds for a change of a record of the table to reach a memory that has it; 0 if there is none. */
  readonly change: number
}

/** As many changes are applied at most. */
const MOST_CHANGES = 100_000

async function openStore(location: string): Promise<[Store, Omit<Opened, 'change'>]> {
  const begun = process.cpuUsage()
  const since = performance.now()
  const store = await openLevelStore({ location, sync: true, limits: { queueMessages: 1000, queueBytes: 1_048_576 } })
  const seconds = (performance.now() - since) / 1000
  const { user, system } = process.cpuUsage(begun)
  gc!()
  const { heapUsed, external } = process.memoryUsage()
  return [store, { cpu: (user + system) / 1e6, seconds, held: heapUsed + external }]
}

/** In a second memory, as that of a node which another one tells of its commits. */
async function timeChanges({ tables }: Store, table: Table): Promise<number> {
  const records = await Records.follow({ tables, follow: async (follower) => (await follower.load(tables))() })
  const changes: TableChange[] = []
  for await (const [key, value] of tables.entries(table)) {
    if (changes.length === MOST_CHANGES) break
    changes.push({ table, key, value })
  }
  const begun = performance.now()
  for (const [position, change] of changes.entries()) records.apply(position, [change])
  return changes.length === 0 ? 0 : (1000 * (performance.now() - begun)) / changes.length
}

const [location, table] = process.argv.slice(2) as [string, Table]
const [store, opened] = await openStore(location)
const change = await timeChanges(store, table)
process.stdout.write(JSON.stringify({ ...opened, change } satisfies Opened))
await store.close()
