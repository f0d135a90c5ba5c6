/** Changes of existing messages. Each is a log entry of its own, decided on its target, on the notes about it, and on who may write. */
import { Refusal } from '../../../schemas/errors.js'
import type { MessageOutput } from '../../../schemas/message.js'
import type { Draft } from '../../store/changes.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import type { AttachedFiles } from '../files/attached-files.js'
import { fileNotes } from '../files/file-references.js'
import { type Audit, auditActor } from '../model/audit.js'
import { type ChangeInput, checkEdit } from '../model/message-types.js'
import type { Replies, SendResult } from '../model/replies.js'
import { expiringBy } from '../model/stamp.js'
import { ChangeEffects, type ChangeRequest, type Outcome, pinsOfRoom } from './change-effects.js'
import type { References } from './references.js'
import { Send, type SendRequest } from './send.js'

export interface ChangesDeps {
  readonly store: Store
  readonly references: References
  readonly attachedFiles: AttachedFiles
  readonly replies: Replies
  readonly audit: Audit
  /** Seconds; 0: no limit. */
  readonly editWindow: number
  readonly reactionsPerMessage: number
}

export class Changes {
  readonly #store: Store
  readonly #references: References
  readonly #files: AttachedFiles
  readonly #replies: Replies
  readonly #audit: Audit
  readonly #effects: ChangeEffects

  constructor(deps: ChangesDeps) {
    this.#store = deps.store
    this.#references = deps.references
    this.#files = deps.attachedFiles
    this.#replies = deps.replies
    this.#audit = deps.audit
    this.#effects = new ChangeEffects(deps)
  }

  /**
   * Resolves when the change is in the store's queue.
   * @param requireAllowed Throws unless the sender may write, as read from the directory
   */
  send(input: ChangeInput, sending: SendRequest, requireAllowed: (directory: DirectoryStore) => void): Promise<void> {
    const { room, publication } = sending
    const key = input.type === 'pin' ? pinsOfRoom(room) : `message ${room} ${input.target}`
    return publication.lane.submit(key, async (tx) => {
      const checked = await this.#checked(tx, input, sending, requireAllowed)
      return new Send(this.#replies, { ...sending, ...checked })
    })
  }

  /** The send with its effect. After a refusal, a send that is only answered if it is a retry of an accepted change. */
  async #checked(
    tx: Transaction,
    input: ChangeInput,
    sending: SendRequest,
    requireAllowed: (directory: DirectoryStore) => void,
  ): Promise<Partial<SendRequest>> {
    try {
      requireAllowed(tx.directory)
      return await this.#authorised(tx, input, sending)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { draft: { ...sending.draft, retryOnly: true }, ifNotRetry: error }
    }
  }

  async #authorised(
    tx: Transaction,
    input: ChangeInput,
    { actor, room, draft, publication, files = [] }: SendRequest,
  ): Promise<Partial<SendRequest>> {
    const { entry, message } = await this.#references.find(actor, room, input.target, 'target')
    // A deleted message stays pinned until its note is removed.
    if (!message && input.type !== 'unpin')
      throw notFound(`message ${entry.seq} ${entry.gone?.why === 'deleted' ? 'was deleted' : 'has expired'}`)
    if (input.type === 'edit' && (message as MessageOutput).forwarded)
      throw new Refusal('forbidden', `message ${entry.seq} has the words of another; delete it, or forward anew`, {
        field: 'target',
      })
    if (input.type === 'edit') checkEdit(input, message!.type!)
    const request: ChangeRequest = { actor, room, input, target: entry, draft }
    const outcome: Outcome = await this.#effects.of(request, tx)
    if (outcome.same !== undefined)
      return { draft: { ...draft, retryOnly: true }, ifNotRetry: await this.#resultOf(request, outcome.same) }
    // A change expires with its target.
    const extra = message ? expiringBy(draft.extra ?? null, entry.extra?.expiresAt ?? 0) : (draft.extra ?? null)
    const referred = await this.#files.ops(tx, actor, room, files)
    const effect = { ...outcome.effect, notes: [...(outcome.effect.notes ?? []), ...fileNotes(files)] }
    return {
      draft: { ...draft, extra, effect, isChange: true },
      publication: { ...publication, ops: [...publication.ops, ...referred] },
      extraDrafts: this.#auditDrafts(request),
    }
  }

  /** Edits and deletes of others' messages are recorded in the audit log, in the same commit. */
  #auditDrafts({ actor, room, input: { type }, target, draft }: ChangeRequest): Draft[] {
    if (target.from === actor.principal.user || (type !== 'edit' && type !== 'delete')) return []
    const act = { action: `message.${type}`, user: target.from, room, details: { seq: target.seq } }
    const once = draft.dedupe && `${room} ${draft.dedupe.cid}`
    return this.#audit.drafts(auditActor(actor), act, 'ok', once)
  }

  /** The result that the sender of an earlier entry got. */
  async #resultOf({ room, draft }: ChangeRequest, seq: number): Promise<SendResult> {
    const [entry] = await this.#store.log.read(draft.log, seq - 1, 1, 1)
    if (entry?.seq !== seq) throw new Refusal('conflict', `message ${seq} has done this`, { field: 'target' })
    const { id, ts } = JSON.parse(entry.payload.toString('utf8')) as SendResult
    return { id, room, seq, ts }
  }
}

function notFound(message: string): Refusal {
  return new Refusal('not_found', message, { field: 'target' })
}
