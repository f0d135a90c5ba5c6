/** A message on its way through the store, and what its sender hears of it. */
import { Refusal } from '../../schemas/errors.js'
import type { AppendResult, Change, Draft, Op, StoreError } from '../store/store.js'
import type { Actor } from './actor.js'
import type { Incoming, Receipt } from './pipeline.js'
import type { Replies, SendResult } from './replies.js'

export interface Sending {
  readonly actor: Actor
  /** The room, or where else it goes, as the answer names it. */
  readonly room: string
  readonly cid: string | null
  readonly incoming: Incoming
  readonly draft: Draft
  readonly receipt: Receipt
  /** Why it is refused, unless it is a retry of what was not. */
  readonly unlessRetry?: Refusal
}

/** One object per message. */
export class Send implements Change {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  readonly #replies: Replies
  readonly #sending: Sending

  constructor(replies: Replies, sending: Sending) {
    this.drafts = [sending.draft]
    this.ops = sending.incoming.ops
    this.#replies = replies
    this.#sending = sending
  }

  settled(error: StoreError | null, results: readonly AppendResult[]): void {
    const { actor, room, cid, incoming, receipt } = this.#sending
    const refusal = error ? storeRefusal(error) : this.#refusalOf(results[0]!)
    if (refusal) {
      refuseSend(this.#replies, actor, refusal, cid, incoming.topic)
      receipt.settled(refusal, null)
      return
    }
    const { id, seq, ts } = results[0]!
    const result = { id, room, seq, ts }
    acceptSend(this.#replies, actor, cid, result)
    receipt.settled(null, result)
  }

  #refusalOf({ outcome, seq }: AppendResult): Refusal | null {
    const { cid, unlessRetry } = this.#sending
    if (outcome === 'absent') return unlessRetry!
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
