/**
 * The way of a message in: parse the topic, validate, authorise, then writing.ts stamps and appends. It knows neither MQTT nor sessions: delivery comes back
 * through the log (or the bus, for what no log keeps), on every node alike.
 */

import { Refusal } from '../../schemas/errors.js'
import { directMembers, directRoom, SYSTEM } from '../../schemas/ids.js'
import { parseTopic, type Topic, topics } from '../../schemas/topics.js'
import type { Draft, Extra, Op, QoS, Store, StoreError } from '../store/store.js'
import { type Actor, type AnswerTo, requireUser } from './actor.js'
import type { Announcements } from './announcements.js'
import type { DeviceTopics } from './device-topics.js'
import type { DirectConversations } from './direct-conversations.js'
import type { Members } from './members.js'
import { Memo } from './memo.js'
import { type Checked, checkMessage, cidOf } from './message.js'
import type { Moments } from './moments.js'
import type { Notifications } from './notifications.js'
import type { Plain } from './plain.js'
import { requireReachable } from './privacy.js'
import type { Receipts } from './receipts.js'
import type { Replies, SendResult } from './replies.js'
import type { Requests } from './requests.js'
import type { RoomRules } from './room-rules.js'
import type { Rooms } from './rooms.js'
import { refuseSend, Send, storeRefusal } from './send.js'
import { requireSpace, type Space } from './space.js'
import type { Writing } from './writing.js'

/** What was published. */
export interface Incoming {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: QoS
  readonly retain: boolean
  /** Writes that must be durable with it: the packet id of a QoS 2 publish. */
  readonly ops: readonly Op[]
  /** Whether it joins a public room; a will never does. */
  readonly joins: boolean
  /** What an MQTT 5 publisher added, to be passed on. */
  readonly extra?: Extra | null
  /** Where an MQTT 5 request wants its reply, and how it knows it. */
  readonly answer?: AnswerTo | null
}

/** Hears once, in the order of the publishes of one connection, what became of it. */
export interface Receipt {
  settled(refusal: Refusal | null, result: SendResult | null): void
  /** The sender is above the rate: nothing more is to be taken from it for so many ms. Absent: it is refused instead. */
  rest?(ms: number): void
}

export interface PipelineParts {
  readonly store: Store
  readonly rooms: Rooms
  readonly members: Members
  readonly rules: RoomRules
  readonly writing: Writing
  readonly directs: DirectConversations
  readonly replies: Replies
  readonly requests: Requests
  readonly moments: Moments
  readonly notifications: Notifications
  readonly announcements: Announcements
  readonly receipts: Receipts
  readonly plain: Plain
  readonly deviceTopics: DeviceTopics
  readonly space: Space
  readonly payloadBytes: number
  readonly syncBytes: number
  readonly propertyBytes: number
}

export class Pipeline {
  readonly #parts: PipelineParts
  /** Whoever publishes on a topic does so again. */
  readonly #topics = new Memo(parseTopic)

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /**
   * Takes a publish. Returns once it has its place in the store's queue: at once (nothing), or with a promise where something must be read
   * or written first. The next publish of the connection waits for that, and only for that.
   */
  publish(actor: Actor, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    try {
      const work = this.#route(actor, this.#topics.get(incoming.topic), incoming, receipt)
      return work?.catch((error: unknown) => this.#caught(actor, incoming, receipt, error))
    } catch (error) {
      this.#caught(actor, incoming, receipt, error)
    }
  }

  #caught(actor: Actor, incoming: Incoming, receipt: Receipt, error: unknown): void {
    if (!(error instanceof Refusal)) throw error
    this.reject(actor, incoming, receipt, error)
  }

  /** Refuses in its turn: acks leave in the order of the publishes. What a refused QoS 2 publish must remember is kept too. */
  reject(actor: Actor, incoming: Incoming, receipt: Receipt, why: Refusal): void {
    const settled = (failure: StoreError | null): void => {
      const refusal = failure ? storeRefusal(failure) : why
      refuseSend(this.#parts.replies, actor, refusal, cidOf(incoming.payload), incoming.topic)
      receipt.settled(refusal, null)
    }
    this.#parts.store.commit({ drafts: [], ops: why.transient ? [] : incoming.ops, settled })
  }

  /** `sync` carries back what the broker answered, which grows with the rooms one is in. */
  #requireLong(topic: Topic, length: number): void {
    const { payloadBytes, syncBytes } = this.#parts
    const syncs = topic.kind === 'request' && topic.method === 'sync'
    const [most, limit] = syncs ? [syncBytes, 'limits.syncBytes'] : [payloadBytes, 'limits.payloadBytes']
    if (length > most) throw new Refusal('too_large', `the payload has ${length} bytes; at most ${most} (${limit})`)
  }

  #route(actor: Actor, topic: Topic, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    if (incoming.payload.length > this.#parts.payloadBytes) this.#requireLong(topic, incoming.payload.length)
    requireFewProperties(incoming.extra, this.#parts.propertyBytes)
    switch (topic.kind) {
      case 'room':
        return this.#toRoom(actor, topic, incoming, receipt)
      case 'user':
        return this.#toUser(actor, topic, incoming, receipt)
      case 'request':
        requireOwn(actor, topic.user, incoming.topic)
        return this.#settleAfter(
          this.#parts.requests.handle(answering(actor, incoming), topic.method, incoming.payload),
          incoming,
          receipt,
        )
      case 'broadcast':
        requireSpace(this.#parts.space)
        return this.#parts.announcements.publish(actor, topic.channel, incoming, receipt, this)
      case 'device':
        if (!clears(incoming)) requireSpace(this.#parts.space)
        return this.#parts.deviceTopics.publish(actor, topic, incoming, receipt)
      case 'plain':
        if (!clears(incoming)) requireSpace(this.#parts.space)
        return this.#parts.plain.publish(actor, topic, incoming, receipt)
      case 'sys':
        throw new Refusal('forbidden', `${incoming.topic}: only the broker publishes below $SYS`)
      case 'invalid':
        throw topicRefused(topic.why)
    }
  }

  #toRoom(actor: Actor, topic: Topic & { kind: 'room' }, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    switch (topic.leaf) {
      case 'messages':
      case 'text':
        return this.#sendToRoom(actor, topic.room, topic.leaf === 'text', incoming, receipt)
      case 'typing':
        this.#parts.moments.typing(actor, topic.room, incoming.payload)
        return this.#settle(incoming, receipt)
      case 'receipts':
        return this.#settleAfter(this.#parts.receipts.publish(actor, topic.room, incoming.payload), incoming, receipt)
      default:
        throw new Refusal('forbidden', `only the broker publishes on ${incoming.topic}`)
    }
  }

  #sendToRoom(actor: Actor, room: string, bare: boolean, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    if (directMembers(room)) throw topicRefused(`direct messages are sent to ${topics.user('{user}', 'messages')}`)
    const user = requireUser(actor)
    const { directory } = this.#parts.store
    const member = directory.member(room, user)
    if (member) {
      const record = this.#parts.rules.requireWriter(member)
      return this.#parts.writing.toRoom(actor, record, this.#message(incoming.payload, bare), incoming, receipt)
    }
    const message = this.#message(incoming.payload, bare)
    if (user === SYSTEM || !incoming.joins) {
      if (user === SYSTEM) this.#parts.rules.visible(actor, room)
      else this.#parts.rules.requireMember(actor, room)
      return this.#parts.writing.append(actor, room, message, '', incoming, receipt)
    }
    return this.enter(actor, room).then(() => {
      const record = this.#parts.rules.requireWriter(this.#parts.rules.requireMember(actor, room))
      return this.#parts.writing.toRoom(actor, record, message, incoming, receipt)
    })
  }

  /** Publishing on, or subscribing to, a public room joins it; whoever left comes back only by rooms.join. */
  async enter(actor: Actor, room: string): Promise<void> {
    const { rooms, members, rules, store } = this.#parts
    const user = requireUser(actor)
    if (!store.directory.room(room)) await rooms.autoCreate(actor, room)
    // Who made it is in it; who came second to the making joins like anyone.
    const open = rules.visible(actor, room).access === 'public' && !store.directory.departed(room, user)
    if (store.directory.member(room, user) || !open) rules.requireMember(actor, room)
    else await members.join(actor, room)
  }

  /** Appends a draft that is not a chat message, with the same answers. */
  appendDraft(
    actor: Actor,
    name: string,
    cid: string | null,
    draft: Draft,
    incoming: Incoming,
    receipt: Receipt,
  ): void {
    const sending = { actor, room: name, cid, incoming, draft, receipt }
    this.#parts.store.commit(new Send(this.#parts.replies, sending))
  }

  #toUser(actor: Actor, topic: Topic & { kind: 'user' }, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    switch (topic.leaf) {
      case 'messages':
        return this.#sendToUser(actor, topic.user, incoming, receipt)
      case 'notifications':
        requireSpace(this.#parts.space)
        return this.#parts.notifications.publish(actor, topic.user, incoming, receipt, this)
      case 'signals':
        return this.#settleAfter(this.#parts.moments.signal(actor, topic.user, incoming.payload), incoming, receipt)
      case 'presence':
        requireOwn(actor, topic.user, incoming.topic)
        this.#parts.moments.presence(actor, incoming.payload)
        return this.#settle(incoming, receipt)
      default:
        throw new Refusal('forbidden', `only the broker publishes on ${incoming.topic}`)
    }
  }

  /** What deletes is taken on a disk that is nearly full, too. */
  #message(payload: Buffer, bare: boolean): Checked {
    const { space } = this.#parts
    const message = checkMessage(payload, bare)
    if (space.low && message.input?.type !== 'delete') requireSpace(space)
    return message
  }

  #sendToUser(actor: Actor, to: string, incoming: Incoming, receipt: Receipt): void | Promise<void> {
    const user = requireUser(actor)
    if (to === user) throw topicRefused('that is your own name; a direct message goes to another user')
    requireReachable(this.#parts.store.directory, to, user, 'messages', `you may not write to ${to}`)
    const message = this.#message(incoming.payload, false)
    const room = directRoom(user, to)
    this.#parts.writing.count(room, receipt)
    const written = this.#writing(room, user, incoming)
    if (this.#parts.directs.isOpen(room, user, to)) {
      return this.#parts.writing.append(actor, room, message, to, written, receipt)
    }
    return this.#beginDirect(actor, to).then((begun) =>
      this.#parts.writing.append(actor, begun, message, to, written, receipt),
    )
  }

  /** With the first message of each of the two it is kept that they have written, in the same commit. */
  #writing(room: string, user: string, incoming: Incoming): Incoming {
    const { written } = this.#parts.store.directory
    if (written.get(room, user)) return incoming
    return { ...incoming, ops: [...incoming.ops, written.putOp({ room, user })] }
  }

  async #beginDirect(actor: Actor, to: string): Promise<string> {
    if (!(await this.#parts.store.directory.user(to))) throw new Refusal('not_found', `there is no user ${to}`)
    return this.#parts.directs.ensure(actor.principal.user, to)
  }

  /** Nothing to store: acknowledged in its turn. */
  #settle(incoming: Incoming, receipt: Receipt): void {
    const settled = (error: StoreError | null): void => receipt.settled(error ? storeRefusal(error) : null, null)
    this.#parts.store.commit({ drafts: [], ops: incoming.ops, settled })
  }

  async #settleAfter(work: Promise<void>, incoming: Incoming, receipt: Receipt): Promise<void> {
    await work
    this.#settle(incoming, receipt)
  }
}

/** It takes a retained message away. */
function clears({ retain, payload }: Incoming): boolean {
  return retain && payload.length === 0
}

/** Those that are kept and passed on: the message would take as much wherever it waits. */
export function requireFewProperties(extra: Extra | null | undefined, propertyBytes: number): void {
  const bytes = extra?.properties.length ?? 0
  if (bytes > propertyBytes)
    throw new Refusal(
      'too_large',
      `the properties take ${bytes} bytes; at most ${propertyBytes} (limits.propertyBytes)`,
    )
}

function answering(actor: Actor, { answer }: Incoming): Actor {
  return answer ? { ...actor, answer } : actor
}

function requireOwn(actor: Actor, user: string, topic: string): void {
  if (requireUser(actor) !== user) throw new Refusal('forbidden', `${topic} belongs to ${user}`)
}

/** Nothing can be published there: Topic Name invalid, that is well formed and not accepted [MQTT5-3.4.2.1]. */
function topicRefused(why: string): Refusal {
  return new Refusal('bad_request', why, { reason: 0x90 })
}
