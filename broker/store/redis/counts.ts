import type { StoreCounts } from '../store.js'

/** Running totals of a node on Redis. */
export interface RedisCounts extends StoreCounts {
  /** Groups of changes sent. */
  requests: number
  /** Requests sent once more, because no answer came. */
  repeats: number
  /** Commits of other nodes that this one was told of. */
  pushes: number
  /** Times that commits were missed, and read from the store. */
  gaps: number
  /** Unix ms of the last one; 0: there was none. */
  lastGap: number
  /** Connections after the first. */
  reconnects: number
  /** Times that this node was taken for gone, and began anew. */
  fences: number
}

export function newCounts(): RedisCounts {
  const port = { commits: 0, appended: 0, writes: 0, duplicates: 0, catchUps: 0, failures: 0 }
  return { ...port, requests: 0, repeats: 0, pushes: 0, gaps: 0, lastGap: 0, reconnects: 0, fences: 0 }
}
