/**
 * Plain MQTT topics, including device topics: payload, retained value and queue references are committed before the ack and before
 * delivery.
 */
import { Refusal } from '../../../schemas/errors.js'
import type { Topic } from '../../../schemas/topics.js'
import type { Acl } from '../../auth/principal.js'
import type { Bus } from '../../store/bus.js'
import type { Draft, StoreError } from '../../store/changes.js'
import type { Op } from '../../store/op.js'
import type { PlainMessage, QueueMatch } from '../../store/queues.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Signal } from '../model/signals.js'
import type { RetainedQuota } from './retained-quota.js'
import { storeRefusal } from './send.js'

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
    const { principal, clientId, sessionId } = actor
    const own = topic.kind === 'device' && topic.user === principal.user && !principal.anonymous
    if (!own && !this.#acl.mayPublish(principal, clientId, publication.topic)) {
      throw new Refusal('forbidden', `you may not publish on ${publication.topic}`)
    }
    if (publication.retain) this.#quota.require(principal.user, publication)
    this.send({ ...publication, clientId: sessionId }, publication.ops, publisher, drafts)
  }

  /** Publishes without permission checks. `drafts` are appended in the same commit. */
  send(
    publication: Omit<Publication, 'ops' | 'joins'> & { clientId: string | null },
    more: readonly Op[],
    publisher: Publisher,
    drafts: readonly Draft[] = [],
  ): void {
    // A copy, because the payload is a view of a socket's read buffer and may wait in memory much longer.
    const message: PlainMessage = {
      topic: publication.topic,
      payload: Buffer.from(publication.payload),
      qos: publication.qos,
      retain: publication.retain,
      clientId: publication.clientId,
      ...(publication.extra ? { extra: publication.extra } : {}),
    }
    const ops: Op[] = [...more]
    if (message.retain) ops.push(this.#store.queue.retainOp(message))
    const live = message.retain ? { ...message, retain: false, replaces: true } : message
    let queued: string[] = []
    let number = 0
    const targets = message.qos > 0 ? this.#targets(message) : []
    if (targets.length > 0) {
      const enqueued = this.#store.queue.enqueueOps(live, targets)
      ops.push(...enqueued.ops)
      queued = enqueued.queued
      number = enqueued.number
    }
    const settled = (error?: StoreError | null): void => {
      if (!error) this.#bus.send({ kind: 'plain', message, queued, number })
      publisher.settled(error ? storeRefusal(error) : null, null)
    }
    if (drafts.length + ops.length > 0) publication.lane.commit({ drafts, ops, settled })
    else publication.lane.after(settled)
  }

  /** Sessions that queue the message; not the publisher's own for a No Local subscription [MQTT5-3.8.3-3]. */
  #targets({ topic, clientId }: PlainMessage): readonly QueueMatch[] {
    const matches = this.#store.queue.match(topic)
    const refuses = ({ sessionId, noLocal }: QueueMatch): boolean => noLocal && sessionId === clientId
    return matches.some(refuses) ? matches.filter((match) => !refuses(match)) : matches
  }
}
