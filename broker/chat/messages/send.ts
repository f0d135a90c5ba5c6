/** A message on its way through the store, and what its sender hears of it. */
import { Refusal } from '../../../schemas/errors.js'
import type { AppendResult, Change, Draft, StoreError } from '../../store/changes.js'
import type { Op } from '../../store/op.js'
import type { Actor } from '../model/actor.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Rates } from '../model/rates.js'
import type { Replies, SendResult } from '../model/replies.js'

export interface Sending {
  readonly actor: Actor
  /** The room, or where else it goes, as the answer names it. */
  readonly room: string
  readonly cid: string | null
  readonly publication: Publication
  readonly draft: Draft
  /** Committed with it. */
  readonly along?: readonly Draft[]
  readonly publisher: Publisher
  /** Where it was counted for its room before it was known whether it is a retry. */
  readonly counted?: Pick<Rates, 'giveBack'>
  /** It was a command, and went to a bot. */
  readonly command?: NonNullable<SendResult['command']>
  /** What its sender hears if it is no retry: why it is refused, or what has been done before. */
  readonly unlessRetry?: Refusal | SendResult
}

/** One object per message. */
export class Send implements Change {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  readonly #replies: Replies
  readonly #sending: Sending

  constructor(replies: Replies, sending: Sending) {
    this.drafts = sending.along ? [sending.draft, ...sending.along] : [sending.draft]
    this.ops = sending.publication.ops
    this.#replies = replies
    this.#sending = sending
  }

  settled(error: StoreError | null, results: readonly AppendResult[]): void {
    const { actor, cid, publication, publisher } = this.#sending
    const refusal = error ? storeRefusal(error) : this.#refusalOf(results[0]!)
    if (refusal) {
      refuseSend(this.#replies, actor, refusal, cid, publication.topic)
      publisher.settled(refusal, null)
      return
    }
    const result = this.#resultOf(results[0]!)
    if (results[0]!.outcome === 'duplicate') this.#sending.counted?.giveBack(this.#sending.room)
    acceptSend(this.#replies, actor, cid, result)
    publisher.settled(null, result)
  }

  #resultOf({ outcome, id, seq, ts }: AppendResult): SendResult {
    const { room, command, unlessRetry } = this.#sending
    if (outcome === 'absent') return unlessRetry as SendResult
    // What number it has among the events of the bot is the bot's business.
    return command ? { id, room, seq: 0, ts, command } : { id, room, seq, ts }
  }

  #refusalOf({ outcome, seq }: AppendResult): Refusal | null {
    const { cid, unlessRetry } = this.#sending
    if (outcome === 'absent') return unlessRetry instanceof Refusal ? unlessRetry : null
    if (outcome !== 'conflict') return null
    return new Refusal('conflict', `cid ${JSON.stringify(cid)} was used for another message, seq ${seq}`, {
      field: 'cid',
    })
  }
}

/** Answered where a cid asks for it. */
export function acceptSend(replies: Replies, actor: Actor, cid: string | null, result: SendResult): void {
  if (cid !== null) replies.ok(actor, cid, 'send', JSON.stringify(result))
}

/** Answered always; without a cid, by its topic. */
export function refuseSend(replies: Replies, actor: Actor, refusal: Refusal, cid: string | null, topic: string): void {
  replies.refused(actor, cid, 'send', refusal, cid === null ? topic : undefined)
}

export function storeRefusal(error: StoreError): Refusal {
  return new Refusal(
    'unavailable',
    error.full ? 'the disk is full; nothing was stored' : 'nothing was stored; try again',
    { cause: error, retryAfter: 1 },
  )
}
