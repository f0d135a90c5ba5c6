/** What is to be stored of a user's presence, decided on what is stored and on what a node knows of the user. */
import type { Op } from '../../store/op.js'
import type { DeviceCount, PresenceRecord, PresenceStore } from '../../store/presence.js'
import type { Deadline } from '../../util/timer-wheel.js'

/** What is away: a session, by its id; null: the event streams of the user, which are away together. */
export type Device = string | null

/** What a node knows of a user. */
export class LocalUser implements Deadline {
  readonly user: string
  devices = 0
  /** That all devices are away, or no more, is announced too often: it has to wait. */
  holdsAway = false
  /** The last device is gone, and may be back in a moment. */
  isWaiting = false
  /** Unix ms at which a device disconnected; 0: never. */
  lastSeen = 0
  /** What the user wants to be shown and is not stored yet. */
  wanted: Partial<PresenceRecord> | null = null
  isSaving = false
  /** What of that is being stored. */
  storing: Partial<PresenceRecord> | null = null
  /** Something may have to be stored. */
  isDue = false
  readonly #waited: (user: LocalUser) => number
  #streams = 0
  #streamsAway = false
  /** Null: none. */
  #awaySessions: Set<string> | null = null

  constructor(user: string, waited: (user: LocalUser) => number) {
    this.user = user
    this.#waited = waited
  }

  /** There is nothing to know. */
  get isIdle(): boolean {
    return this.devices === 0 && !this.isWaiting && !this.wanted
  }

  /** A session that connects is not away. */
  connected(device: Device): void {
    this.devices++
    if (device === null) this.#streams++
    else this.#awaySessions?.delete(device)
  }

  disconnected(device: Device): void {
    this.devices--
    if (device !== null) this.#awaySessions?.delete(device)
    else if (--this.#streams === 0) this.#streamsAway = false
  }

  setAway(device: Device, away: boolean): void {
    if (device === null) this.#streamsAway = away && this.#streams > 0
    else if (!away) this.#awaySessions?.delete(device)
    else (this.#awaySessions ??= new Set()).add(device)
  }

  get count(): DeviceCount {
    const away = (this.#awaySessions?.size ?? 0) + (this.#streamsAway ? this.#streams : 0)
    return { devices: this.devices, away }
  }

  due(): number {
    return this.#waited(this)
  }
}

/** The node that decides. */
export interface DecidingNode {
  readonly self: number
  /** Others have devices, too. */
  readonly shared: boolean
  readonly isGone: (node: number) => boolean
  /** Gone nodes whose users had their time to come back. */
  readonly over: ReadonlySet<number>
}

/** Stores `storing` of what is wanted: what was wanted since is a change of its own, which is told, too. */
export function presenceOps(stored: PresenceStore, local: LocalUser, node: DecidingNode): Op[] {
  const { user, devices, isWaiting, storing } = local
  const elsewhere = node.shared ? elsewhereOf(stored, local, node) : NOWHERE
  const before = stored.get(user)
  const wasOnline = before?.online ?? false
  const wasAway = before?.away ?? false
  const online = devices > 0 || (wasOnline && (isWaiting || elsewhere.isHeld))
  const away = online && (local.holdsAway ? wasAway : (areAway([...elsewhere.counts, local.count]) ?? wasAway))
  if (online === wasOnline && away === wasAway && !storing) return elsewhere.ops
  const record = shownOf(before, user, storing)
  const lastSeen = online ? Date.now() : wasOnline && local.lastSeen > 0 ? local.lastSeen : record.lastSeen
  return [...elsewhere.ops, stored.putOp({ ...record, online, away, lastSeen })]
}

const NOWHERE = { ops: [] as Op[], isHeld: false, counts: [] as DeviceCount[] }

/** Whether all devices are away; null: there are none. */
export function areAway(counts: Iterable<DeviceCount>): boolean | null {
  let [devices, away] = [0, 0]
  for (const count of counts) {
    devices += count.devices
    away += count.away
  }
  return devices === 0 ? null : away === devices
}

/** What is stored of devices: that of this node is brought up to date, and what is over is removed. */
function elsewhereOf(stored: PresenceStore, { user, devices, isWaiting, count }: LocalUser, node: DecidingNode) {
  const counts = stored.devices(user)
  const here = counts.get(node.self)
  const ops: Op[] = []
  const others: DeviceCount[] = []
  const isKept = devices > 0 || (isWaiting && here !== undefined)
  if (isKept && (here?.devices !== devices || here.away !== count.away))
    ops.push(stored.devicesOp(user, node.self, count))
  else if (devices === 0 && !isWaiting && here !== undefined) ops.push(stored.deleteDevicesOp(user, node.self))
  for (const [other, there] of counts) {
    if (other === node.self) continue
    // Who is connected here need not come back elsewhere.
    const isOver = node.over.has(other) || (devices > 0 && (there.devices === 0 || node.isGone(other)))
    if (isOver) ops.push(stored.deleteDevicesOp(user, other))
    else others.push(there)
  }
  return { ops, isHeld: others.length > 0, counts: others }
}

/** What is shown, with what the user wants. */
export function shownOf(
  record: PresenceRecord | undefined,
  user: string,
  wanted: Partial<PresenceRecord> | null | undefined,
): PresenceRecord {
  return { ...(record ?? { user, online: false, status: null, away: false, lastSeen: 0 }), ...wanted }
}
