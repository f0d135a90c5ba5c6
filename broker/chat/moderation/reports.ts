/** What users report to those who moderate: a queue, with the messages as they were, and what is done about it. */

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
import { forwards } from '../messages/forwarding.js'
import type { References } from '../messages/references.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'

/** Open reports: of one user, of filters, of all. */
const MOST_OF_USER = 100
const MOST_OF_FILTERS = 5000
const MOST_OPEN = 10_000
const MOST = { mostOfOne: MOST_OF_USER, most: MOST_OPEN }
/** Resolved ones; beyond it the oldest go before their time. */
const MOST_RESOLVED = 10_000
/** Moderators of one room who are told of a report. */
const MOST_TOLD = 100

/** What is reported. */
export interface Reported {
  readonly room?: string | undefined
  readonly seq?: number | undefined
  readonly user?: string | undefined
  readonly reason: string
  readonly text?: string | undefined
}

export interface ReportsParts {
  readonly store: Store
  readonly rules: RoomRules
  readonly references: References
  /** Seconds a resolved report is kept. */
  readonly keep: number
  /** Does what a moderator asks for, as if it came by itself. */
  readonly run: (actor: Actor, method: string, params: object) => Promise<unknown>
  /** For whom a user counts. */
  readonly accountOf: (user: string) => string
}

type Target = Pick<ReportRecord, 'room' | 'roomSince' | 'seq' | 'user'>

export class Reports {
  readonly #parts: ReportsParts
  readonly #locks = new KeyedMutex()

  constructor(parts: ReportsParts) {
    this.#parts = parts
  }

  /** One open report of each user about each message and user. */
  create(actor: Actor, reported: Reported): Promise<ReportRecord> {
    const by = requireUser(actor)
    return this.#locks.runExclusive(`of ${this.#parts.accountOf(by)}`, async () => {
      const { target, message } = await this.#target(actor, reported)
      if (target.user === by) throw new Refusal('bad_request', 'that is you yourself', { field: 'user' })
      const { reason, text = null } = reported
      return this.#add({ ...target, by, reason, text }, message)
    })
  }

  /** By a filter, after the message was taken. Where the queue is full nothing is added. */
  async flag(user: string, room: string, seq: number, entry: number, why: string): Promise<void> {
    const { log } = this.#parts.store
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

  async #target(actor: Actor, { room, seq, user }: Reported): Promise<{ target: Target; message: Buffer | null }> {
    const id = room === undefined ? null : this.#parts.rules.resolve(actor, room)
    if (id !== null) this.#parts.rules.requireMember(actor, id)
    const roomSince = id === null ? null : this.#roomSince(id)
    if (seq === undefined) {
      if (user === undefined)
        throw new Refusal('bad_request', 'name a message (room and seq) or a user', { field: 'user' })
      if (!(await this.#parts.store.directory.user(user)))
        throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
      return { target: { room: id, roomSince, seq: null, user }, message: null }
    }
    if (id === null) throw new Refusal('bad_request', 'a message is named by room and seq', { field: 'room' })
    if (user !== undefined) throw new Refusal('bad_request', 'the user is who wrote the message', { field: 'user' })
    const { entry, message } = await this.#parts.references.find(actor, id, seq, 'seq')
    if (!message) throw new Refusal('not_found', `message ${seq} is gone`, { field: 'seq' })
    return { target: { room: id, roomSince, seq, user: entry.from }, message: entry.payload }
  }

  #roomSince(room: string): number | null {
    return this.#parts.store.directory.room(room)?.createdAt ?? null
  }

  async #add(report: Omit<ReportRecord, 'id' | 'at' | 'resolution'>, message: Buffer | null): Promise<ReportRecord> {
    const { store } = this.#parts
    const open = this.#open()
    const same = open.find((other) => other.by === report.by && isSame(other, report))
    if (same) return same
    this.#requirePlace(report.by, open)
    const record: ReportRecord = { id: uuid7(), ...report, at: Date.now(), resolution: null }
    const evidence = message ? [store.moderation.evidenceOp(record.id, message)] : []
    await commit(store, { drafts: this.#events(record), ops: [store.moderation.reportOp(record), ...evidence] })
    return record
  }

  /** Filters have a number of their own; people share, and who owns bots and devices counts with them. */
  #requirePlace(by: string, open: readonly ReportRecord[]): void {
    const { accountOf } = this.#parts
    const account = accountOf(by)
    const mine = open.filter((other) => accountOf(other.by) === account).length
    const all = open.length
    if (by === SYSTEM ? mine < MOST_OF_FILTERS && all < MOST_OPEN : isOneLeft({ mine, all, ...MOST })) return
    const why =
      all >= MOST_OPEN ? `${MOST_OPEN} reports are open; no more` : `${mine} reports of yours are open; no more`
    throw new Refusal('conflict', `${why} are taken`)
  }

  #open(): ReportRecord[] {
    return [...this.#parts.store.moderation.reports.values()].filter(({ resolution }) => resolution === null)
  }

  /** Those who moderate the room hear of it, but not of what is said about them. */
  #events({ id, room, seq, user }: ReportRecord): Draft[] {
    if (room === null || isDirectRoom(room)) return []
    const moderators: string[] = []
    for (const member of this.#parts.store.directory.members(room).values()) {
      if (allows(member.role, 'moderate') && member.user !== user) moderators.push(member.user)
      if (moderators.length === MOST_TOLD) break
    }
    return moderators.map((moderator) => userEvent(moderator, { type: 'reported', room, report: id, target: seq }))
  }

  /** Of a room, or of all; by id. */
  list(actor: Actor, room: string | undefined, status: 'open' | 'resolved'): ReportRecord[] {
    const id =
      room === undefined
        ? null
        : isAdmin(actor) && !room.startsWith('@')
          ? room
          : this.#parts.rules.resolve(actor, room)
    if (id === null && !isAdmin(actor)) throw new Refusal('forbidden', 'only admins see the reports of all rooms')
    if (id !== null && !isAdmin(actor)) this.#parts.rules.require(actor, id, 'moderate')
    return [...this.#parts.store.moderation.reports.values()].filter(
      (report) =>
        (report.resolution === null) === (status === 'open') &&
        (id === null || report.room === id) &&
        this.#maySee(actor, report),
    )
  }

  /** Admins; and who moderates the room, as long as it is the same room and the report is not about them. */
  #maySee(actor: Actor, { room, roomSince, user }: ReportRecord): boolean {
    if (isAdmin(actor)) return true
    const same = room !== null && this.#roomSince(room) === roomSince
    return same && user !== actor.principal.user && this.#parts.rules.mayModerate(actor, room, 'moderate')
  }

  resolve(actor: Actor, id: string, action: Resolution['action'], options: ResolveOptions): Promise<ReportRecord> {
    const { store } = this.#parts
    return this.#locks.runExclusive(`about ${id}`, async () => {
      const report = store.moderation.reports.get(id)
      if (!report || !this.#maySee(actor, report))
        throw new Refusal('not_found', `there is no report ${id}`, { field: 'report' })
      if (report.resolution)
        throw new Refusal('conflict', `${report.resolution.by} has resolved it`, { field: 'report' })
      await this.#act(actor, report, action, options.seconds)
      const resolution = { by: actor.principal.user, at: Date.now(), action, note: options.note ?? null }
      await this.#locks.runExclusive(CHANGING, async () => {
        const closed = this.#open().filter((other) => isSame(other, report))
        const ops = closed.map((other) => store.moderation.reportOp({ ...other, resolution }))
        await commit(store, { ops: [...ops, ...this.#makeRoom(closed.length)] })
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
      return void (await this.#parts.run(actor, `rooms.${action}`, { room, user, for: seconds, ...more }))
    }
    if (seq === null) throw new Refusal('bad_request', 'the report is about no message', { field: 'action' })
    // Or a send would join the room.
    this.#parts.rules.requireMember(actor, room)
    await this.#parts.run(actor, 'send', { room, type: 'delete', target: seq }).catch((error: unknown) => {
      // Somebody was faster.
      if (!(error instanceof Refusal) || error.code !== 'not_found') throw error
    })
  }

  /** Forgets the oldest that are resolved, where `more` would be too many. */
  #makeRoom(more: number) {
    const { moderation } = this.#parts.store
    const resolved = this.#resolved()
    return resolved
      .slice(0, Math.max(0, resolved.length + more - MOST_RESOLVED))
      .map(({ id }) => moderation.deleteReportOp(id))
  }

  /** The longest resolved first. */
  #resolved(): ReportRecord[] {
    const resolved = [...this.#parts.store.moderation.reports.values()].filter(({ resolution }) => resolution !== null)
    return resolved.sort((a, b) => a.resolution!.at - b.resolution!.at)
  }

  /** Of a user who is gone: reports about them, and their words and name in those they made or resolved. */
  forget(user: string): Promise<void> {
    const { store } = this.#parts
    return this.#locks.runExclusive(CHANGING, async () => {
      const ops: Op[] = []
      for (const report of store.moderation.reports.values()) {
        if (report.user === user) ops.push(store.moderation.deleteReportOp(report.id))
        else ops.push(...(await this.#namelessOps(report, user)))
      }
      if (ops.length > 0) await commit(store, { ops })
    })
  }

  async #namelessOps(report: ReportRecord, user: string): Promise<Op[]> {
    const { directory, moderation } = this.#parts.store
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
      if (payload && forwards({ payload }, user)) ops.push(moderation.deleteEvidenceOp(id))
    }
    return ops
  }

  /** Forgets what was resolved long enough ago. */
  async sweep(now = Date.now()): Promise<void> {
    const { store, keep } = this.#parts
    const old = this.#resolved().filter(({ resolution }) => resolution!.at + keep * 1000 <= now)
    if (old.length > 0) await commit(store, { ops: old.map(({ id }) => store.moderation.deleteReportOp(id)) })
  }
}

/** Reports that are there are changed one after another. */
const CHANGING = 'changing'

export interface ResolveOptions {
  readonly seconds?: number | undefined
  readonly note?: string | undefined
}

/** About the same message, or the same user in the same place. */
function isSame(one: Target, other: Target): boolean {
  return (['room', 'roomSince', 'seq', 'user'] as const).every((key) => one[key] === other[key])
}
