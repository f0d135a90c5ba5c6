/** Whether logs have grown since a client was up to date: by the commits in which they grew, or where these were not kept, by the time of the last entry. */
import type { LogName } from '../../store/log-name.js'
import type { LogGrowth, LogReader } from '../../store/logs.js'
import type { SyncPoint } from './sync-token.js'

/** What has a time and no commit counts as new up to this many ms after it: it may not have been durable then, and clocks of nodes differ. */
export const OVERLAP = 60_000
/** Logs of which the time of the last entry is kept in memory. */
const MOST = 100_000

interface Last {
  readonly head: number
  readonly incarnation: number
  readonly ts: number
}

export class Growth {
  readonly #log: Pick<LogReader, 'read'>
  readonly #last = new Map<LogName, Last>()

  constructor(log: Pick<LogReader, 'read'>) {
    this.#log = log
  }

  /** No promise, unless an earlier version, which kept no such numbers, was the last one to add to the log. */
  hasGrown(log: LogGrowth, since: SyncPoint): boolean | Promise<boolean> {
    if (log.grownIn > 0 || log.head === 0) return log.grownIn > since.commit
    if (log.incarnation > since.commit) return true
    return this.#lastTs(log).then((ts) => ts >= since.ts - OVERLAP)
  }

  /** Of the last entry, Unix ms. */
  async #lastTs({ name, head, incarnation }: LogGrowth): Promise<number> {
    const known = this.#last.get(name)
    if (known?.head === head && known.incarnation === incarnation) return known.ts
    const [entry] = await this.#log.read(name, head - 1, 1, 1, 'shown')
    const ts = entry?.ts ?? 0
    if (this.#last.size >= MOST) this.#last.clear()
    this.#last.set(name, { head, incarnation, ts })
    return ts
  }
}
