/** Publishes wills: at the end of a connection, when their delay is over, and those of a broker that died. */
import type { Refusal } from '../../schemas/errors.js'
import type { Authenticator } from '../auth/principal.js'
import type { Actor } from '../chat/model/actor.js'
import type { Pipeline } from '../chat/pipeline.js'
import { commit } from '../store/commit.js'
import { type Fence, writerBehind } from '../store/fence.js'
import { Lane } from '../store/lane.js'
import type { Op } from '../store/op.js'
import type { WillPacket } from '../store/persistence.js'
import type { Store } from '../store/store.js'
import type { Counters } from '../util/counters.js'
import type { TimerWheel } from '../util/timer-wheel.js'
import type { Gates, HookClient } from './gates.js'
import { OrphanedWills } from './orphaned-wills.js'
import { DelayedWill, fromStored, lastMomentOf, principalOfWill, type WillMessage } from './wills.js'

export interface WillPublisherDeps {
  readonly store: Pick<Store, 'catchUp' | 'commit' | 'submit' | 'persistence'>
  readonly pipeline: Pipeline
  readonly gates: Gates
  /** A function, because the services are made after the broker. */
  readonly services: () => {
    readonly authenticator: Authenticator
    readonly counters: Counters
    readonly wheel: TimerWheel
  }
  /** Tells plugins of a will that was published. */
  readonly published: (message: WillMessage) => void
  readonly failed: (error: unknown) => void
  /** Seconds after its start in which wills that a broker deferred when it left are not sent: their clients may come back. */
  readonly restartGrace: number
}

/** What is committed with a will, and on which condition. */
interface WrittenBeside {
  readonly ops: readonly Op[]
  readonly fence: Fence | null
}

const ALONE: WrittenBeside = { ops: [], fence: null }

/** `unknown`: the store, or what is to decide on it, did not answer; only if it is sent, what is to be written beside it is. */
export type WillOutcome = 'sent' | 'refused' | 'unknown'

export class WillPublisher {
  readonly #deps: WillPublisherDeps
  /** Unix ms. */
  readonly #graceEnds: number
  /** Among nodes that share a store: does what is due of a session. */
  settle: ((session: string) => Promise<void>) | null = null
  /** Null: none was looked for yet. */
  #orphans: OrphanedWills | null = null

  constructor(deps: WillPublisherDeps) {
    this.#deps = deps
    this.#graceEnds = Date.now() + deps.restartGrace * 1000
  }

  /**
   * A will is published with the current rights of its owner, which may be none: between the end of a connection and its will the account may be
   * suspended or removed. A refused one is dropped and counted. `client` is the one whose connection ended.
   */
  async publish(left: Actor, message: WillMessage, client: HookClient | null, beside = ALONE): Promise<WillOutcome> {
    const { authenticator, counters } = this.#deps.services()
    try {
      await this.#deps.store.catchUp()
      const principal = await authenticator.revalidate(left.principal, lastMomentOf(left.principal))
      const refusal = principal && (await this.#send({ ...left, principal }, message, client, beside))
      if (refusal?.code === 'unavailable') return 'unknown'
      if (principal && !refusal) {
        this.#deps.published(message)
        return 'sent'
      }
      counters.add('refused.will')
      return 'refused'
    } catch (error) {
      this.#deps.failed(error)
      return 'unknown'
    }
  }

  async #send(
    actor: Actor,
    message: WillMessage,
    client: HookClient | null,
    { ops, fence }: WrittenBeside,
  ): Promise<Refusal | null> {
    const { gates, pipeline, store } = this.#deps
    const denied = await gates.publishFor(client, actor, message)
    if (denied) return denied
    return new Promise((settled, failed) => {
      const publication = { ...message, ops, lane: new Lane(store, fence), joins: false }
      const entering = pipeline.publish({ ...actor, sessionId: null }, publication, { settled })
      entering?.catch(failed)
    })
  }

  async publishStored(will: WillPacket, beside = ALONE): Promise<WillOutcome> {
    const principal = principalOfWill(will, Date.now())
    if (!principal) {
      this.#deps.services().counters.add('refused.will')
      return 'refused'
    }
    const actor = { principal, clientId: will.clientId ?? '', sessionId: null }
    return this.publish(actor, fromStored(will), null, beside)
  }

  /** Of the client `id`, stored already; to be sent at `due` (Unix ms). */
  delayed(id: string, due: number): DelayedWill {
    return new DelayedWill(due, () => void this.#publishIfKept(id, due).catch(this.#deps.failed))
  }

  async #publishIfKept(id: string, due: number): Promise<void> {
    const { persistence } = this.#deps.store
    const kept = await persistence.getWill({ id })
    if (kept?.due !== due) return
    if (this.settle) await this.settle(id)
    else await this.#publishOnce(id, kept)
  }

  /** Whoever was to send wills with a delay may be gone. To be called when this broker starts, and when another one is gone. */
  async adopt(): Promise<void> {
    const { wheel } = this.#deps.services()
    this.#orphans ??= new OrphanedWills({
      ...{ wheel, stored: () => this.#deps.store.persistence.wills(), failed: this.#deps.failed },
      ...{ deferredUntil: this.#graceEnds, publish: (id, due) => this.#publishIfKept(id, due) },
    })
    await this.#orphans.find()
  }

  /** It is deleted in the same commit, or because it is refused; and kept while nobody knows. */
  async #publishOnce(id: string, will: WillPacket): Promise<void> {
    const { persistence } = this.#deps.store
    const outcome = await this.publishStored(will, { fence: null, ops: [persistence.delWillOp({ id })] })
    if (outcome === 'refused') await persistence.delWill({ id })
  }

  /**
   * Of a session that is this node's and has no connection: the will is sent if it is due, and deleted in the same commit. One with a delay is
   * due so long from now if nobody has said when.
   */
  async publishDue(id: string, fence: Fence, now: number): Promise<void> {
    const { store, services } = this.#deps
    const writer = writerBehind(store, fence)
    const { persistence } = store
    const will = await persistence.getWill({ id })
    if (!will) return
    if (will.due === undefined && will.delay !== undefined) {
      const due = now + will.delay * 1000
      await commit(writer, { ops: [persistence.putWillOp({ id }, { ...will, due })] })
      return this.delayed(id, due).start(services().wheel)
    }
    if ((will.due ?? 0) > now || this.#isDeferred(will)) return
    const ops = [persistence.delWillOp({ id })]
    // One that is refused is deleted, too.
    if ((await this.publishStored(will, { fence, ops })) === 'refused') await commit(writer, { ops })
  }

  #isDeferred({ deferred }: WillPacket): boolean {
    return deferred === true && Date.now() < this.#graceEnds
  }

  /** Sends the wills of clients whose broker died. `alive`: the brokers that did not, and when each was last seen. */
  async sweep(alive: Record<string, number>): Promise<void> {
    const { persistence } = this.#deps.store
    for await (const will of persistence.streamWill(alive) as AsyncIterable<WillPacket>) {
      if (this.#isDeferred(will)) continue
      await this.#publishOnce(will.clientId ?? '', will)
    }
  }
}
