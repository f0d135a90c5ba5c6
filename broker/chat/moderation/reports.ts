/** Reports of users and filters to moderators: a queue with the reported messages as evidence, and their resolution. */

import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom, SYSTEM } from '../../../schemas/ids.js'
import { allows } from '../../../schemas/permissions.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { ReportRecord, Resolution } from '../../store/moderation.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import type { Decision, RecordReader, Transaction } from '../../store/transaction.js'
import { isOneLeft } from '../../util/fair-share.js'
import { uuid7 } from '../../util/uuid7.js'
import { isForwardOf } from '../messages/forwarding.js'
import type { References } from '../messages/references.js'
import { type Actor, isAdmin, requireAccount, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import { endTurn, takeTurn } from './report-turns.js'

/** Maximum number of open reports: per user, of filters, in all. */
const MAX_OPEN_OF_USER = 100
const MAX_OPEN_OF_FILTERS = 5000
const MAX_OPEN = 10_000
const USER_SHARE = { mostOfOne: MAX_OPEN_OF_USER, most: MAX_OPEN }
/** Maximum number of resolved reports; beyond it the oldest are deleted early. */
const MAX_RESOLVED = 10_000
/** Maximum number of moderators per room who get the event of a report. */
const MAX_NOTIFIED = 100

/** What a user reports. */
export interface ReportRequest {
  readonly room?: string | undefined
  readonly seq?: number | undefined
  readonly user?: string | undefined
  readonly reason: string
  readonly text?: string | undefined
}

export interface ReportsDeps {
  readonly store: Store
  readonly rules: RoomRules
  readonly references: References
  /** Seconds for which a resolved report is kept. */
  readonly keep: number
  /** Runs the command that a resolution asks for, with all its checks. */
  readonly run: (actor: Actor, method: string, params: object) => Promise<unknown>
  /** The account whose limit a user counts against. */
  readonly accountOf: (user: string) => string
}

type Target = Pick<ReportRecord, 'room' | 'roomSince' | 'seq' | 'user'>

export class Reports {
  readonly #deps: ReportsDeps

  constructor(deps: ReportsDeps) {
    this.#deps = deps
  }

  /** Creates a report. Idempotent: one open report per user and target. @throws Refusal */
  async create(actor: Actor, request: ReportRequest): Promise<ReportRecord> {
    const by = requireUser(actor)
    const { reason, text = null } = request
    const { value } = await this.#deps.store.transact(this.#reportsOf(by), async (tx) => {
      const { target, message } = await this.#target(tx, actor, request)
      if (target.user === by) throw new Refusal('bad_request', 'that is you yourself', { field: 'user' })
      await requireAccount(tx.directory, actor.principal)
      return this.#addition(tx, { ...target, by, reason, text }, message)
    })
    return value
  }

  /** Reports a message that a filter flagged, after it was accepted. If the queue is full, nothing is added. */
  async flag(user: string, room: string, seq: number, entry: number, why: string): Promise<void> {
    const { store } = this.#deps
    const [message] = await store.log.read(logs.messages(room), entry - 1, 1, 1)
    if (message?.seq !== entry) return
    const added = store.transact(this.#reportsOf(SYSTEM), async (tx) => {
      const target = { room, roomSince: createdAt(tx.directory, room), seq, user }
      await tx.directory.user(user)
      return this.#addition(tx, { ...target, by: SYSTEM, reason: 'automatic', text: why }, message.payload)
    })
    await added.catch((error: unknown) => {
      if (!(error instanceof Refusal) || error.code !== 'conflict') throw error
    })
  }

  /** Names the open reports by an account: those of its bots and devices count together. */
  #reportsOf(user: string): string {
    return `reports by ${this.#deps.accountOf(user)}`
  }

  async #target(
    { directory }: Transaction,
    actor: Actor,
    { room, seq, user }: ReportRequest,
  ): Promise<{ target: Target; message: Buffer | null }> {
    const rules = this.#deps.rules.with(directory)
    const id = room === undefined ? null : rules.resolve(actor, room)
    if (id !== null) rules.requireMember(actor, id)
    const since = id === null ? null : createdAt(directory, id)
    if (seq === undefined) {
      if (user === undefined)
        throw new Refusal('bad_request', 'name a message (room and seq) or a user', { field: 'user' })
      if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      return { target: { room: id, roomSince: since, seq: null, user }, message: null }
    }
    if (id === null) throw new Refusal('bad_request', 'a message is named by room and seq', { field: 'room' })
    if (user !== undefined) throw new Refusal('bad_request', 'the user is who wrote the message', { field: 'user' })
    const { entry, message } = await this.#deps.references.find(actor, id, seq, 'seq')
    if (!message) throw new Refusal('not_found', `message ${seq} is gone`, { field: 'seq' })
    // Guarded, because reports about an account end with it.
    await directory.user(entry.from)
    return { target: { room: id, roomSince: since, seq, user: entry.from }, message: entry.payload }
  }

  #addition(
    tx: Transaction,
    report: Omit<ReportRecord, 'id' | 'at' | 'resolution'>,
    message: Buffer | null,
  ): Decision<ReportRecord> {
    tx.topic(this.#reportsOf(report.by))
    const open = this.#open()
    const same = open.find((other) => other.by === report.by && isSame(other, report))
    if (same) return { value: same }
    this.#requireCapacity(report.by, open)
    const record: ReportRecord = { id: uuid7(), ...report, at: Date.now(), resolution: null }
    const evidence = message ? [tx.moderation.evidenceOp(record.id, message)] : []
    return { drafts: this.#events(record), ops: [tx.moderation.reportOp(record), ...evidence], value: record }
  }

  /** Filters have a limit of their own; users share the rest, where bots and devices count with their owner. @throws Refusal `conflict`. */
  #requireCapacity(by: string, open: readonly ReportRecord[]): void {
    const { accountOf } = this.#deps
    const account = accountOf(by)
    const mine = open.filter((other) => accountOf(other.by) === account).length
    const all = open.length
    if (by === SYSTEM ? mine < MAX_OPEN_OF_FILTERS && all < MAX_OPEN : isOneLeft({ mine, all, ...USER_SHARE })) return
    const why = all >= MAX_OPEN ? `${MAX_OPEN} reports are open; no more` : `${mine} reports of yours are open; no more`
    throw new Refusal('conflict', `${why} are taken`)
  }

  #open(): ReportRecord[] {
    return [...this.#deps.store.moderation.reports.values()].filter(({ resolution }) => resolution === null)
  }

  /** Events to the room's moderators, except one who is reported. */
  #events({ id, room, seq, user }: ReportRecord): Draft[] {
    if (room === null || isDirectRoom(room)) return []
    const moderators: string[] = []
    for (const member of this.#deps.store.directory.members(room).values()) {
      if (allows(member.role, 'moderate') && member.user !== user) moderators.push(member.user)
      if (moderators.length === MAX_NOTIFIED) break
    }
    return moderators.map((moderator) => userEvent(moderator, { type: 'reported', room, report: id, target: seq }))
  }

  /** Reports of one room, or of all; ordered by id. @throws Refusal */
  list(actor: Actor, room: string | undefined, status: 'open' | 'resolved'): ReportRecord[] {
    const id =
      room === undefined ? null : isAdmin(actor) && !room.startsWith('@') ? room : this.#deps.rules.resolve(actor, room)
    if (id === null && !isAdmin(actor)) throw new Refusal('forbidden', 'only admins see the reports of all rooms')
    if (id !== null && !isAdmin(actor)) this.#deps.rules.require(actor, id, 'moderate')
    return [...this.#deps.store.moderation.reports.values()].filter(
      (report) =>
        (report.resolution === null) === (status === 'open') &&
        (id === null || report.room === id) &&
        this.#maySee(this.#deps.store.directory, actor, report),
    )
  }

  /**
   * Admins may see all reports; moderators those of their room, unless they are reported themselves or the room is another one of the same
   * id.
   */
  #maySee(directory: DirectoryStore, actor: Actor, { room, roomSince, user }: ReportRecord): boolean {
    if (isAdmin(actor)) return true
    const same = room !== null && createdAt(directory, room) === roomSince
    return (
      same && user !== actor.principal.user && this.#deps.rules.with(directory).mayModerate(actor, room, 'moderate')
    )
  }

  async resolve(
    actor: Actor,
    id: string,
    action: Resolution['action'],
    options: ResolveOptions,
  ): Promise<ReportRecord> {
    const { store } = this.#deps
    const turn = uuid7()
    const { value: report } = await store.transact(`report ${id}`, async (tx) => {
      const value = this.#requireOpen(tx, actor, id)
      return { ops: [await takeTurn(tx, id, turn)], value }
    })
    try {
      await this.#act(actor, report, action, options.seconds)
      return await this.#close(actor, id, turn, { action, note: options.note ?? null })
    } catch (error) {
      await store.transact(`report ${id}`, async (tx) => ({ ops: await endTurn(tx, id, turn), value: null }))
      throw error
    }
  }

  async #close(
    actor: Actor,
    id: string,
    turn: string,
    how: Pick<Resolution, 'action' | 'note'>,
  ): Promise<ReportRecord> {
    const { value } = await this.#deps.store.transact('resolutions of reports', async (tx) => {
      const { moderation } = tx
      const report = this.#requireOpen(tx, actor, id)
      const resolution = { by: actor.principal.user, at: Date.now(), ...how }
      const closed = this.#open().filter((other) => isSame(other, report) && !moderation.report(other.id)?.resolution)
      const ops = closed.map((other) => moderation.reportOp({ ...other, resolution }))
      const ended = await endTurn(tx, id, turn)
      return { ops: [...ops, ...this.#pruneOps(closed.length), ...ended], value: { ...report, resolution } }
    })
    return value
  }

  /** @throws Refusal */
  #requireOpen({ directory, moderation }: RecordReader, actor: Actor, id: string): ReportRecord {
    const report = moderation.report(id)
    if (!report || !this.#maySee(directory, actor, report))
      throw new Refusal('not_found', `there is no report ${id}`, { field: 'report' })
    if (!report.resolution) return report
    throw new Refusal('conflict', `${report.resolution.by} has resolved it`, { field: 'report' })
  }

  async #act(actor: Actor, report: ReportRecord, action: Resolution['action'], seconds?: number): Promise<void> {
    const { room, seq, user, reason } = report
    if (action === 'dismiss') return
    if (room === null || createdAt(this.#deps.store.directory, room) !== report.roomSince)
      throw new Refusal('bad_request', 'the report is about no room that is there', { field: 'action' })
    if (action !== 'delete') {
      const more = action === 'ban' ? { reason } : {}
      return void (await this.#deps.run(actor, `rooms.${action}`, { room, user, for: seconds, ...more }))
    }
    if (seq === null) throw new Refusal('bad_request', 'the report is about no message', { field: 'action' })
    // Otherwise the send would join the room.
    this.#deps.rules.requireMember(actor, room)
    await this.#deps.run(actor, 'send', { room, type: 'delete', target: seq }).catch((error: unknown) => {
      // Someone else has deleted it already.
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error
    })
  }

  /** Deletes the oldest resolved reports, if `more` would exceed the limit. */
  #pruneOps(more: number) {
    const { moderation } = this.#deps.store
    const resolved = this.#resolved()
    return resolved
      .slice(0, Math.max(0, resolved.length + more - MAX_RESOLVED))
      .flatMap(({ id }) => moderation.deleteReportOps(id))
  }

  /** Oldest resolution first. */
  #resolved(): ReportRecord[] {
    const resolved = [...this.#deps.store.moderation.reports.values()].filter(({ resolution }) => resolution !== null)
    return resolved.sort((a, b) => a.resolution!.at - b.resolution!.at)
  }

  /** Removes a deleted user: reports about them are deleted, and their name and text in others. */
  async removeUser(user: string): Promise<void> {
    const { store } = this.#deps
    await store.transact('resolutions of reports', async (tx) => {
      const ops: Op[] = []
      for (const report of store.moderation.reports.values()) {
        if (report.user === user) ops.push(...tx.moderation.deleteReportOps(report.id))
        else if (names(store.directory, report, user)) ops.push(...(await anonymiseOps(tx, report.id, user)))
      }
      return { ops, value: null }
    })
  }

  /** Deletes reports that were resolved more than `keep` seconds ago. */
  async sweep(now = Date.now()): Promise<void> {
    const { store, keep } = this.#deps
    const old = this.#resolved().filter(({ resolution }) => resolution!.at + keep * 1000 <= now)
    if (old.length > 0) await commit(store, { ops: old.flatMap(({ id }) => store.moderation.deleteReportOps(id)) })
  }
}

export interface ResolveOptions {
  readonly seconds?: number | undefined
  readonly note?: string | undefined
}

/** Whether both are about the same message, or the same user in the same room. */
function isSame(one: Target, other: Target): boolean {
  return (['room', 'roomSince', 'seq', 'user'] as const).every((key) => one[key] === other[key])
}

/** Unix ms when the room was made; null: there is none. */
function createdAt(directory: Pick<DirectoryStore, 'room'>, room: string): number | null {
  return directory.room(room)?.createdAt ?? null
}

/** Whether the user reported or resolved it, or the reported message may be forwarded from theirs. */
function names(directory: DirectoryStore, { by, room, resolution }: ReportRecord, user: string): boolean {
  return by === user || resolution?.by === user || (room !== null && directory.forwarded.get(room, user) !== undefined)
}

async function anonymiseOps({ moderation }: Transaction, id: string, user: string): Promise<Op[]> {
  const report = moderation.report(id)
  if (!report) return []
  const { by, resolution } = report
  const ops: Op[] = []
  const resolved = resolution?.by === user
  if (by === user || resolved) {
    const mine = by === user ? { by: SYSTEM, text: null } : {}
    ops.push(
      moderation.reportOp({
        ...report,
        ...mine,
        resolution: resolved ? { ...resolution, by: SYSTEM, note: null } : resolution,
      }),
    )
  }
  const payload = await moderation.evidence(id)
  if (payload && isForwardOf({ payload }, user)) ops.push(moderation.deleteEvidenceOp(id))
  return ops
}
