/**
 * Who has got and read what. A member's place in a room only moves on, never beyond the head. It is written first and told then, so
 * that nobody is told what a crash takes back; both at most once a second for each user and room.
 */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import { ReceiptInput } from '../../../schemas/message.js'
import { topics } from '../../../schemas/topics.js'
import type { Bus } from '../../store/bus.js'
import { commit } from '../../store/commit.js'
import type { ReceiptRecord } from '../../store/receipts.js'
import type { MemberRecord } from '../../store/rooms.js'
import type { Store } from '../../store/store.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import type { Actor } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { readObject } from '../model/message.js'
import { tellsReceipts } from '../model/privacy.js'
import type { Signal } from '../model/signals.js'
import { logs } from '../model/views.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import type { RoomPreferences } from '../rooms/room-preferences.js'
import type { RoomRules } from '../rooms/room-rules.js'

/** Milliseconds between two receipts of one user in one room. */
const AT_MOST_EVERY = 1000
/** Threads of one room in which a member's place is kept: those read furthest. */
const MAX_THREADS = 100
/** Receipts written in one commit. */
const MOST_AT_ONCE = 5000

const inputShape = Compile(ReceiptInput)

export interface ReceiptsParts {
  readonly store: Store
  readonly bus: Bus<Signal>
  readonly wheel: TimerWheel
  readonly rules: RoomRules
  readonly preferences: Pick<RoomPreferences, 'readAgain'>
  readonly largeRooms: LargeRoomPolicy
  /** Acks are receipts. */
  readonly delivered: boolean
  readonly failed: (error: unknown) => void
}

/** Where a session is in a log: the last number of the prefix it has acknowledged. */
export interface Reached {
  readonly acked: number
  readonly view: { readonly log: string; readonly room: string | null }
}

/** A receipt that memory has and the disk has not. */
interface Ahead {
  record: ReceiptRecord
  /** What the disk has. */
  readonly before: ReceiptRecord
  /** Unix ms from which it may be written and told. */
  due: number
}

export class Receipts implements Deadline {
  readonly #parts: ReceiptsParts
  /** By room and user. */
  readonly #ahead = new Map<string, Ahead>()
  /** When a receipt was last told, of those told within the last second. */
  readonly #told = new Map<string, number>()
  /** Sessions' places that moved by acks since the last look. */
  readonly #reached = new Map<Reached, string>()
  /** What acks say in large rooms, by room and user; since the start. */
  readonly #counted = new Map<string, Pick<ReceiptRecord, 'since' | 'delivered' | 'at'>>()
  #looking = false
  #flushing: Promise<void> = Promise.resolve()

  constructor(parts: ReceiptsParts) {
    this.#parts = parts
  }

  /** A member's own: `{"read":42}`, `{"delivered":45}`, `{"read":42,"private":true}`. */
  async publish(actor: Actor, room: string, payload: Buffer): Promise<void> {
    const input = readObject(payload)
    if (!input) throw new Refusal('bad_request', 'expected {"read":…} or {"delivered":…}')
    checkSchema(inputShape, input)
    if (input['read'] === undefined && input['delivered'] === undefined)
      throw new Refusal('bad_request', 'read or delivered is missing', { field: 'read' })
    await this.move(actor, room, input as ReceiptInput)
  }

  /** What the member has read and got from now on. `readField`: how the asker named the first. */
  async move(actor: Actor, room: string, input: ReceiptInput, readField = 'read'): Promise<ReceiptRecord> {
    this.#parts.rules.requireMember(actor, room)
    const { head } = await this.#parts.store.log.open(logs.messages(room))
    for (const field of ['read', 'delivered', 'thread'] as const)
      if ((input[field] ?? 0) > head)
        throw new Refusal('bad_request', `${room} has ${head} messages so far`, {
          field: field === 'read' ? readField : field,
        })
    const { read = 0, delivered = 0, thread } = input
    const member = this.#parts.rules.requireMember(actor, room)
    if (thread !== undefined) return this.#readThread(member, thread, input)
    // What is read while nobody is told stays so.
    const silent = input.private || this.#parts.store.directory.privacy.get(member.user)?.readReceipts === 'nobody'
    const told = silent ? 0 : read
    const counts = this.#tellsDelivered(room)
    if (!counts && delivered > 0) this.#count(member, delivered)
    const record = this.#advance(member, { read, told, delivered: counts ? delivered : 0 }, 'soon')
    if (read > 0) await this.#parts.preferences.readAgain(member, read, record.read)
    return record
  }

  /** Hot path: a session acknowledged something. Looked at within a second. */
  reached(user: string, place: Reached): void {
    if (!this.#parts.delivered) return
    this.#reached.set(place, user)
    if (!this.#looking) this.#lookAt(this.#parts.wheel.now + AT_MOST_EVERY)
  }

  /** How far the member has come. */
  of({ room, user, since }: MemberRecord): ReceiptRecord {
    const known = this.#ahead.get(key(room, user))?.record ?? this.#parts.store.receipts.get(room, user)
    if (known?.since === since) return known
    return { room, user, since, read: 0, told: 0, delivered: 0, at: 0 }
  }

  /** The same, as far as `reader` may know: what is not stored yet could be taken back. */
  stored({ room, user, since }: MemberRecord, reader: string): ReceiptRecord | null {
    if (!this.mayKnow(room, user, reader)) return null
    const known = this.#parts.store.receipts.get(room, user)
    const stored = known?.since === since && known.at > 0 ? known : null
    const counted = this.#counted.get(key(room, user))
    if (counted?.since !== since || counted.delivered <= (stored?.delivered ?? 0)) return stored
    return { room, user, read: 0, told: 0, ...stored, ...counted }
  }

  /** The membership is over, and what was counted of it. */
  left(room: string, user: string): void {
    this.#counted.delete(key(room, user))
  }

  /** Resolves when what is due is stored. */
  settle(): Promise<void> {
    return this.#flush()
  }

  /** Writes and tells what is left. */
  async close(): Promise<void> {
    this.#parts.wheel.delete(this)
    this.#look()
    for (const ahead of this.#ahead.values()) ahead.due = 0
    for (let left = this.#ahead.size; left > 0; left -= MOST_AT_ONCE) await this.#flush()
  }

  due(now: number): number {
    this.#looking = false
    this.#look()
    for (const [id, at] of this.#told) if (now - at >= AT_MOST_EVERY) this.#told.delete(id)
    void this.#flush()
    if (this.#ahead.size === 0 && this.#told.size === 0) return 0
    this.#looking = true
    return now + AT_MOST_EVERY / 4
  }

  /** Whether `reader` is told how far `user` has come. */
  mayKnow(room: string, user: string, reader: string): boolean {
    return tellsReceipts(this.#parts.store.directory, room, user, reader)
  }

  #lookAt(at: number): void {
    this.#looking = true
    this.#parts.wheel.set(this, at)
  }

  #tellsDelivered(room: string): boolean {
    return this.#parts.delivered && !this.#parts.largeRooms.thins(room, 'receipts')
  }

  /** Of several sessions of a user the furthest counts. */
  #look(): void {
    const { store } = this.#parts
    for (const [{ acked, view }, user] of this.#reached) {
      const room = view.room!
      const member = view.log === logs.messages(room) && store.directory.member(room, user)
      if (!member) continue
      if (this.#tellsDelivered(room)) this.#advance(member, { read: 0, told: 0, delivered: acked }, 'now due')
      else this.#count(member, acked)
    }
    this.#reached.clear()
  }

  /** Of a large room, where nobody is told and nothing is written: to be counted when asked. */
  #count({ room, user, since }: MemberRecord, delivered: number): void {
    const id = key(room, user)
    const known = this.#counted.get(id)
    if (known?.since !== since || known.delivered < delivered)
      this.#counted.set(id, { since, delivered, at: Date.now() })
  }

  #advance(
    member: MemberRecord,
    to: Pick<ReceiptRecord, 'read' | 'told' | 'delivered'>,
    when: 'soon' | 'now due',
  ): ReceiptRecord {
    const known = this.of(member)
    const read = Math.max(known.read, to.read)
    const told = Math.max(known.told, to.told)
    // Who has read it has got it.
    const delivered = Math.max(known.delivered, to.delivered, told)
    if (read === known.read && told === known.told && delivered === known.delivered) return known
    const shown = told > known.told || delivered > known.delivered
    const record = { ...known, read, told, delivered, at: shown ? Date.now() : known.at }
    this.#keep(record, known)
    if (when === 'soon') this.#flushSoon()
    else if (!this.#looking) this.#lookAt(this.#parts.wheel.now)
    return record
  }

  /** A member's place in a thread is their own affair. */
  #readThread(member: MemberRecord, thread: number, { read, delivered }: ReceiptInput): ReceiptRecord {
    if (delivered !== undefined)
      throw new Refusal('bad_request', 'delivered is of the room, not of a thread', { field: 'thread' })
    const known = this.of(member)
    const before = known.threads?.[thread] ?? 0
    const place = Math.max(before, read ?? 0)
    if (place > before) {
      const places = Object.entries({ ...known.threads, [thread]: place }).sort(([, a], [, b]) => b - a)
      this.#keep({ ...known, threads: Object.fromEntries(places.slice(0, MAX_THREADS)) }, known)
      this.#flushSoon()
    }
    return { ...known, read: place }
  }

  #flushSoon(): void {
    setImmediate(() => void this.#flush())
    if (!this.#looking) this.#lookAt(this.#parts.wheel.now)
  }

  #keep(record: ReceiptRecord, before: ReceiptRecord): void {
    const id = key(record.room, record.user)
    const ahead = this.#ahead.get(id)
    if (ahead && ahead.record.since === record.since) ahead.record = record
    else this.#ahead.set(id, { record, before, due: (this.#told.get(id) ?? 0) + AT_MOST_EVERY })
  }

  /** One after another. */
  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#writeDue()).catch(this.#parts.failed)
    return this.#flushing
  }

  async #writeDue(): Promise<void> {
    const now = Date.now()
    const due = [...this.#ahead.values()].filter((ahead) => ahead.due <= now).slice(0, MOST_AT_ONCE)
    if (due.length === 0) return
    const { store } = this.#parts
    const written = due.map(({ record }) => record)
    await commit(store, { ops: written.map((record) => store.receipts.putOp(record)) })
    for (const [i, ahead] of due.entries()) this.#settle(ahead, written[i]!, now)
  }

  /** Durable: now others may know. */
  #settle({ before, record }: Ahead, written: ReceiptRecord, now: number): void {
    const id = key(written.room, written.user)
    if (this.#ahead.get(id)?.record.since === written.since) {
      this.#ahead.delete(id)
      this.#told.set(id, now)
      if (record !== written) this.#keep(record, written)
    }
    if (this.#parts.store.directory.member(written.room, written.user)?.since === written.since)
      this.#tell(before, written)
  }

  #tell(before: ReceiptRecord, { room, user, read, told, delivered, at, threads = {} }: ReceiptRecord): void {
    const { bus, largeRooms } = this.#parts
    const shown = (how: object): Buffer => Buffer.from(JSON.stringify({ user, ...how, delivered, ts: at }))
    const toSelf = (payload: Buffer): void =>
      bus.send({ kind: 'ephemeral', topic: topics.room(room, 'receipts'), payload, qos: 0, only: user })
    if (told > before.told || delivered > before.delivered) {
      // In a large room everyone's receipts to everyone would be the square of its members.
      if (largeRooms.thins(room, 'receipts')) toSelf(shown({ read: told }))
      else bus.send({ kind: 'receipt', room, user, payload: shown({ read: told }) })
    }
    if (read > before.read && read > told) toSelf(shown({ read, private: true }))
    for (const [thread, place] of Object.entries(threads))
      if (place !== before.threads?.[Number(thread)])
        toSelf(shown({ read: place, thread: Number(thread), private: true }))
  }
}

function key(room: string, user: string): string {
  return `${room} ${user}`
}

/** As others may see it. */
export function shownReceipt({ user, told, delivered, at }: ReceiptRecord) {
  return { user, read: told, delivered, ts: at }
}
