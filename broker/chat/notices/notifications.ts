/** Notifications to a user: logged like messages, sent by users with the role `notifier`, acknowledged once for all devices. */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../../schemas/errors.js'
import { NotificationInput } from '../../../schemas/message.js'
import { topics } from '../../../schemas/topics.js'
import type { Draft } from '../../store/changes.js'
import type { Effect } from '../../store/effect.js'
import type { LogName } from '../../store/log-name.js'
import type { Gone } from '../../store/logs.js'
import type { NoteWrite } from '../../store/notes.js'
import { effectOp } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { Transaction } from '../../store/transaction.js'
import { Send } from '../messages/send.js'
import { type Actor, isAdmin, requireRole, requireUser } from '../model/actor.js'
import { checkSchema } from '../model/check-schema.js'
import { userEvent } from '../model/events.js'
import { readObject, stringify } from '../model/message.js'
import type { Publication, Publisher } from '../model/publication.js'
import type { Replies } from '../model/replies.js'
import { stamp } from '../model/stamp.js'
import { Trimming } from '../model/trimming.js'
import { logs } from '../model/views.js'
import { isActive, type Notice, newNotice, noteOf, noticeOp, noticesAt, noticesBefore } from './notice-state.js'

const inputShape = Compile(NotificationInput)

/** Milliseconds for which deliveries are collected before they are written. */
const WRITE_INTERVAL = 1000
/** Maximum number of collected deliveries; further ones are not recorded. */
const MAX_UNWRITTEN = 100_000
const END = Number.MAX_SAFE_INTEGER

export interface NotificationsDeps {
  readonly store: Store
  readonly replies: Replies
  /** `keep`: number of notifications kept per user. `ttl`: seconds; 0: no limit. */
  readonly options: { readonly keep: number; readonly ttl: number }
  readonly failed: (error: unknown) => void
}

export interface NoticePage {
  readonly before?: number
  readonly unacked?: boolean
  readonly limit: number
  readonly maxBytes: number
}

export interface AckResult {
  readonly acked: number[]
  /** Number of notifications that are still unacknowledged. */
  readonly unacked: number
  /** Ids that do not exist, or no longer. */
  readonly unknown?: string[]
}

export class Notifications {
  readonly trimming: Trimming
  readonly #deps: NotificationsDeps
  /** Seqs that were delivered to a device, with the time, by user; not written yet. */
  #deliveries = new Map<string, Map<number, number>>()
  #unwritten = 0
  #timer: NodeJS.Timeout | null = null

  constructor(deps: NotificationsDeps) {
    this.#deps = deps
    this.trimming = new Trimming(deps.store.log, deps.options.keep)
  }

  /** Publishes on `users/{user}/notifications`: `{id, seq, ts, from, title, body, …}`. @throws Refusal */
  async publish(actor: Actor, to: string, publication: Publication, publisher: Publisher): Promise<void> {
    requireRole(actor, 'notifier')
    const input = readObject(publication.payload)
    if (!input) throw new Refusal('bad_request', 'expected {"title":…,"body":…}')
    checkSchema(inputShape, input)
    const { cid = null, ...rest } = input as NotificationInput
    const checked = { cid, inside: stringify(rest).slice(1, -1), ttl: this.#ttl(rest.ttl), input: null, text: null }
    const log = logs.notifications(to)
    const draft = stamp(actor, { log, place: '' }, checked, publication)
    const settled: Publisher['settled'] = (refusal, result) => {
      if (result) this.trimming.appended(log, result.seq)
      publisher.settled(refusal, result)
    }
    const { replies } = this.#deps
    const sending = { actor, room: topics.user(to, 'notifications'), cid, publication, publisher: { settled } }
    const { collapseKey: key } = rest
    return publication.lane.submit(key === undefined ? draft.id : lockOf(to), async (tx) => {
      if (!(await tx.directory.user(to))) throw new Refusal('not_found', `there is no user ${to}`)
      const effect = key === undefined ? { notes: [noticeOf(draft)] } : await this.#replaceEffect(tx, to, draft, key)
      return new Send(replies, { ...sending, draft: { ...draft, effect } })
    })
  }

  /** The lower of the sender's ttl and the configured one, in seconds. */
  #ttl(requested: number | undefined): number | null {
    const { ttl } = this.#deps.options
    if (ttl === 0) return requested ?? null
    return Math.min(requested ?? ttl, ttl)
  }

  /** The notes of a new notification, and the erasure of the earlier one with the same collapse key. */
  async #replaceEffect(tx: Transaction, to: string, draft: Draft, key: string): Promise<Effect> {
    const { log, ts } = draft
    const notes: NoteWrite[] = [noticeOf(draft, key)]
    // Notifications without this key may arrive meanwhile, so the search for the earlier one guards nothing.
    tx.topic(`notifications ${to} ${key}`)
    for await (const { seq, key: other } of noticesBefore(this.#deps.store.notes, log, END)) {
      if (other !== key) continue
      const [known] = await noticesAt(tx.notes, log, [seq])
      if (!known || !isActive(known)) continue
      const gone: Gone = { why: 'replaced', by: draft.from, at: ts }
      return { notes: [...notes, noteOf({ ...known, replaced: ts })], erase: { seqs: [seq], gone } }
    }
    return { notes }
  }

  /** A device of the user acknowledged the packet. Written within a second. */
  delivered(user: string, seq: number): void {
    if (this.#unwritten >= MAX_UNWRITTEN) return
    let mine = this.#deliveries.get(user)
    if (!mine) this.#deliveries.set(user, (mine = new Map()))
    if (!mine.has(seq)) {
      mine.set(seq, Date.now())
      this.#unwritten++
    }
    this.#timer ??= setTimeout(() => void this.#writeDeliveries(), WRITE_INTERVAL).unref()
  }

  /** Writes what is still collected. */
  async close(): Promise<void> {
    await this.#writeDeliveries()
  }

  async #writeDeliveries(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const deliveries = this.#deliveries
    this.#deliveries = new Map()
    this.#unwritten = 0
    const writes = [...deliveries].map(([user, seqs]) => this.#writeDeliveriesOf(user, seqs).catch(this.#deps.failed))
    await Promise.all(writes)
  }

  async #writeDeliveriesOf(user: string, seqs: ReadonlyMap<number, number>): Promise<void> {
    const log = logs.notifications(user)
    await this.#deps.store.transact(lockOf(user), async (tx) => {
      if (!(await tx.directory.user(user))) return { value: null }
      const known = await noticesAt(tx.notes, log, [...seqs.keys()])
      const fresh = known.filter(({ delivered }) => delivered === 0)
      return { ops: fresh.map((notice) => noticeOp(log, { ...notice, delivered: seqs.get(notice.seq)! })), value: null }
    })
  }

  /** A page as JSON. */
  async list(actor: Actor, { before = END, unacked = false, limit, maxBytes }: NoticePage): Promise<string> {
    const { store } = this.#deps
    const log = logs.notifications(requireUser(actor))
    const shown: string[] = []
    let bytes = 0
    let more = false
    let open = 0
    for await (const notice of noticesBefore(store.notes, log, END)) {
      if (!isActive(notice)) continue
      if (notice.acked === 0) open++
      if (more || notice.seq >= before || (unacked && notice.acked > 0)) continue
      const [entry] = await store.log.read(log, notice.seq - 1, 1, 1)
      if (entry?.seq !== notice.seq) continue
      const { acked, delivered } = notice
      const state = `,"acked":${acked || null},"delivered":${delivered || null}}`
      const text = entry.payload.toString('utf8').slice(0, -1) + state
      bytes += text.length
      more = shown.length >= limit || (shown.length > 0 && bytes > maxBytes)
      if (!more) shown.push(text)
    }
    return `{"notifications":[${shown.reverse().join(',')}],"unacked":${open},"more":${more}}`
  }

  /** Acknowledges notifications, and sends an event to the user's other devices. Unknown ids and acknowledged ones are skipped. */
  async ack(actor: Actor, ids: readonly string[] | null, upTo: number): Promise<AckResult> {
    const user = requireUser(actor)
    const log = logs.notifications(user)
    const { value } = await this.#deps.store.transact(lockOf(user), async (tx) => {
      const { seqs, ...rest } = await this.#unacked(log, ids, upTo)
      if (seqs.length === 0) return { value: { acked: [], ...rest } }
      const open = (await noticesAt(tx.notes, log, seqs)).filter((notice) => isOpen(notice))
      const acked = open.map(({ seq }) => seq)
      if (acked.length === 0 || !(await tx.directory.user(user))) return { value: { acked: [], ...rest } }
      const drafts = [userEvent(user, { type: 'acked', notifications: acked })]
      const at = Date.now()
      return { drafts, ops: open.map((notice) => noticeOp(log, { ...notice, acked: at })), value: { acked, ...rest } }
    })
    return value
  }

  /** Seqs of unacknowledged notifications with these ids, or up to one (ascending); the number of other ones. */
  async #unacked(log: LogName, ids: readonly string[] | null, upTo: number) {
    const wanted = new Set(ids ?? [])
    const seqs: number[] = []
    let unacked = 0
    for await (const notice of noticesBefore(this.#deps.store.notes, log, END)) {
      const selected = ids === null ? notice.seq <= upTo : wanted.delete(notice.id)
      if (!isOpen(notice)) continue
      if (selected) seqs.push(notice.seq)
      else unacked++
    }
    return { seqs: seqs.reverse(), unacked, ...(wanted.size > 0 ? { unknown: [...wanted] } : {}) }
  }

  /** Erases what a deleted user sent to another one, with earlier notifications that it replaced. */
  async withdraw(from: string, to: string): Promise<void> {
    const { store } = this.#deps
    const log = logs.notifications(to)
    await store.transact(lockOf(to), async () => {
      const seqs: number[] = []
      const notes: NoteWrite[] = []
      for await (const notice of noticesBefore(store.notes, log, END)) {
        const { seq } = notice
        if (notice.from === from) notes.push({ kind: 'notice', target: seq, name: '', value: null })
        else if (!(await this.#isReplacedBy(from, log, notice))) continue
        seqs.push(seq)
      }
      if (seqs.length === 0) return { value: null }
      const gone: Gone = { why: 'deleted', by: null, at: Date.now() }
      return { ops: [effectOp(log, { erase: { seqs, gone }, notes })], value: null }
    })
  }

  async #isReplacedBy(user: string, log: LogName, { seq, replaced }: Notice): Promise<boolean> {
    if (replaced === 0) return false
    const [entry] = await this.#deps.store.log.read(log, seq - 1, 1, 1, 'shown')
    return entry?.seq === seq && entry.gone?.why === 'replaced' && entry.gone.by === user
  }

  /** The state of a notification. Only its sender and admins may see it. @throws Refusal `not_found`. */
  async status(actor: Actor, user: string, id: string): Promise<Notice> {
    const me = requireUser(actor)
    for await (const notice of noticesBefore(this.#deps.store.notes, logs.notifications(user), END))
      if (notice.id === id && (notice.from === me || isAdmin(actor))) return notice
    throw new Refusal('not_found', `you sent no notification ${id} to ${user}`, { field: 'notification' })
  }
}

function noticeOf({ id, from, ts, extra }: Draft, key?: string): NoteWrite {
  return newNotice({ id, from, ts, until: extra?.expiresAt ?? 0, ...(key === undefined ? {} : { key }) })
}

/** Whether it is active and not acknowledged. */
function isOpen(notice: Notice): boolean {
  return notice.acked === 0 && isActive(notice)
}

/** Decisions on the notifications of a user are made one after another. */
function lockOf(user: string): string {
  return `notifications ${user}`
}
