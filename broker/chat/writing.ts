/** A checked message of someone who may write: counted, kept to the room's pace, stamped and appended. */
import { Refusal } from '../../schemas/errors.js'
import type { MessageInput } from '../../schemas/message.js'
import type { Draft, RoomRecord, Store } from '../store/store.js'
import type { Actor } from './actor.js'
import type { Changes } from './changes.js'
import { mentionNote } from './mentions.js'
import type { Checked } from './message.js'
import { isChange } from './message-types.js'
import type { Incoming, Receipt } from './pipeline.js'
import type { Rates } from './rates.js'
import type { References } from './references.js'
import type { Replies } from './replies.js'
import type { RoomRules } from './room-rules.js'
import { Send, type Sending } from './send.js'
import type { SlowMode } from './slow-mode.js'
import { stamp } from './stamp.js'
import { logs } from './views.js'

export interface WritingParts {
  readonly store: Pick<Store, 'commit'>
  readonly rules: RoomRules
  readonly slowMode: SlowMode
  readonly rates: Rates
  readonly changes: Changes
  readonly references: References
  readonly replies: Replies
}

export class Writing {
  readonly #parts: WritingParts

  constructor(parts: WritingParts) {
    this.#parts = parts
  }

  /** Into a room, at its pace. */
  toRoom(actor: Actor, room: RoomRecord, message: Checked, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    this.count(room.id, receipt)
    const slow =
      room.slowMode > 0 && !isChange(message.input) && !this.#parts.rules.moderates(actor, room.id, 'moderate')
    if (slow) return this.#writeSlowly(actor, room, message, incoming, receipt)
    return this.append(actor, room.id, message, '', incoming, receipt)
  }

  /** One more message into a room: who is above its rate rests, or is refused. */
  count(room: string, receipt: Receipt): void {
    if (!receipt.rest) return this.#parts.rates.requireRoom(room)
    const ms = this.#parts.rates.sent(room)
    if (ms > 0) receipt.rest(ms)
  }

  /** One message every so many seconds. A retry of one that was taken is answered all the same. */
  async #writeSlowly(
    actor: Actor,
    { id: room, slowMode: seconds }: RoomRecord,
    message: Checked,
    incoming: Incoming,
    receipt: Receipt,
  ): Promise<void> {
    const { slowMode } = this.#parts
    const { user } = actor.principal
    const early = slowMode.take(room, user, seconds)
    if (early > 0) return this.#onlyRetry(tooEarly(room, seconds, early), actor, room, message, '', incoming, receipt)
    const settled: Receipt['settled'] = (refusal, result) => {
      if (refusal) slowMode.giveBack(room, user)
      receipt.settled(refusal, result)
    }
    try {
      return await this.append(actor, room, message, '', incoming, { settled })
    } catch (error) {
      slowMode.giveBack(room, user)
      throw error
    }
  }

  /** Refused, unless it was taken before: then it is answered as the first time. */
  #onlyRetry(unlessRetry: Refusal, ...args: Parameters<Writing['append']>): void {
    if (args[2].cid === null) throw unlessRetry
    const sending = this.#sending(...args)
    const draft = { ...sending.draft, retryOnly: true }
    this.#parts.store.commit(new Send(this.#parts.replies, { ...sending, draft, unlessRetry }))
  }

  /** Stamps and appends. `to` is the receiver of a direct message, or empty. */
  append(
    actor: Actor,
    room: string,
    message: Checked,
    to: string,
    incoming: Incoming,
    receipt: Receipt,
  ): void | Promise<void> {
    const { input } = message
    const sending = this.#sending(actor, room, message, to, incoming, receipt)
    if (input) this.#parts.references.checkMentions(actor, room, input)
    if (isChange(input)) return this.#parts.changes.send(input, sending)
    if (input?.replyTo !== undefined || input?.thread !== undefined) return this.#appendReferring(input, sending)
    this.#parts.store.commit(new Send(this.#parts.replies, sending))
  }

  #sending(actor: Actor, room: string, message: Checked, to: string, incoming: Incoming, receipt: Receipt): Sending {
    const destination = { log: logs.messages(room), place: `"room":"${room}",`, ...(to === '' ? {} : { to }) }
    const stamped = stamp(actor, destination, message, incoming)
    const draft = message.input?.mentions ? mentioning(stamped, message.input) : stamped
    return { actor, room, cid: message.cid, incoming, draft, receipt }
  }

  /** A message that names others. */
  async #appendReferring(input: MessageInput, sending: Sending): Promise<void> {
    const { notes = [] } = (await this.#parts.references.check(sending.actor, sending.room, input)) ?? {}
    const effect = { notes: [...notes, ...(sending.draft.effect?.notes ?? [])] }
    this.#parts.store.commit(new Send(this.#parts.replies, { ...sending, draft: { ...sending.draft, effect } }))
  }
}

/** Acknowledged and answered: to keep it back or to cut the connection would hold up all the client does in other rooms. */
function tooEarly(room: string, seconds: number, early: number): Refusal {
  const retryAfter = Math.ceil(early / 1000)
  const why = `${room} is in slow mode: one message every ${seconds} s`
  return new Refusal('rate_limited', why, { retryAfter, final: true })
}

/** With a note of whom it mentions; what a change mentions belongs to its target. */
function mentioning(draft: Draft, input: MessageInput): Draft {
  return isChange(input) ? draft : { ...draft, effect: { notes: mentionNote(input.mentions, draft) } }
}
