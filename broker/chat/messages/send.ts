/** The commit of one message, and the answer to its sender. */
import { Refusal } from '../../../schemas/errors.js'
import { type AppendResult, type Draft, GuardConflict, type StoreError } from '../../store/changes.js'
import { storeRefusal } from '../../store/commit.js'
import { LaneChange } from '../../store/lane.js'
import type { Op } from '../../store/op.js'
import type { Submission } from '../../store/transaction.js'
import type { Actor } from '../model/actor.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Rates } from '../model/rates.js'
import type { Replies, SendResult } from '../model/replies.js'

export interface SendRequest {
  readonly actor: Actor
  /** The room, or the topic, as the answer names it. */
  readonly room: string
  readonly cid: string | null
  readonly publication: Publication
  readonly draft: Draft
  /** Ids of files that the message refers to; absent: none. */
  readonly files?: readonly string[]
  /** Position of the records on which the sender was authorised, unless that is guarded. */
  readonly asOf?: number
  /** Further drafts of the same commit. */
  readonly extraDrafts?: readonly Draft[]
  readonly publisher: Publisher
  /** Set if the message was charged to its room's rate before it was known to be a retry; then the charge is returned. */
  readonly charged?: Pick<Rates, 'giveBack'>
  /** Set if the message is a bot command. */
  readonly command?: NonNullable<SendResult['command']>
  /** The answer if the message turns out not to be a retry: a refusal, or the result of an earlier equal change. */
  readonly ifNotRetry?: Refusal | SendResult
}

/** One object per message. Hot path. */
export class Send extends LaneChange implements Submission {
  readonly drafts: readonly Draft[]
  readonly ops: readonly Op[]
  readonly #replies: Replies
  readonly #request: SendRequest

  constructor(replies: Replies, request: SendRequest) {
    super()
    this.drafts = request.extraDrafts ? [request.draft, ...request.extraDrafts] : [request.draft]
    this.ops = request.publication.ops
    this.#replies = replies
    this.#request = request
  }

  get asOf(): number | undefined {
    return this.#request.asOf
  }

  told(error: StoreError | null, results: readonly AppendResult[]): void {
    const { actor, cid, publisher } = this.#request
    const refusal = error ? this.#failureOf(error) : this.#refusalOf(results[0]!)
    if (refusal) return this.refused(refusal)
    const result = this.#resultOf(results[0]!)
    if (results[0]!.outcome === 'duplicate') this.#request.charged?.giveBack(this.#request.room)
    acceptSend(this.#replies, actor, cid, result)
    publisher.settled(null, result)
  }

  refused(refusal: Refusal): void {
    const { actor, cid, publication, publisher } = this.#request
    refuseSend(this.#replies, actor, refusal, cid, publication.topic)
    publisher.settled(refusal, null)
  }

  #resultOf({ outcome, id, seq, ts }: AppendResult): SendResult {
    const { room, command, ifNotRetry } = this.#request
    if (outcome === 'absent') return ifNotRetry as SendResult
    // The seq in the bot's event log is not a seq of the room, so the answer has 0.
    return command ? { id, room, seq: 0, ts, command } : { id, room, seq, ts }
  }

  /** A message without guards conflicts with nothing but the deletion of its room. */
  #failureOf(error: StoreError): Refusal {
    if (!(error instanceof GuardConflict)) return storeRefusal(error)
    const { room } = this.#request
    return new Refusal('not_found', `there is no room ${room}`, { field: 'room', cause: error })
  }

  #refusalOf({ outcome, seq }: AppendResult): Refusal | null {
    const { cid, ifNotRetry } = this.#request
    if (outcome === 'absent') return ifNotRetry instanceof Refusal ? ifNotRetry : null
    if (outcome !== 'conflict') return null
    return new Refusal('conflict', `cid ${JSON.stringify(cid)} was used for another message, seq ${seq}`, {
      field: 'cid',
    })
  }
}

/** Publishes a reply only if the send had a cid. */
export function acceptSend(replies: Replies, actor: Actor, cid: string | null, result: SendResult): void {
  if (cid !== null) replies.ok(actor, cid, 'send', JSON.stringify(result))
}

/** Always publishes a reply; without a cid it names the topic. */
export function refuseSend(replies: Replies, actor: Actor, refusal: Refusal, cid: string | null, topic: string): void {
  replies.refused(actor, cid, 'send', refusal, cid === null ? topic : undefined)
}
