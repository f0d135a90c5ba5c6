/**
 * What a broker does from time to time. Among nodes that share a store, what is about all that is stored is done by one of them, as a job: done by each, it
 * would come to the same, at the cost of all of them. The rest is about this node, or each piece is claimed (docs/architecture.md lists all of it).
 */
import type { Config } from '../../schemas/config.js'
import type { DiskSpace } from '../chat/model/disk-space.js'
import { logs } from '../chat/model/views.js'
import type { Reports } from '../chat/moderation/reports.js'
import type { MediaSweep } from '../media/media-sweep.js'
import type { Broker } from '../mqtt/aedes.js'
import type { UnservedSessions } from '../mqtt/unserved-sessions.js'
import type { ReaderRegistry } from '../readers/registry.js'
import type { Search } from '../readers/search/search.js'
import type { Job } from '../store/job.js'
import type { Store } from '../store/store.js'
import type { Counters } from '../util/counters.js'
import { ExpiringSweep } from './expiring-sweep.js'

const FACTS_EVERY = 10_000
const SWEEP_EVERY = 60_000
const AUDITS: readonly string[] = [logs.audit(), logs.serverAudit()]
const DAY = 86_400_000

export interface MaintenanceDeps {
  store: Store
  unserved: UnservedSessions
  broker: Broker
  counters: Counters
  reports: Pick<Reports, 'sweep'>
  config: Config
  /** Cuts logs of which only the newest entries are kept. */
  trim: () => Promise<void>
  readers: { readonly registry: Pick<ReaderRegistry, 'forgetUnwanted'>; readonly search: Pick<Search, 'sweep'> | null }
  space: DiskSpace
  /** Null: there are no files. */
  media: Pick<MediaSweep, 'sweep' | 'sweepNode'> | null
  failed: (error: unknown) => void
}

/** The part of the maintenance that is about all that is stored. */
class SharedUpkeep implements Job {
  readonly name = 'upkeep'
  /** This node does it. */
  isHere = false

  begin(): void {
    this.isHere = true
  }

  /** A step under way may end after another node has begun: all of them may be repeated. */
  async end(): Promise<void> {
    this.isHere = false
  }
}

export class Maintenance {
  readonly shared = new SharedUpkeep()
  readonly #deps: MaintenanceDeps
  readonly #timers: NodeJS.Timeout[]
  readonly #expiring: ExpiringSweep
  #sweeping = false

  constructor(deps: MaintenanceDeps) {
    this.#deps = deps
    this.#expiring = new ExpiringSweep(deps.store)
    this.#timers = [setInterval(() => this.#facts(), FACTS_EVERY), setInterval(() => void this.sweep(), SWEEP_EVERY)]
    for (const timer of this.#timers) timer.unref()
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** Ends sessions that outlived their expiry and drops messages that outlived theirs. */
  async sweep(now = Date.now()): Promise<void> {
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      const { unserved, trim, media, readers } = this.#deps
      await this.#try(() => unserved.settleAbandoned())
      await this.#try(trim)
      for (const step of this.#sharedSteps) if (this.shared.isHere) await this.#try(() => step(now))
      await this.#try(async () => media?.sweepNode(now))
      await this.#try(async () => readers.search?.sweep())
    } finally {
      this.#sweeping = false
    }
  }

  /** What fails does not keep the rest from being done. */
  async #try(step: () => Promise<unknown>): Promise<void> {
    await step().catch(this.#deps.failed)
  }

  /** Each may be repeated, and done by two nodes at a time. */
  readonly #sharedSteps: readonly ((now: number) => Promise<unknown>)[] = [
    (now) => this.#deps.unserved.expire(now),
    (now) => this.#expiring.sweep(now),
    (now) => this.#retain(now),
    (now) => this.#deps.reports.sweep(now),
    (now) => this.#deps.media?.sweep(now) ?? Promise.resolve(),
    () => this.#deps.readers.registry.forgetUnwanted(),
    () => this.#deps.store.log.sweep(),
  ]

  async #retain(now: number): Promise<void> {
    const { store, config } = this.#deps
    const { days, messages } = config.history
    if (config.audit.days > 0)
      for (const log of AUDITS) await store.log.retain(log, { before: now - config.audit.days * DAY, keep: 0 })
    if (days === 0 && messages === 0) return
    for await (const name of store.log.names()) {
      if (!AUDITS.includes(name))
        await store.log.retain(name, { before: days === 0 ? 0 : now - days * DAY, keep: messages })
    }
  }

  #facts(): void {
    const { store, broker, counters, space } = this.#deps
    const facts = {
      clients: broker.connectedClients,
      uptime: Math.floor(process.uptime()),
      rss: process.memoryUsage.rss(),
      store: store.counts,
      diskLow: space.low,
      ...(store.hindrance !== null && { hindrance: store.hindrance }),
      ...counters.all(),
    }
    broker.publish({ topic: `$SYS/${broker.id}/facts`, payload: JSON.stringify(facts), retain: true })
  }
}
