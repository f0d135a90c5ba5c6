/**
 * When a broker was last known to be there. Sessions that were connected when it died ended their connection then, not when the next broker
 * comes round to look: however often it is started, and however long nothing ran, their expiry goes on from that moment.
 */
import { commit } from './commit.js'
import type { Op } from './op.js'
import type { Store } from './store.js'

/** Ms between two notes. */
const NOTED_EVERY = 30_000
/** Records written at once. */
const BATCH = 500

export class Heartbeat {
  readonly #store: Store
  readonly #timer: NodeJS.Timeout

  /** Notes when those that were connected left, before anyone comes back. */
  static async begin(store: Store, failed: (error: unknown) => void): Promise<Heartbeat> {
    const before = await store.sessions.seen()
    // One that said goodbye has noted it for each session.
    if (!before?.ended) await noteEnds(store, before?.at ?? Date.now())
    const heartbeat = new Heartbeat(store, failed)
    await heartbeat.#note(false)
    return heartbeat
  }

  private constructor(store: Store, failed: (error: unknown) => void) {
    this.#store = store
    this.#timer = setInterval(() => void this.#note(false).catch(failed), NOTED_EVERY).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#note(true).catch(() => {})
  }

  #note(ended: boolean): Promise<void> {
    return this.#store.sessions.writeLazily([this.#store.sessions.seenOp({ at: Date.now(), ended })])
  }
}

async function noteEnds(store: Store, disconnectedAt: number): Promise<void> {
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
