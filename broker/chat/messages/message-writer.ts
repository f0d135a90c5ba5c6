/** Writes a checked message of an authorised sender: rate limit, slow mode, screening, stamp, append. */
import { Refusal } from '../../../schemas/errors.js'
import { SYSTEM } from '../../../schemas/ids.js'
import type { MessageInput } from '../../../schemas/message.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import { personBehind } from '../../store/persons.js'
import type { RoomRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import { BoundedCache } from '../../util/bounded-cache.js'
import type { AttachedFiles } from '../files/attached-files.js'
import { fileNotes, filesOf, hasFiles } from '../files/file-references.js'
import { mentionNote } from '../history/mentions.js'
import { replyNotes } from '../history/threads.js'
import type { Actor } from '../model/actor.js'
import type { CheckedMessage } from '../model/message.js'
import { isChange } from '../model/message-types.js'
import { requireReachable } from '../model/privacy.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Rates } from '../model/rates.js'
import type { Replies, SendResult } from '../model/replies.js'
import { type Destination, stamp } from '../model/stamp.js'
import { decideAgain, decideUpToDate } from '../model/up-to-date.js'
import { logs } from '../model/views.js'
import { RoomRules } from '../rooms/room-rules.js'
import type { Changes } from './changes.js'
import type { Forwarding } from './forwarding.js'
import type { Post } from './post.js'
import type { References } from './references.js'
import type { Screening, Verdict } from './screening.js'
import { Send, type SendRequest } from './send.js'
import { commandDraft, findCommand } from './slash-commands.js'
import { paceOp, requirePace, tooEarly } from './slow-mode.js'

export interface MessageWriterDeps {
  readonly store: Pick<Store, 'asOf' | 'catchUp' | 'commit' | 'directory' | 'expiring'>
  readonly rules: RoomRules
  readonly screening: Screening
  readonly rates: Rates
  readonly changes: Changes
  readonly references: References
  readonly forwarding: Forwarding
  readonly attachedFiles: AttachedFiles
  readonly replies: Replies
  /** A screen asks moderators to look at a message that was accepted. */
  readonly flagged: (actor: Actor, message: CheckedMessage, result: SendResult, why: string) => void
}

export class MessageWriter {
  readonly #deps: MessageWriterDeps
  /** Destinations by room. The same strings for all messages of a room, because the log is looked up by them. */
  readonly #destinations = new BoundedCache<Destination>((room) => ({
    log: logs.messages(room),
    place: `"room":"${room}",`,
  }))

  constructor(deps: MessageWriterDeps) {
    this.#deps = deps
  }

  /** Writes to a room, in its slow mode. */
  writeToRoom(room: RoomRecord, post: Post): void | Promise<void> {
    this.chargeRate(room.id, post.publisher)
    const slow =
      room.slowMode > 0 &&
      !isChange(post.message.input) &&
      !this.#deps.rules.mayModerate(post.actor, room.id, 'moderate')
    return slow ? this.#writeSlowly(room, post) : this.append(post)
  }

  /** Charges the message to the room's rate: above it the publisher is paused, or refused if it cannot be paused. */
  chargeRate(room: string, publisher: Publisher): void {
    if (!publisher.pause) return this.#deps.rates.requireRoomRate(room)
    const ms = this.#deps.rates.chargeRoom(room)
    if (ms > 0) publisher.pause(ms)
  }

  /** Slow mode: one message per interval. A retry of an accepted message is answered, and does not count. */
  async #writeSlowly(slow: RoomRecord, post: Post): Promise<void> {
    const { expiring, directory } = this.#deps.store
    if (post.message.cid !== null && (await this.#isRetry(post)))
      return this.#refuseUnlessRetry(post, tooEarly(slow, slow.slowMode * 1000))
    try {
      // Before the message is screened, which costs more. It is decided when the message is committed.
      await requirePace(expiring, slow, personBehind(directory, post.actor.principal.user))
    } catch (error) {
      return this.#refuseUnlessRetry(post, error)
    }
    return this.append({ ...post, slow })
  }

  /** Whether the log already has this message, so that it does not count in slow mode. */
  async #isRetry(post: Post): Promise<boolean> {
    const { draft } = this.#request(post)
    const [result] = await commit(this.#deps.store, { drafts: [{ ...draft, retryOnly: true }] })
    return result!.outcome !== 'absent'
  }

  /** Screens, stamps and appends. */
  append(post: Post): void | Promise<void> {
    const { input } = post.message
    return input?.forward || hasFiles(input) ? this.#complete(post) : this.#screen(post)
  }

  async #complete(post: Post): Promise<void> {
    let message: CheckedMessage
    try {
      message = await this.#upToDate(post, () => this.#completed(post))
      this.#requireStillAllowed(post)
    } catch (error) {
      return this.#refuseUnlessRetry(post, error)
    }
    return this.#screen({ ...post, message })
  }

  /** With the content that it forwards, and with what its files are. */
  async #completed({ actor, room, message }: Post): Promise<CheckedMessage> {
    const { forwarding, attachedFiles } = this.#deps
    const { forward } = message.input!
    const whole = forward ? await forwarding.fill(actor, room, message, forward) : message
    return hasFiles(whole.input) ? attachedFiles.describe(actor, whole) : whole
  }

  #screen(post: Post): void | Promise<void> {
    try {
      return this.#screenOnce(post)
    } catch (error) {
      const again = decideAgain(this.#deps.store, post.actor, error, () => this.#screenOnce(post))
      if (!again) return this.#refuseUnlessRetry(post, error)
      return again.catch((why: unknown) => this.#refuseUnlessRetry(post, why))
    }
  }

  /** A screen that refuses at once did so on what is in memory. */
  #screenOnce(post: Post): void | Promise<void> {
    const { actor, room, message } = post
    const verdict = this.#deps.screening.screen(actor, room, message)
    if (verdict instanceof Promise) return this.#appendAfter(verdict, post)
    return this.#append(verdict ? this.#applyVerdict(post, verdict) : post)
  }

  /** Permissions may have changed while the screens were waited for, so they are checked again. */
  async #appendAfter(screening: Promise<Verdict | undefined>, post: Post): Promise<void> {
    try {
      const verdict = await screening
      const judged = verdict ? this.#applyVerdict(post, verdict) : post
      await this.#upToDate(post, () => {
        this.#requireStillAllowed(post)
        return this.#append(judged)
      })
    } catch (error) {
      this.#refuseUnlessRetry(post, error)
    }
  }

  #applyVerdict(post: Post, { message = post.message, report }: Verdict): Post {
    if (report === undefined) return { ...post, message }
    const settled: Publisher['settled'] = (refusal, result) => {
      if (result) this.#deps.flagged(post.actor, message, result, report)
      post.publisher.settled(refusal, result)
    }
    return { ...post, message, publisher: { settled } }
  }

  #upToDate<T>({ actor }: Post, decide: () => T | Promise<T>): Promise<T> {
    return decideUpToDate(this.#deps.store, actor, decide)
  }

  /** @param directory Of the transaction that relies on it */
  #requireStillAllowed({ actor, room, to }: Post, directory: DirectoryStore = this.#deps.store.directory): void {
    const rules = new RoomRules(directory)
    const { user } = actor.principal
    if (to !== '') requireReachable(directory, to, user, 'messages', `you may not write to ${to}`)
    else if (user !== SYSTEM) rules.requireWriter(rules.requireMember(actor, room))
  }

  #append(post: Post): void | Promise<void> {
    const { actor, room, message } = post
    const { input } = message
    const request = this.#request(post)
    if (request.command) return this.#commit(post, request)
    if (input) this.#deps.references.checkMentions(actor, room, input)
    if (isChange(input))
      return this.#deps.changes.send(input, request, (directory) => this.#requireStillAllowed(post, directory))
    if (input?.replyTo !== undefined || input?.thread !== undefined)
      return this.#appendWithReferences(input, post, request)
    return this.#commit(post, request)
  }

  /** Refuses the message, unless it is a retry of an accepted one: then the log returns the first result. */
  #refuseUnlessRetry(post: Post, why: unknown): void {
    if (!(why instanceof Refusal) || post.message.cid === null) throw why
    const request = this.#request(post)
    const draft = { ...request.draft, retryOnly: true }
    post.publication.lane.commit(new Send(this.#deps.replies, { ...request, draft, ifNotRetry: why }))
  }

  /** A bot command goes to the bot's log instead of the room's. */
  #request({ actor, room, message, to, publication, publisher }: Post): SendRequest {
    const { rates: charged, store } = this.#deps
    // The sender was authorised in this turn of the event loop.
    const asOf = store.asOf()
    const use = findCommand(store.directory, actor, room, message)
    if (use) {
      const command = { bot: use.bot, name: use.command, owner: use.owner }
      const draft = commandDraft(actor, room, use, message)
      return { actor, room, cid: message.cid, publication, draft, asOf, publisher, charged, command }
    }
    const inRoom = this.#destinations.get(room)
    const destination = to === '' ? inRoom : { ...inRoom, to }
    const stamped = stamp(actor, destination, message, publication)
    const files = filesOf(message.input)
    const draft = message.input ? withNotes(stamped, message.input, files) : stamped
    const recorded = message.forwarded
      ? this.#withForwardRecord(publication, room, message.forwarded.from)
      : publication
    return { actor, room, cid: message.cid, publication: recorded, draft, files, asOf, publisher, charged }
  }

  /** Records that the room has content of `user`, so that it is found when the account is deleted. */
  #withForwardRecord(publication: Publication, room: string, user: string): Publication {
    const { forwarded } = this.#deps.store.directory
    if (forwarded.get(room, user)) return publication
    return { ...publication, ops: [...publication.ops, forwarded.putOp({ room, user })] }
  }

  /** Appends a message that replies to another or belongs to a thread. */
  async #appendWithReferences(input: MessageInput, post: Post, request: SendRequest): Promise<void> {
    const { actor, room } = request
    await this.#upToDate(post, () => this.#deps.references.check(actor, room, input))
    const notes = input.thread === undefined ? [] : replyNotes(input.thread, request.draft)
    const effect = { notes: [...notes, ...(request.draft.effect?.notes ?? [])] }
    return this.#commit(post, { ...request, draft: { ...request.draft, effect } })
  }

  #commit(post: Post, request: SendRequest): void | Promise<void> {
    if (post.slow || request.files?.length) return this.#commitDecided(post, request)
    request.publication.lane.commit(new Send(this.#deps.replies, request))
  }

  /** Decides in the commit of the message whether it comes too early, which counts it, and whether the sender may refer to its files. */
  #commitDecided(post: Post, request: SendRequest): Promise<void> {
    const { store, replies } = this.#deps
    const { publication, draft } = request
    const person = personBehind(store.directory, post.actor.principal.user)
    const key = post.slow ? `slow mode ${post.slow.id} ${person}` : `files in ${request.room}`
    return publication.lane.submit(key, async (tx) => {
      try {
        this.#requireStillAllowed(post, tx.directory)
        const ops = [...publication.ops, ...(await this.#decidedOps(tx, post, request))]
        return new Send(replies, { ...request, publication: { ...publication, ops } })
      } catch (error) {
        if (!(error instanceof Refusal) || request.cid === null) throw error
        return new Send(replies, { ...request, draft: { ...draft, retryOnly: true }, ifNotRetry: error })
      }
    })
  }

  async #decidedOps(tx: Transaction, { slow, actor }: Post, { room, files = [] }: SendRequest): Promise<Op[]> {
    const referred = await this.#deps.attachedFiles.ops(tx, actor, room, files)
    if (!slow) return referred
    return [...referred, await paceOp(tx.expiring, slow, personBehind(tx.directory, actor.principal.user))]
  }
}

/** Adds the notes of a new message. Those of a change are decided with its target. */
function withNotes(draft: Draft, input: MessageInput, files: readonly string[]): Draft {
  if (isChange(input)) return draft
  const notes = [...mentionNote(input.mentions, draft), ...fileNotes(files)]
  return notes.length === 0 ? draft : { ...draft, effect: { notes } }
}
