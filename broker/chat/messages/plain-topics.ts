/**
 * Plain MQTT topics, including device topics: payload, retained value and queue references are committed before the ack and before
 * delivery.
 */

import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { Topic } from '../../../schemas/topics.js'
import type { Acl } from '../../auth/principal.js'
import type { Bus } from '../../store/bus.js'
import type { Change, Draft } from '../../store/changes.js'
import { storeRefusal } from '../../store/commit.js'
import type { Lane } from '../../store/lane.js'
import type { Op } from '../../store/op.js'
import { enqueueOp, retainOp } from '../../store/queue-ops.js'
import type { PlainMessage } from '../../store/queues.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Signal } from '../model/signals.js'
import type { RetainedQuota, Retaining } from './retained-quota.js'

type PlainPublication = Omit<Publication, 'ops' | 'joins'> & { readonly clientId: string | null }

/** What is committed with a message. */
interface Beside {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  readonly retaining: Retaining | null
}

interface Sending extends Beside {
  readonly message: PlainMessage
  readonly publisher: Publisher
}

const ALONE: Beside = { drafts: [], ops: [], retaining: null }

export class PlainTopics {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #acl: Acl
  readonly #quota: RetainedQuota

  constructor(store: Store, bus: Bus<Signal>, acl: Acl, quota: RetainedQuota) {
    this.#store = store
    this.#bus = bus
    this.#acl = acl
    this.#quota = quota
  }

  publish(
    actor: Actor,
    topic: Topic & { kind: 'device' | 'plain' },
    publication: Publication,
    publisher: Publisher,
    drafts: readonly Draft[] = [],
  ): void {
    const { principal, clientId } = actor
    const own = topic.kind === 'device' && topic.user === principal.user && !principal.anonymous
    if (!own && !this.#acl.mayPublish(principal, clientId, publication.topic)) {
      throw new Refusal('forbidden', `you may not publish on ${publication.topic}`)
    }
    const retaining = publication.retain ? this.#quota.begin(principal.user, publication) : null
    this.#send({ ...publication, clientId: publishedBy(actor) }, { drafts, ops: publication.ops, retaining }, publisher)
  }

  /** Publishes without permission checks, and without limits. */
  send(publication: PlainPublication, publisher: Publisher): void {
    this.#send(publication, ALONE, publisher)
  }

  #send(publication: PlainPublication, beside: Beside, publisher: Publisher): void {
    // A copy, because the payload is a view of a socket's read buffer and may wait in memory much longer.
    const message: PlainMessage = {
      topic: publication.topic,
      payload: Buffer.from(publication.payload),
      qos: publication.qos,
      retain: publication.retain,
      clientId: publication.clientId,
      ...(publication.extra ? { extra: publication.extra } : {}),
    }
    const { drafts, retaining } = beside
    const ops: Op[] = [...beside.ops]
    if (message.retain) ops.push(retainOp(message))
    const isCommitted = drafts.length + ops.length > 0
    const sending = { message, drafts, ops, retaining, publisher }
    const { lane } = publication
    const { queue } = this.#store
    if (message.qos === 0) return this.#commit(lane, this.#changeOf(sending, false))
    // One that waits for the store, or for others of its connection, may meet a subscription that is committed meanwhile.
    if (isCommitted || queue.mayEnqueue(message.topic)) return this.#commit(lane, this.#changeOf(sending, true))
    const mayMeet = (isFirst: boolean): boolean => !isFirst || queue.mayEnqueue(message.topic)
    // Another node may have acknowledged a subscription of which this one has not heard.
    const ready = this.#store.catchUp()
    if (ready) lane.commitLater(ready, (isFirst) => this.#changeOf(sending, mayMeet(isFirst)))
    else this.#commit(lane, this.#changeOf(sending, mayMeet(lane.isIdle)))
  }

  #commit(lane: Lane, change: Change): void {
    if (change.drafts.length + change.ops.length > 0) lane.commit(change)
    else lane.after(() => change.settled(null, []))
  }

  /** @param isQueued For the sessions that match at the commit */
  #changeOf(sending: Sending, isQueued: boolean): Change {
    const { message, drafts, retaining, publisher } = sending
    const ops = [...sending.ops]
    let expected: (() => void) | null = null
    if (isQueued) {
      const live = message.retain ? { ...message, retain: false, replaces: true } : message
      ops.push(enqueueOp(live))
      expected = this.#store.queue.expect(live)
    }
    const settled: Change['settled'] = (error, _results, enqueued) => {
      expected?.()
      const { sessions = [], number = 0 } = enqueued?.[0] ?? {}
      if (!error) this.#bus.send({ kind: 'plain', message, queued: sessions, number })
      retaining?.settled()
      publisher.settled(error ? storeRefusal(error) : null, null)
    }
    return {
      drafts,
      ops,
      guards: retaining && { at: this.#store.position, keys: [], retained: retaining.limit },
      settled,
    }
  }
}

/**
 * Session id of the publisher. A will, and what comes over HTTP, has no session, but a user to whom what is retained counts, and with whose account it
 * goes. Null: it is the broker's own.
 */
function publishedBy({ principal: { user, anonymous }, clientId, sessionId }: Actor): string | null {
  return sessionId ?? (anonymous || user === SYSTEM ? null : `${user}/${clientId}`)
}
