/**
 * Presence of users, as others are told of it. A user is online while any of their sessions is, on whatever node (attendance.ts). Every node hears what
 * is stored, and tells those who are connected to it. Changes of status and of the number of devices are rate limited: above the rate
 * only the last state is announced, later. Going online and offline is always announced.
 */
import { topics } from '../../../schemas/topics.js'
import { type UnloggedMessage, unlogged } from '../../hub.js'
import type { Bus } from '../../store/bus.js'
import type { PresenceRecord } from '../../store/presence.js'
import type { PresenceChange } from '../../store/record-changes.js'
import type { Store } from '../../store/store.js'
import type { Deadline, TimerWheel } from '../../util/timer-wheel.js'
import { TokenBuckets } from '../../util/token-buckets.js'
import type { Signal } from '../model/signals.js'
import type { LargeRoomPolicy } from '../rooms/large-room-policy.js'
import { Attendance, type AttendanceDeps } from './attendance.js'
import { PresenceAudience } from './presence-audience.js'
import { type Device, shownOf } from './presence-decision.js'
import { StatusEnds } from './status-ends.js'
import type { Typing } from './typing.js'

/** Milliseconds between two attempts to announce pending changes. */
const RETRY_INTERVAL = 250

export interface PresenceDeps extends Omit<AttendanceDeps, 'mayTellAway'> {
  readonly bus: Bus<Signal>
  readonly largeRooms: LargeRoomPolicy
  readonly typing: Pick<Typing, 'left'>
  /** Announced changes of status and devices per second and user. */
  readonly perSecond: number
  /** Counts dropped announcements, by reason. */
  readonly count: (name: string) => void
}

/** What is shown as the user, or the user's profile, says. */
export type ShownByUser = Partial<Pick<PresenceRecord, 'status' | 'statusEmoji' | 'statusUntil' | 'profileAt'>>

export class Presence {
  readonly audience: PresenceAudience
  readonly #attendance: Attendance
  readonly #statusEnds: StatusEnds
  readonly #store: Pick<Store, 'directory'>
  readonly #typing: Pick<Typing, 'left'>
  readonly #bus: Bus<Signal>
  readonly #wheel: TimerWheel
  readonly #rate: TokenBuckets
  /** Users with a change that is still to be announced. */
  readonly #pending = new Set<string>()
  readonly #pendingTimer: Deadline = { due: (now) => this.#announcePending(now) }
  readonly #count: (name: string) => void

  constructor(deps: PresenceDeps) {
    this.audience = new PresenceAudience(deps.store.directory, deps.largeRooms)
    const mayTellAway = (user: string): boolean => this.#mayAnnounce(user)
    this.#attendance = new Attendance({ ...deps, mayTellAway }, (user, before, after) => {
      if (this.#attendance.shown(user).online) this.#devicesChanged(user, before, after)
    })
    this.#statusEnds = new StatusEnds(deps.wheel, (user) => this.#statusOver(user))
    this.#store = deps.store
    this.#typing = deps.typing
    this.#bus = deps.bus
    this.#wheel = deps.wheel
    this.#rate = new TokenBuckets(deps.perSecond)
    this.#count = deps.count
  }

  /** Those who were online before have the time to come back. */
  begin(): void {
    this.#attendance.begin()
    for (const record of this.#store.directory.presence.all()) this.#statusEnds.noted(record.user, record)
  }

  connected(user: string, device: Device): void {
    this.#attendance.connected(user, device)
  }

  /** `leaving`: the broker leaves, not the user. */
  disconnected(user: string, device: Device, leaving = false): void {
    this.#attendance.disconnected(user, device, leaving)
    if (device !== null) this.#typing.left(user, device)
  }

  /** Removes a deleted user, who has no connection any more. */
  async removeUser(user: string): Promise<void> {
    this.#pending.delete(user)
    this.#statusEnds.forget(user)
    await this.#attendance.remove(user)
  }

  /** Sets what is shown of the user, and whether a device is away (`setAway`). Above the rate, the last of it is announced as soon as the rate allows. */
  set(user: string, wanted: ShownByUser, of: { readonly device: Device; readonly away: boolean } | null = null): void {
    if (of) this.#attendance.setAway(user, of.device, of.away)
    const isPending = this.#pending.has(user)
    if (this.#attendance.set(user, wanted) && !isPending) this.#count('dropped.presence_rate')
    if (this.#mayAnnounce(user)) this.#attendance.save(user)
  }

  /** A device is away, or back: the user is away if all of them are. Announced at the same rate. */
  setAway(user: string, device: Device, away: boolean): void {
    if (!this.#attendance.setAway(user, device, away) || this.#mayAnnounce(user)) this.#attendance.save(user)
    else this.#attendance.saveHeld(user)
  }

  /** Something was stored, here or elsewhere. */
  stored({ record, isSet, devices: [before, after] }: PresenceChange): void {
    if (isSet) this.#statusEnds.noted(record.user, record)
    if (isSet) this.#announce(record.user, render(record, this.#attendance.told(record.user, after)))
    else if (record.online) this.#devicesChanged(record.user, before, after)
  }

  /** The user's privacy setting changed: those who may see the presence get it, all others get the state of an unknown user. */
  audienceChanged(user: string): void {
    this.#bus.send({ kind: 'presence', user, payload: this.#render(user) })
    this.#bus.send({ kind: 'presenceHidden', user, payload: this.#unknown(user) })
  }

  /** Runs `work`, which may change whether two users see each other, and announces each to the other where it did. */
  async updateVisibility<T>(one: string, other: string, work: () => Promise<T>): Promise<T> {
    const seen = [this.audience.visible(one, other), this.audience.visible(other, one)] as const
    const done = await work()
    this.#announceVisibility(one, other, seen[0])
    this.#announceVisibility(other, one, seen[1])
    return done
  }

  /** The retained presence that a new subscription gets. */
  current(user: string): UnloggedMessage {
    return unlogged(topics.user(user, 'presence'), this.#render(user), 1, { retain: true })
  }

  /** As `watcher` may see it. */
  shownTo(user: string, watcher: string): Buffer {
    return this.audience.visible(user, watcher) ? this.#render(user) : this.#unknown(user)
  }

  /** Announces `user` to `watcher` if `watcher` may see the user now and could not before, or the other way round. */
  #announceVisibility(user: string, watcher: string, before: boolean): void {
    const now = this.audience.visible(user, watcher)
    if (now === before) return
    if (now) this.#bus.send({ kind: 'presence', user, payload: this.#render(user), only: watcher })
    else this.#bus.send({ kind: 'presenceHidden', user, payload: this.#unknown(user), only: watcher })
  }

  /** A user who reconnects within `offlineDelay` is announced only if the number of devices differs. */
  #devicesChanged(user: string, before: number, after: number): void {
    if (Math.max(1, before) !== Math.max(1, after) && this.#mayAnnounce(user))
      this.#announce(user, render(this.#attendance.shown(user), after))
  }

  /** Whether a change may be announced now; otherwise it is pending, or replaced by the next one. */
  #mayAnnounce(user: string): boolean {
    if (this.#pending.has(user)) {
      this.#count('dropped.presence_rate')
      return false
    }
    if (this.#rate.take(user) === 0) return true
    if (this.#pending.size === 0) this.#wheel.set(this.#pendingTimer, this.#wheel.now)
    this.#pending.add(user)
    return false
  }

  #statusOver(user: string): void {
    if (this.#store.directory.presence.get(user)) this.#announce(user, this.#render(user))
  }

  #announcePending(now: number): number {
    for (const user of this.#pending) {
      if (this.#rate.take(user) > 0) continue
      this.#pending.delete(user)
      if (this.#attendance.wants(user)) this.#attendance.save(user)
      else this.#announce(user, this.#render(user))
    }
    return this.#pending.size === 0 ? 0 : now + RETRY_INTERVAL
  }

  /** To those who are connected here. */
  #announce(user: string, payload: Buffer): void {
    this.#pending.delete(user)
    this.#bus.sendHere({ kind: 'presence', user, payload })
  }

  /** The presence of a user who has never been online. */
  #unknown(user: string): Buffer {
    return render(shownOf(undefined, user, undefined), 0)
  }

  #render(user: string): Buffer {
    return render(this.#attendance.shown(user), this.#attendance.devices(user))
  }
}

/** A user who is announced as online has at least one device. */
function render(record: PresenceRecord, devices: number): Buffer {
  const { user, online, away, lastSeen, profileAt } = record
  const state = online ? (away ? 'away' : 'online') : 'offline'
  const shown = online
    ? { lastSeen: Date.now(), devices: Math.max(1, devices) }
    : { lastSeen: lastSeen || null, devices: 0 }
  return Buffer.from(JSON.stringify({ user, state, ...statusOf(record), ...shown, profileAt: profileAt ?? null }))
}

/** None once it is over. */
function statusOf({ status, statusEmoji = null, statusUntil = null }: PresenceRecord) {
  const isOver = statusUntil !== null && statusUntil <= Date.now()
  return isOver ? { status: null, statusEmoji: null, statusUntil: null } : { status, statusEmoji, statusUntil }
}
