/** Notifications to a user and announcements to everyone: logged like messages, sent by those who have the role. */

import { Compile } from 'typebox/compile'
import { Refusal } from '../../schemas/errors.js'
import { NotificationInput } from '../../schemas/message.js'
import { topics } from '../../schemas/topics.js'
import type { Bus } from '../store/bus.js'
import { commit } from '../store/commit.js'
import type { Extra, PlainMessage, Store } from '../store/store.js'
import { type Actor, isAdmin, requireUser } from './actor.js'
import { checkMessage, decodeText, parseObject, stringify } from './message.js'
import { isChange } from './message-types.js'
import type { Incoming, Pipeline, Receipt } from './pipeline.js'
import type { SendResult } from './replies.js'
import { checkShape } from './shape.js'
import type { Signal } from './signals.js'
import { stamp } from './stamp.js'
import { logs, type Views } from './views.js'

const notificationShape = Compile(NotificationInput)

export class Notices {
  readonly #store: Store
  readonly #bus: Bus<Signal>
  readonly #views: Views

  constructor(store: Store, bus: Bus<Signal>, views: Views) {
    this.#store = store
    this.#bus = bus
    this.#views = views
  }

  /** On `users/{user}/notifications`: `{id, seq, ts, from, title, body, …}`. */
  async notify(actor: Actor, to: string, incoming: Incoming, receipt: Receipt, pipeline: Pipeline): Promise<void> {
    requireRole(actor, 'notifier')
    const input = parseObject(decodeText(incoming.payload))
    if (!input) throw new Refusal('bad_request', 'expected {"title":…,"body":…}')
    checkShape(notificationShape, input)
    if (!(await this.#store.directory.user(to))) throw new Refusal('not_found', `there is no user ${to}`)
    const { cid = null, ...rest } = input as NotificationInput
    const checked = { cid, inside: stringify(rest).slice(1, -1), ttl: rest.ttl ?? null, input: null, text: null }
    const draft = stamp(actor, { log: logs.notifications(to), place: '' }, checked, incoming)
    pipeline.appendDraft(actor, topics.user(to, 'notifications'), cid, draft, incoming, receipt)
  }

  /** On `broadcast/{channel}`: a message with `channel` in place of `room`; kept for later subscribers where RETAIN asks for it. */
  async broadcast(
    actor: Actor,
    channel: string,
    incoming: Incoming,
    receipt: Receipt,
    pipeline: Pipeline,
  ): Promise<void> {
    requireRole(actor, 'publisher')
    if (incoming.retain && incoming.payload.length === 0) {
      await this.#retain(channel, Buffer.alloc(0))
      this.#store.commit({ drafts: [], ops: incoming.ops, settled: () => receipt.settled(null, null) })
      return
    }
    const message = checkMessage(incoming.payload, false)
    if (isChange(message.input))
      throw new Refusal('bad_request', `an announcement cannot be changed; there is no ${message.input.type} here`, {
        field: 'type',
      })
    if (this.#views.addChannel(channel)) this.#bus.send({ kind: 'channel', channel })
    const destination = { log: logs.broadcast(channel), place: `"channel":"${channel}",` }
    const draft = stamp(actor, destination, message, incoming)
    const done = incoming.retain ? this.#retainThen(channel, receipt) : receipt
    pipeline.appendDraft(actor, topics.broadcast(channel), message.cid, draft, incoming, done)
  }

  /** The retained announcement is the stored entry, so it is kept once its number is known, and before the ack. */
  #retainThen(channel: string, receipt: Receipt): Receipt {
    const keep = async (result: SendResult): Promise<void> => {
      const [entry] = await this.#store.log.read(logs.broadcast(channel), result.seq - 1, 1, 1)
      if (entry?.seq === result.seq) await this.#retain(channel, entry.payload, entry.extra)
    }
    return {
      settled: (refusal, result) => {
        if (refusal || !result) return receipt.settled(refusal, result)
        keep(result).then(
          () => receipt.settled(null, result),
          (error: unknown) =>
            receipt.settled(
              error instanceof Refusal ? error : new Refusal('unavailable', 'not retained', { cause: error }),
              null,
            ),
        )
      },
    }
  }

  async #retain(channel: string, payload: Buffer, extra: Extra | null = null): Promise<void> {
    const topic = topics.broadcast(channel)
    const message: PlainMessage = { topic, payload, qos: 1, retain: true, clientId: null, ...(extra ? { extra } : {}) }
    await commit(this.#store, { ops: [this.#store.queue.retainOp(message)] })
  }
}

function requireRole(actor: Actor, role: string): void {
  requireUser(actor)
  if (!actor.principal.roles.has(role) && !isAdmin(actor)) throw new Refusal('forbidden', `this needs the role ${role}`)
}
