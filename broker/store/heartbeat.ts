/**
 * Records at intervals that the broker is running. After a crash, sessions that were connected count as disconnected at
 * the last heartbeat, and not at the next start: their expiry continues from there however often the broker is started
 * and however long it was down.
 */
import { commit } from './commit.js'
import type { Op } from './op.js'
import type { Store } from './store.js'

/** Ms between two heartbeats. */
const INTERVAL = 30_000
/** Records written per commit. */
const BATCH = 500

export class Heartbeat {
  readonly #store: Store
  readonly #timer: NodeJS.Timeout

  /** Sets the disconnect time of sessions that were connected at a crash, before any client reconnects. */
  static async begin(store: Store, failed: (error: unknown) => void): Promise<Heartbeat> {
    const before = await store.sessions.lastHeartbeat()
    // A broker that shut down cleanly has already written it for each session.
    if (!before?.ended) await recordDisconnects(store, before?.at ?? Date.now())
    const heartbeat = new Heartbeat(store, failed)
    await heartbeat.#note(false)
    return heartbeat
  }

  private constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#timer = setInterval(() => void this.#note(false).catch(failed), INTERVAL).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#note(true).catch(() => {})
  }

  #note(ended: boolean): Promise<void> {
    return this.#store.sessions.writeLazily([this.#store.sessions.heartbeatOp({ at: Date.now(), ended })])
  }
}

async function recordDisconnects(store: Store, disconnectedAt: number): Promise<void> {
  let ops: Op[] = []
  for await (const record of store.sessions.all()) {
    if (record.disconnectedAt !== 0) continue
    ops.push(store.sessions.recordOp({ ...record, disconnectedAt }))
    if (ops.length < BATCH) continue
    await commit(store, { ops })
    ops = []
  }
  if (ops.length > 0) await commit(store, { ops })
}
