/**
 * What is due of sessions that no connection has: their will, the time since when they are not connected, their end. Among nodes that share a
 * store one node does it, as the owner of the session for that time, so that a node which is gone leaves nothing, and nothing is done twice.
 */
import { commit } from '../store/commit.js'
import { type Fence, writerBehind } from '../store/fence.js'
import type { WillPacket } from '../store/persistence.js'
import type { SessionRecord } from '../store/sessions.js'
import type { Store } from '../store/store.js'
import type { Counters } from '../util/counters.js'
import type { Claims } from './claims.js'
import type { SessionWriter } from './session-writer.js'
import { isGroupClaim } from './shared/group-name.js'
import type { SharedSubscriptions } from './shared/groups.js'
import type { WillPublisher } from './will-publisher.js'

/** Sessions of gone nodes that are settled at once. */
const BESIDE = 32

export interface UnservedDeps {
  readonly store: Store
  /** Null: a single node has the store. */
  readonly claims: Claims | null
  readonly shares: Pick<SharedSubscriptions, 'endAbandoned'>
  readonly wills: WillPublisher
  readonly sessionWriter: SessionWriter
  readonly counters: Counters
  /** Seconds (`limits.sessionExpiry`). */
  readonly longest: number
  /** Whether a connection here has the session. */
  readonly isConnected: (session: string) => boolean
  readonly failed: (error: unknown) => void
}

export class UnservedSessions {
  readonly #deps: UnservedDeps

  constructor(deps: UnservedDeps) {
    this.#deps = deps
  }

  /** Those that a node had when it ended without a word. */
  async settleAbandoned(): Promise<void> {
    const abandoned = this.#deps.claims?.abandoned() ?? []
    const next = abandoned[Symbol.iterator]()
    const work = async (): Promise<void> => {
      for (let one = next.next(); !one.done; one = next.next()) await this.#settleAbandoned(one.value)
    }
    await Promise.all(Array.from({ length: Math.min(BESIDE, abandoned.length) }, work))
  }

  async #settleAbandoned(claimed: string): Promise<void> {
    if (isGroupClaim(claimed)) await this.#deps.shares.endAbandoned(claimed).catch(this.#deps.failed)
    else await this.settle(claimed)
  }

  /** Sends the wills that are due. */
  async sweepWills(): Promise<void> {
    const { persistence } = this.#deps.store
    for await (const { clientId = '' } of persistence.streamWill({}) as AsyncIterable<WillPacket>)
      if (!this.#isServed(clientId)) await this.settle(clientId)
  }

  /** @param now Unix ms */
  async expire(now: number): Promise<void> {
    for await (const record of this.#deps.store.sessions.all())
      if (!this.#isServed(record.id) && (record.disconnectedAt === 0 || this.#hasExpired(record, now)))
        await this.#alone(record.id, (fence) => this.#expireOne(record.id, fence, now))
  }

  #isServed(session: string): boolean {
    return this.#deps.isConnected(session) || (this.#deps.claims?.isServed(session) ?? false)
  }

  /** Does what is due of a session of which another node may have been the last owner. */
  async settle(session: string): Promise<void> {
    const { claims, wills, failed } = this.#deps
    const now = Date.now()
    const settling = claims?.whileUnserved(session, async (fence) => {
      await wills.publishDue(session, fence, now)
      await this.#expireOne(session, fence, now)
    })
    await settling?.catch(failed)
  }

  async #alone(session: string, work: (fence: Fence | null) => Promise<void>): Promise<void> {
    const { claims } = this.#deps
    if (claims) await claims.whileUnserved(session, work)
    else await work(null)
  }

  async #expireOne(session: string, fence: Fence | null, now: number): Promise<void> {
    const { store, sessionWriter, counters } = this.#deps
    const record = await store.sessions.record(session)
    if (!record) return
    if (record.disconnectedAt === 0) {
      // It left while its broker ended, and that could not be noted: its time begins now.
      const ops = [store.sessions.recordOp({ ...record, disconnectedAt: now })]
      await commit(writerBehind(store, fence), { ops, lazy: true })
    } else if (this.#hasExpired(record, now)) {
      await sessionWriter.discard(session, fence)
      counters.add('sessions.expired')
    }
  }

  #hasExpired({ disconnectedAt, expiry }: SessionRecord, now: number): boolean {
    return disconnectedAt + Math.min(expiry, this.#deps.longest) * 1000 < now
  }
}
