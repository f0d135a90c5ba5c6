/** Reports of users and filters to moderators: a queue with the reported messages as evidence, and their resolution. */

import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom, SYSTEM } from '../../../schemas/ids.js'
import { allows } from '../../../schemas/permissions.js'
import type { Draft } from '../../store/changes.js'
import { commit } from '../../store/commit.js'
import type { ReportRecord, Resolution } from '../../store/moderation.js'
import type { Op } from '../../store/op.js'
import type { Store } from '../../store/store.js'
import { isOneLeft } from '../../util/fair-share.js'
import { KeyedMutex } from '../../util/keyed-mutex.js'
import { uuid7 } from '../../util/uuid7.js'
import { isForwardOf } from '../messages/forwarding.js'
import type { References } from '../messages/references.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'

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
  readonly #locks = new KeyedMutex()

  constructor(deps: ReportsDeps) {
    this.#deps = deps
  }

  /** Creates a report. Idempotent: one open report per user and target. @throws Refusal */
  create(actor: Actor, request: ReportRequest): Promise<ReportRecord> {
    const by = requireUser(actor)
    return this.#locks.runExclusive(`of ${this.#deps.accountOf(by)}`, async () => {
      const { target, message } = await this.#target(actor, request)
      if (target.user === by) throw new Refusal('bad_request', 'that is you yourself', { field: 'user' })
      const { reason, text = null } = request
      return this.#add({ ...target, by, reason, text }, message)
    })
  }

  /** Reports a message that a filter flagged, after it was accepted. If the queue is full, nothing is added. */
  async flag(user: string, room: string, seq: number, entry: number, why: string): Promise<void> {
    const { log } = this.#deps.store
    const [message] = await log.read(logs.messages(room), entry - 1, 1, 1)
    if (message?.seq !== entry) return
    const target = { room, roomSince: this.#roomSince(room), seq, user }
    const report = { ...target, by: SYSTEM, reason: 'automatic', text: why }
    await this.#locks.runExclusive(`of ${SYSTEM}`, async () => {
      await this.#add(report, message.payload).catch((error: unknown) => {
        if (!(error instanceof Refusal) || error.code !== 'conflict') throw error
      })
    })
  }

  async #target(actor: Actor, { room, seq, user }: ReportRequest): Promise<{ target: Target; message: Buffer | null }> {
    const id = room === undefined ? null : this.#deps.rules.resolve(actor, room)
    if (id !== null) this.#deps.rules.requireMember(actor, id)
    const roomSince = id === null ? null : this.#roomSince(id)
    if (seq === undefined) {
      if (user === undefined)
        throw new Refusal('bad_request', 'name a message (room and seq) or a user', { field: 'user' })
      if (!(await this.#deps.store.directory.user(user)))
        throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      return { target: { room: id, roomSince, seq: null, user }, message: null }
    }
    if (id === null) throw new Refusal('bad_request', 'a message is named by room and seq', { field: 'room' })
    if (user !== undefined) throw new Refusal('bad_request', 'the user is who wrote the message', { field: 'user' })
    const { entry, message } = await this.#deps.references.find(actor, id, seq, 'seq')
    if (!message) throw new Refusal('not_found', `message ${seq} is gone`, { field: 'seq' })
    return { target: { room: id, roomSince, seq, user: entry.from }, message: entry.payload }
  }

  #roomSince(room: string): number | null {
    return this.#deps.store.directory.room(room)?.createdAt ?? null
  }

  async #add(report: Omit<ReportRecord, 'id' | 'at' | 'resolution'>, message: Buffer | null): Promise<ReportRecord> {
    const { store } = this.#deps
    const open = this.#open()
    const same = open.find((other) => other.by === report.by && isSame(other, report))
    if (same) return same
    this.#requireCapacity(report.by, open)
    const record: ReportRecord = { id: uuid7(), ...report, at: Date.now(), resolution: null }
    const evidence = message ? [store.moderation.evidenceOp(record.id, message)] : []
    await commit(store, { drafts: this.#events(record), ops: [store.moderation.reportOp(record), ...evidence] })
    return record
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
        this.#maySee(actor, report),
    )
  }

  /**
   * Admins may see all reports; moderators those of their room, unless they are reported themselves or the room is another one of the same
   * id.
   */
  #maySee(actor: Actor, { room, roomSince, user }: ReportRecord): boolean {
    if (isAdmin(actor)) return true
    const same = room !== null && this.#roomSince(room) === roomSince
    return same && user !== actor.principal.user && this.#deps.rules.mayModerate(actor, room, 'moderate')
  }

  resolve(actor: Actor, id: string, action: Resolution['action'], options: ResolveOptions): Promise<ReportRecord> {
    const { store } = this.#deps
    return this.#locks.runExclusive(`about ${id}`, async () => {
      const report = store.moderation.reports.get(id)
      if (!report || !this.#maySee(actor, report))
        throw new Refusal('not_found', `there is no report ${id}`, { field: 'report' })
      if (report.resolution)
        throw new Refusal('conflict', `${report.resolution.by} has resolved it`, { field: 'report' })
      await this.#act(actor, report, action, options.seconds)
      const resolution = { by: actor.principal.user, at: Date.now(), action, note: options.note ?? null }
      await this.#locks.runExclusive(UPDATE_LOCK, async () => {
        const closed = this.#open().filter((other) => isSame(other, report))
        const ops = closed.map((other) => store.moderation.reportOp({ ...other, resolution }))
        await commit(store, { ops: [...ops, ...this.#pruneOps(closed.length)] })
      })
      return { ...report, resolution }
    })
  }

  async #act(actor: Actor, report: ReportRecord, action: Resolution['action'], seconds?: number): Promise<void> {
    const { room, seq, user, reason } = report
    if (action === 'dismiss') return
    if (room === null || this.#roomSince(room) !== report.roomSince)
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
  removeUser(user: string): Promise<void> {
    const { store } = this.#deps
    return this.#locks.runExclusive(UPDATE_LOCK, async () => {
      const ops: Op[] = []
      for (const report of store.moderation.reports.values()) {
        if (report.user === user) ops.push(...store.moderation.deleteReportOps(report.id))
        else ops.push(...(await this.#anonymiseOps(report, user)))
      }
      if (ops.length > 0) await commit(store, { ops })
    })
  }

  async #anonymiseOps(report: ReportRecord, user: string): Promise<Op[]> {
    const { directory, moderation } = this.#deps.store
    const { id, by, room, resolution } = report
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
    if (room !== null && directory.forwarded.get(room, user)) {
      const payload = await moderation.evidence(id)
      if (payload && isForwardOf({ payload }, user)) ops.push(moderation.deleteEvidenceOp(id))
    }
    return ops
  }

  /** Deletes reports that were resolved more than `keep` seconds ago. */
  async sweep(now = Date.now()): Promise<void> {
    const { store, keep } = this.#deps
    const old = this.#resolved().filter(({ resolution }) => resolution!.at + keep * 1000 <= now)
    if (old.length > 0) await commit(store, { ops: old.flatMap(({ id }) => store.moderation.deleteReportOps(id)) })
  }
}

/** Key of the lock for changes to existing reports. */
const UPDATE_LOCK = 'changing'

export interface ResolveOptions {
  readonly seconds?: number | undefined
  readonly note?: string | undefined
}

/** Whether both are about the same message, or the same user in the same room. */
function isSame(one: Target, other: Target): boolean {
  return (['room', 'roomSince', 'seq', 'user'] as const).every((key) => one[key] === other[key])
}
