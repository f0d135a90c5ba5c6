/** Opens a store as a broker does, in a process of its own, and tells what that took: `node --expose-gc open-store.js LOCATION`. */
import { openLevelStore } from '../../broker/store/level/level-store.js'

export interface Opened {
  /** Seconds of CPU, and of the clock. */
  readonly cpu: number
  readonly seconds: number
  /** Bytes that are still referenced after a collection, on the heap and beside it. */
  readonly held: number
}

const location = process.argv[2]!
const begun = process.cpuUsage()
const since = performance.now()
const store = await openLevelStore({ location, sync: true, limits: { queueMessages: 1000, queueBytes: 1_048_576 } })
const seconds = (performance.now() - since) / 1000
const { user, system } = process.cpuUsage(begun)
gc!()
const { heapUsed, external } = process.memoryUsage()
process.stdout.write(
  JSON.stringify({ cpu: (user + system) / 1e6, seconds, held: heapUsed + external } satisfies Opened),
)
await store.close()
