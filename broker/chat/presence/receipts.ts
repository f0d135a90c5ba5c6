/**
 * Delivered and read receipts. A receipt only increases, never beyond the head of the room. It is committed before it is sent, so that no
 * client sees a receipt that a crash takes back. Both happen at most once a second per user and room.
 */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import { ReceiptInput } from '../../../schemas/message.js'
import type { Bus } from '../../store/bus.js'
import type { Nodes } from '../../store/nodes.js'
import { furthest, furthestIn, isCovered, type ReceiptRecord } from '../../store/receipts.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { Actor } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { readObject } from '../model/message.js'
import { mayReadReceipts } from '../model/privacy.js'
import type { Signal } from '../model/signals.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import type { RoomPreferences } from '../rooms/room-preferences.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { receiptSignals } from './receipt-signals.js'
import { type MovedReceipt, noReceipt, ReceiptWriter } from './receipt-writer.js'
import { ToldReceipts } from './told-receipts.js'

/** Minimum milliseconds between two receipts of one user in one room. */
const INTERVAL = 1000
/** Maximum number of receipts in one commit. */
const MAX_PER_COMMIT = 5000

const inputShape = Compile(ReceiptInput)

export interface ReceiptsDeps {
  readonly store: Store
  readonly nodes: Pick<Nodes, 'shared'>
  readonly bus: Bus<Signal>
  readonly wheel: TimerWheel
  readonly rules: RoomRules
  readonly preferences: Pick<RoomPreferences, 'clearUnreadMark'>
  readonly largeRooms: LargeRoomPolicy
  /** Whether acks count as delivered receipts (`receipts.delivered`). */
  readonly delivered: boolean
  readonly failed: (error: unknown) => void
}

/** Position of a session in a log: the end of the contiguous acknowledged prefix. */
export interface CursorPosition {
  readonly acked: number
  readonly view: { readonly log: string; readonly room: string | null }
}

/** A receipt that is not durable yet. */
interface PendingReceipt {
  record: ReceiptRecord
  /** Unix ms from which it may be committed and sent. */
  due: number
}

export class Receipts implements Deadline {
  readonly #deps: ReceiptsDeps
  readonly #writer: ReceiptWriter
  /** Receipts to be committed, by room and user. */
  readonly #pending = new Map<string, PendingReceipt>()
  /** Unix ms at which the last receipt was sent, for receipts of the last second. */
  readonly #lastSent = new Map<string, number>()
  /** Session positions that acks have moved since the last collection, with their users. */
  readonly #acked = new Map<CursorPosition, string>()
  /** Delivered receipts in large rooms, by room and user. In memory only, since the start of the broker. */
  readonly #largeRoomDelivered = new Map<string, Pick<ReceiptRecord, 'since' | 'delivered' | 'at'>>()
  readonly #told = new ToldReceipts()
  #scheduled = false
  #flushing: Promise<void> = Promise.resolve()

  constructor(deps: ReceiptsDeps) {
    this.#deps = deps
    this.#writer = new ReceiptWriter(deps.store, deps.nodes.shared)
  }

  /** A receipt that a member publishes: `{"read":42}`, `{"delivered":45}`, `{"read":42,"private":true}`. @throws Refusal */
  async publish(actor: Actor, room: string, payload: Buffer): Promise<void> {
    const input = readObject(payload)
    if (!input) throw new Refusal('bad_request', 'expected {"read":…} or {"delivered":…}')
    checkSchema(inputShape, input)
    if (input['read'] === undefined && input['delivered'] === undefined)
      throw new Refusal('bad_request', 'read or delivered is missing', { field: 'read' })
    await this.move(actor, room, input as ReceiptInput)
  }

  /** Advances the member's receipts. `readField`: the name of `read` in the caller's parameters, for refusals. @throws Refusal */
  async move(actor: Actor, room: string, input: ReceiptInput, readField = 'read'): Promise<ReceiptRecord> {
    this.#deps.rules.requireMember(actor, room)
    const { head } = await this.#deps.store.log.open(logs.messages(room))
    for (const field of ['read', 'delivered', 'thread'] as const)
      if ((input[field] ?? 0) > head)
        throw new Refusal('bad_request', `${room} has ${head} messages so far`, {
          field: field === 'read' ? readField : field,
        })
    const { read = 0, delivered = 0, thread } = input
    const member = this.#deps.rules.requireMember(actor, room)
    if (thread !== undefined) return this.#readThread(member, thread, input)
    // A read receipt that is not shared now is not shared later either.
    const silent = input.private || this.#deps.store.directory.privacy.get(member.user)?.readReceipts === 'nobody'
    const sharedRead = silent ? 0 : read
    const counts = this.#sendsDelivered(room)
    if (!counts && delivered > 0) this.#count(member, delivered)
    const record = this.#advance(member, { read, sharedRead, delivered: counts ? delivered : 0 }, 'soon')
    if (read > 0) await this.#deps.preferences.clearUnreadMark(member, read, record.read)
    return record
  }

  /** A session acknowledged messages. They are collected within a second. Hot path. */
  acked(user: string, place: CursorPosition): void {
    if (!this.#deps.delivered) return
    this.#acked.set(place, user)
    if (!this.#scheduled) this.#schedule(this.#deps.wheel.now + INTERVAL)
  }

  /** The member's receipt, durable or not. */
  of({ room, user, since }: MemberRecord): ReceiptRecord {
    const pending = this.#pending.get(key(room, user))?.record
    const stored = this.#deps.store.receipts.get(room, user)
    // Another node may have stored more than what is pending here.
    if (pending?.since === since)
      return stored?.since === since && !isCovered(stored, pending) ? furthest(pending, stored) : pending
    return stored?.since === since ? stored : noReceipt(room, user, since)
  }

  /** The durable receipt if `reader` may see it: one that is not durable could be taken back. */
  storedFor({ room, user, since }: MemberRecord, reader: string): ReceiptRecord | null {
    if (!this.maySee(room, user, reader)) return null
    const known = this.#deps.store.receipts.get(room, user)
    const stored = known?.since === since && known.at > 0 ? known : null
    const counted = this.#largeRoomDelivered.get(key(room, user))
    if (counted?.since !== since || counted.delivered <= (stored?.delivered ?? 0)) return stored
    return { room, user, read: 0, sharedRead: 0, ...stored, ...counted }
  }

  /** The membership ended. */
  membershipEnded(room: string, user: string): void {
    this.#largeRoomDelivered.delete(key(room, user))
    this.#told.forget(key(room, user))
  }

  /** Resolves when all due receipts are durable. */
  flush(): Promise<void> {
    return this.#flush()
  }

  /** Commits and sends all pending receipts. */
  async close(): Promise<void> {
    this.#deps.wheel.delete(this)
    this.#collectAcks()
    for (const pending of this.#pending.values()) pending.due = 0
    for (let left = this.#pending.size; left > 0; left -= MAX_PER_COMMIT) await this.#flush()
  }

  due(now: number): number {
    this.#scheduled = false
    this.#collectAcks()
    for (const [id, at] of this.#lastSent) if (now - at >= INTERVAL) this.#lastSent.delete(id)
    void this.#flush()
    if (this.#pending.size === 0 && this.#lastSent.size === 0) return 0
    this.#scheduled = true
    return now + INTERVAL / 4
  }

  /** Whether a further place was told here, or is stored by now: then it is told, too, perhaps by another node and before this one. Else this one is told now. */
  isPassed({ room, user, read, delivered }: Signal & { kind: 'receipt' }): boolean {
    const stored = this.#deps.store.receipts.get(room, user)
    const known = stored ? { read: stored.sharedRead, delivered: stored.delivered } : null
    return this.#told.isPassed(key(room, user), { read, delivered }, known)
  }

  /** Whether `reader` may see the receipts of `user`. */
  maySee(room: string, user: string, reader: string): boolean {
    return mayReadReceipts(this.#deps.store.directory, room, user, reader)
  }

  #schedule(at: number): void {
    this.#scheduled = true
    this.#deps.wheel.set(this, at)
  }

  #sendsDelivered(room: string): boolean {
    return this.#deps.delivered && !this.#deps.largeRooms.suppresses(room, 'receipts')
  }

  /** The highest position of a user's sessions counts. */
  #collectAcks(): void {
    const { store } = this.#deps
    for (const [{ acked, view }, user] of this.#acked) {
      const room = view.room!
      const member = view.log === logs.messages(room) && store.directory.member(room, user)
      if (!member) continue
      if (this.#sendsDelivered(room)) this.#advance(member, { read: 0, sharedRead: 0, delivered: acked }, 'now due')
      else this.#count(member, acked)
    }
    this.#acked.clear()
  }

  /** Counts a delivery in a large room, where receipts are neither sent nor written, but can be queried. */
  #count({ room, user, since }: MemberRecord, delivered: number): void {
    const id = key(room, user)
    const known = this.#largeRoomDelivered.get(id)
    if (known?.since !== since || known.delivered < delivered)
      this.#largeRoomDelivered.set(id, { since, delivered, at: Date.now() })
  }

  #advance(
    member: MemberRecord,
    to: Pick<ReceiptRecord, 'read' | 'sharedRead' | 'delivered'>,
    when: 'soon' | 'now due',
  ): ReceiptRecord {
    const known = this.of(member)
    const read = Math.max(known.read, to.read)
    const sharedRead = Math.max(known.sharedRead, to.sharedRead)
    // A message that was read was also delivered.
    const delivered = Math.max(known.delivered, to.delivered, sharedRead)
    if (read === known.read && sharedRead === known.sharedRead && delivered === known.delivered) return known
    const shown = sharedRead > known.sharedRead || delivered > known.delivered
    const now = Date.now()
    const record = { ...known, read, sharedRead, delivered, at: shown ? now : known.at, movedAt: now }
    this.#setPending(record)
    if (when === 'soon') this.#flushSoon()
    else if (!this.#scheduled) this.#schedule(this.#deps.wheel.now)
    return record
  }

  /** Thread receipts are private to the member. */
  #readThread(member: MemberRecord, thread: number, { read, delivered }: ReceiptInput): ReceiptRecord {
    if (delivered !== undefined)
      throw new Refusal('bad_request', 'delivered is of the room, not of a thread', { field: 'thread' })
    const known = this.of(member)
    const before = known.threads?.[thread] ?? 0
    const place = Math.max(before, read ?? 0)
    if (place > before) {
      const threads = furthestIn(known.threads ?? {}, { [thread]: place })
      this.#setPending({ ...known, threads, movedAt: Date.now() })
      this.#flushSoon()
    }
    return { ...known, read: place }
  }

  #flushSoon(): void {
    setImmediate(() => void this.#flush())
    if (!this.#scheduled) this.#schedule(this.#deps.wheel.now)
  }

  #setPending(record: ReceiptRecord): void {
    const id = key(record.room, record.user)
    const pending = this.#pending.get(id)
    if (pending && pending.record.since === record.since) pending.record = record
    else this.#pending.set(id, { record, due: (this.#lastSent.get(id) ?? 0) + INTERVAL })
  }

  /** Flushes run one at a time. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#writeDue()).catch(this.#deps.failed)
    return this.#flushing
  }

  async #writeDue(): Promise<void> {
    const now = Date.now()
    const due = [...this.#pending.values()].filter((pending) => pending.due <= now).slice(0, MAX_PER_COMMIT)
    if (due.length === 0) return
    const written = due.map(({ record }) => record)
    const outcomes = await this.#writer.write(written)
    for (const [i, outcome] of outcomes.entries())
      if (outcome.status === 'rejected') this.#deps.failed(outcome.reason)
      else {
        this.#confirm(due[i]!, written[i]!, now)
        this.#sendMoved(outcome.value)
      }
  }

  /** The receipt is durable. */
  #confirm({ record }: PendingReceipt, written: ReceiptRecord, now: number): void {
    const id = key(written.room, written.user)
    if (this.#pending.get(id)?.record.since !== written.since) return
    this.#pending.delete(id)
    this.#lastSent.set(id, now)
    if (record !== written) this.#setPending(record)
  }

  #sendMoved({ before, after }: MovedReceipt): void {
    const { store, bus, largeRooms } = this.#deps
    if (store.directory.member(after.room, after.user)?.since !== after.since) return
    for (const signal of receiptSignals(before, after, largeRooms.suppresses(after.room, 'receipts'))) bus.send(signal)
  }
}

function key(room: string, user: string): string {
  return `${room} ${user}`
}

/** A receipt as other members see it. */
export function publicReceipt({ user, sharedRead, delivered, at }: ReceiptRecord) {
  return { user, read: sharedRead, delivered, ts: at }
}
