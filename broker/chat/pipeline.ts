/**
 * The entrance of every publish, from any transport: parse the topic, validate, authorise; messages/message-writer.ts then stamps and appends.
 * Delivery comes back through the log, or through the bus for what no log keeps, so that every node delivers by the same code.
 */

import { Refusal } from '../../schemas/errors.js'
import { directMembers, directRoom, SYSTEM } from '../../schemas/ids.js'
import { parseTopic, type Topic, topics } from '../../schemas/topics.js'
import type { StoreError } from '../store/changes.js'
import { storeRefusal } from '../store/commit.js'
import type { Lane } from '../store/lane.js'
import type { Op } from '../store/op.js'
import type { RoomRecord } from '../store/rooms.js'
import type { Store } from '../store/store.js'
import { BoundedCache } from '../util/bounded-cache.js'
import type { Requests } from './commands/requests.js'
import type { DeviceTopics } from './devices/device-topics.js'
import type { MessageWriter } from './messages/message-writer.js'
import type { PlainTopics } from './messages/plain-topics.js'
import type { Post } from './messages/post.js'
import { refuseSend } from './messages/send.js'
import { type Actor, requireUser } from './model/actor.js'
import { type DiskSpace, requireSpace } from './model/disk-space.js'
import { type CheckedMessage, checkMessage, cidOf } from './model/message.js'
import { requireReachable } from './model/privacy.js'
import { clearsRetained, type Publication, type Publisher, requireFewProperties } from './model/publication.js'
import type { Replies } from './model/replies.js'
import { decideAgain } from './model/up-to-date.js'
import type { Announcements } from './notices/announcements.js'
import type { Notifications } from './notices/notifications.js'
import type { EphemeralMessages } from './presence/ephemeral.js'
import type { Receipts } from './presence/receipts.js'
import type { DirectConversations } from './rooms/direct-conversations.js'
import type { RoomEntry } from './rooms/room-entry.js'
import type { RoomRules } from './rooms/room-rules.js'

export interface PipelineDeps {
  readonly store: Store
  readonly entry: RoomEntry
  readonly rules: RoomRules
  readonly writer: MessageWriter
  readonly directConversations: DirectConversations
  readonly replies: Replies
  readonly requests: Requests
  readonly ephemeral: EphemeralMessages
  readonly notifications: Notifications
  readonly announcements: Announcements
  readonly receipts: Receipts
  readonly plainTopics: PlainTopics
  readonly deviceTopics: DeviceTopics
  readonly space: DiskSpace
  readonly payloadBytes: number
  readonly syncBytes: number
  readonly propertyBytes: number
}

export class Pipeline {
  readonly #deps: PipelineDeps
  /** Parsed topics, because clients publish on the same topics again. */
  readonly #topics = new BoundedCache(parseTopic)

  constructor(deps: PipelineDeps) {
    this.#deps = deps
  }

  /**
   * Handles a publish. Returns nothing if it entered the store's queue at once, or a promise if something must be read or written before.
   * Only the next publish of the same connection waits for it.
   */
  publish(actor: Actor, publication: Publication, publisher: Publisher): void | Promise<void> {
    try {
      const work = this.#route(actor, this.#topics.get(publication.topic), publication, publisher)
      return work?.catch((error: unknown) => this.#refuse(actor, publication, publisher, error))
    } catch (error) {
      return this.#refuse(actor, publication, publisher, error)
    }
  }

  #refuse(actor: Actor, publication: Publication, publisher: Publisher, error: unknown): void | Promise<void> {
    const again = decideAgain(this.#deps.store, actor, error, () =>
      this.#route(actor, this.#topics.get(publication.topic), publication, publisher),
    )
    if (!again) return this.#rejectRefusal(actor, publication, publisher, error)
    return again.catch((why: unknown) => this.#rejectRefusal(actor, publication, publisher, why))
  }

  #rejectRefusal(actor: Actor, publication: Publication, publisher: Publisher, error: unknown): void {
    if (!(error instanceof Refusal)) throw error
    this.reject(actor, publication, publisher, error)
  }

  /** Refuses a publish in order: acks leave in the order of the publishes. The packet id of a refused QoS 2 publish is stored too. */
  reject(actor: Actor, publication: Publication, publisher: Publisher, why: Refusal): void {
    const settled = (failure?: StoreError | null): void => {
      const refusal = failure ? storeRefusal(failure) : why
      refuseSend(this.#deps.replies, actor, refusal, cidOf(publication.payload), publication.topic)
      publisher.settled(refusal, null)
    }
    commitOps(publication.lane, why.transient ? [] : publication.ops, settled)
  }

  /** `sync` requests may be longer, because they grow with the number of rooms. */
  #requireShortEnough(topic: Topic, length: number): void {
    const { payloadBytes, syncBytes } = this.#deps
    const syncs = topic.kind === 'request' && topic.method === 'sync'
    const [most, limit] = syncs ? [syncBytes, 'limits.syncBytes'] : [payloadBytes, 'limits.payloadBytes']
    if (length > most) throw new Refusal('too_large', `the payload has ${length} bytes; at most ${most} (${limit})`)
  }

  #route(actor: Actor, topic: Topic, publication: Publication, publisher: Publisher): void | Promise<void> {
    if (publication.payload.length > this.#deps.payloadBytes)
      this.#requireShortEnough(topic, publication.payload.length)
    requireFewProperties(publication.extra, this.#deps.propertyBytes)
    switch (topic.kind) {
      case 'room':
        return this.#toRoom(actor, topic, publication, publisher)
      case 'user':
        return this.#toUser(actor, topic, publication, publisher)
      case 'request':
        requireOwn(actor, topic.user, publication.topic)
        return this.#acknowledgeAfter(
          this.#deps.requests.handle(actor, topic.method, publication),
          publication,
          publisher,
        )
      case 'broadcast':
        requireSpace(this.#deps.space)
        return this.#deps.announcements.publish(actor, topic.channel, publication, publisher)
      case 'device':
        if (!clearsRetained(publication)) requireSpace(this.#deps.space)
        return this.#deps.deviceTopics.publish(actor, topic, publication, publisher)
      case 'plain':
        if (!clearsRetained(publication)) requireSpace(this.#deps.space)
        return this.#deps.plainTopics.publish(actor, topic, publication, publisher)
      case 'sys':
        throw new Refusal('forbidden', `${publication.topic}: only the broker publishes below $SYS`)
      case 'invalid':
        throw topicRefused(topic.why)
    }
  }

  #toRoom(
    actor: Actor,
    topic: Topic & { kind: 'room' },
    publication: Publication,
    publisher: Publisher,
  ): void | Promise<void> {
    switch (topic.leaf) {
      case 'messages':
      case 'text':
        return this.#sendToRoom(actor, topic.room, topic.leaf === 'text', publication, publisher)
      case 'typing':
        this.#deps.ephemeral.typing(actor, topic.room, publication.payload)
        return this.#acknowledge(publication, publisher)
      case 'receipts':
        return this.#acknowledgeAfter(
          this.#deps.receipts.publish(actor, topic.room, publication.payload),
          publication,
          publisher,
        )
      default:
        throw new Refusal('forbidden', `only the broker publishes on ${publication.topic}`)
    }
  }

  #sendToRoom(
    actor: Actor,
    room: string,
    bare: boolean,
    publication: Publication,
    publisher: Publisher,
  ): void | Promise<void> {
    if (directMembers(room)) throw topicRefused(`direct messages are sent to ${topics.user('{user}', 'messages')}`)
    const user = requireUser(actor)
    const { directory } = this.#deps.store
    const member = directory.member(room, user)
    if (member) {
      const record = this.#deps.rules.requireWriter(member)
      const message = this.#message(publication.payload, bare)
      return this.#write({ actor, room, message, to: '', publication, publisher }, record, publication)
    }
    const message = this.#message(publication.payload, bare)
    const post: Post = { actor, room, message, to: '', publication, publisher }
    if (user === SYSTEM || !publication.joins) {
      if (user === SYSTEM) this.#deps.rules.requireVisible(actor, room)
      else this.#deps.rules.requireMember(actor, room)
      return this.#write(post, null, publication)
    }
    return this.#deps.entry.enter(actor, room).then(() => {
      const record = this.#deps.rules.requireWriter(this.#deps.rules.requireMember(actor, room))
      return this.#write(post, record, publication)
    })
  }

  /**
   * Hands an authorised message to the writer. What that refuses is not decided again here: it would be charged and screened twice.
   * @param slow Has a slow mode that applies; null: none does. `published`: as it came, to be refused
   */
  #write(post: Post, slow: RoomRecord | null, published: Publication): void | Promise<void> {
    const { actor, publisher } = post
    const { writer } = this.#deps
    try {
      const work = slow ? writer.writeToRoom(slow, post) : writer.append(post)
      return work?.catch((error: unknown) => this.#rejectRefusal(actor, published, publisher, error))
    } catch (error) {
      this.#rejectRefusal(actor, published, publisher, error)
    }
  }

  #toUser(
    actor: Actor,
    topic: Topic & { kind: 'user' },
    publication: Publication,
    publisher: Publisher,
  ): void | Promise<void> {
    switch (topic.leaf) {
      case 'messages':
        return this.#sendToUser(actor, topic.user, publication, publisher)
      case 'notifications':
        requireSpace(this.#deps.space)
        return this.#deps.notifications.publish(actor, topic.user, publication, publisher)
      case 'signals':
        return this.#acknowledgeAfter(
          this.#deps.ephemeral.signal(actor, topic.user, publication.payload),
          publication,
          publisher,
        )
      case 'presence':
        requireOwn(actor, topic.user, publication.topic)
        this.#deps.ephemeral.presence(actor, publication.payload)
        return this.#acknowledge(publication, publisher)
      default:
        throw new Refusal('forbidden', `only the broker publishes on ${publication.topic}`)
    }
  }

  /** Checks the message. Deletes are accepted even on a nearly full disk. */
  #message(payload: Buffer, bare: boolean): CheckedMessage {
    const { space } = this.#deps
    const message = checkMessage(payload, bare)
    if (space.low && message.input?.type !== 'delete') requireSpace(space)
    return message
  }

  #sendToUser(actor: Actor, to: string, publication: Publication, publisher: Publisher): void | Promise<void> {
    const user = requireUser(actor)
    requireReachable(this.#deps.store.directory, to, user, 'messages', `you may not write to ${to}`)
    const message = this.#message(publication.payload, false)
    const room = directRoom(user, to)
    this.#deps.writer.chargeRate(room, publisher)
    const post: Post = {
      actor,
      room,
      message,
      to,
      publication: this.#withWrittenRecord(room, user, publication),
      publisher,
    }
    if (this.#deps.directConversations.isOpen(room, user, to)) return this.#write(post, null, publication)
    return this.#openConversation(actor, to).then(() => this.#write(post, null, publication))
  }

  /** Records with the first message of each of the two users that they have written, in the same commit. */
  #withWrittenRecord(room: string, user: string, publication: Publication): Publication {
    const { written } = this.#deps.store.directory
    if (written.get(room, user)) return publication
    return { ...publication, ops: [...publication.ops, written.putOp({ room, user })] }
  }

  async #openConversation(actor: Actor, to: string): Promise<void> {
    if (!(await this.#deps.store.directory.user(to))) throw new Refusal('not_found', `there is no user ${to}`)
    await this.#deps.directConversations.ensure(actor.principal.user, to)
  }

  /** Acknowledges a publish that stores nothing, in order with the others of the connection. */
  #acknowledge(publication: Publication, publisher: Publisher): void {
    const settled = (error?: StoreError | null): void => publisher.settled(error ? storeRefusal(error) : null, null)
    commitOps(publication.lane, publication.ops, settled)
  }

  async #acknowledgeAfter(work: Promise<void>, publication: Publication, publisher: Publisher): Promise<void> {
    await work
    this.#acknowledge(publication, publisher)
  }
}

/** Commits what there is to commit, and settles in the order of the lane. */
function commitOps(lane: Lane, ops: readonly Op[], settled: (error?: StoreError | null) => void): void {
  if (ops.length > 0) lane.commit({ drafts: [], ops, settled })
  else lane.after(settled)
}

function requireOwn(actor: Actor, user: string, topic: string): void {
  if (requireUser(actor) !== user) throw new Refusal('forbidden', `${topic} belongs to ${user}`)
}

/** Refuses a well-formed topic on which nothing can be published: Topic Name invalid [MQTT5-3.4.2.1]. */
function topicRefused(why: string): Refusal {
  return new Refusal('bad_request', why, { reason: 0x90 })
}
