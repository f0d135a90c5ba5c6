/** Who is online, as it was last announced; and among nodes that share a store, how many devices of a user each of them has. */
import type { Op } from './op.js'

export interface PresenceRecord {
  user: string
  online: boolean
  status: string | null
  /** Absent: there is none. */
  statusEmoji?: string | null
  /** Unix ms at which the status ends; absent or null: it does not. */
  statusUntil?: number | null
  /** All devices are away. */
  away: boolean
  /** Unix ms. */
  lastSeen: number
  /** Unix ms of the last change of the user's profile; absent: there was none. */
  profileAt?: number
}

/** What a user has on a node: devices, and how many of these are away. */
export interface DeviceCount {
  readonly devices: number
  readonly away: number
}

/** In memory. A single node stores no devices: what it has is all there is. */
export interface PresenceStore {
  get(user: string): PresenceRecord | undefined
  all(): Iterable<PresenceRecord>
  /** By node. No devices: a node that had some, and where the user may be back in a moment. */
  devices(user: string): ReadonlyMap<number, DeviceCount>
  /** Nodes that have devices stored. */
  nodes(): Iterable<number>
  usersOn(node: number): Iterable<string>
  putOp(record: PresenceRecord): Op
  devicesOp(user: string, node: number, count: DeviceCount): Op
  deleteDevicesOp(user: string, node: number): Op
  /** All that is stored of the user. */
  deleteOps(user: string): Op[]
}

/** Of all nodes. */
export function deviceCount(counts: ReadonlyMap<number, DeviceCount>): number {
  let sum = 0
  for (const { devices } of counts.values()) sum += devices
  return sum
}
