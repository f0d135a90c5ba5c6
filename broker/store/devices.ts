/**
 * Devices: users that belong to a user. Their records, shares with other users, offers of ownership, bridges into
 * rooms, and commands.
 */
import type { Op } from './op.js'
import type { OwnedRecords } from './owned-records.js'

export interface DeviceRecord {
  device: string
  owner: string
  name: string | null
  /** Unix ms. */
  createdAt: number
}

/** `control`: may read and send commands. */
export type DeviceMay = 'read' | 'control'

export interface DeviceShareRecord {
  device: string
  user: string
  may: DeviceMay
  /** Unix ms. */
  at: number
}

/** An offer of ownership: the device becomes the user's once they accept. */
export interface DeviceOfferRecord {
  device: string
  user: string
  by: string
  /** Unix ms. */
  at: number
}

/** A bridge: what the device publishes on matching topics is posted to a room. */
export interface BridgeRecord {
  device: string
  id: string
  /** A filter below `devices/{device}/`. */
  filter: string
  room: string
  template: string | null
  by: string
  /** Unix ms. */
  at: number
}

export type CommandState = 'pending' | 'delivered' | 'done' | 'failed' | 'expired'

/** A command sent to a device. */
export interface DeviceCommandRecord {
  device: string
  /** UUIDv7: sorts by time. */
  id: string
  name: string
  params?: unknown
  by: string
  /** Unix ms, like the following; 0: not yet. */
  at: number
  expiresAt: number
  deliveredAt: number
  finishedAt: number
  state: CommandState
  result?: unknown
  error?: string
}

export interface DeviceStore {
  get(device: string): DeviceRecord | undefined
  all(): Iterable<DeviceRecord>
  /** By device. */
  ownedBy(owner: string): ReadonlyMap<string, DeviceRecord>
  putOp(record: DeviceRecord): Op
  /**
   * Removes a device with its shares, offers, bridges and commands, and, if `id` is also a user, what others share with
   * it or offer it.
   */
  deleteOps(id: string): Op[]

  /** By device and user. */
  readonly shares: OwnedRecords<DeviceShareRecord>
  /** Devices that others share with the user, by device. */
  sharedWith(user: string): ReadonlyMap<string, DeviceShareRecord>
  /** By device and user. */
  readonly offers: OwnedRecords<DeviceOfferRecord>
  /** Devices that others offer the user, by device. */
  offeredTo(user: string): ReadonlyMap<string, DeviceOfferRecord>
  /** By device and id. */
  readonly bridges: OwnedRecords<BridgeRecord>

  /** Unfinished commands, by device and id. In memory. */
  readonly open: Pick<OwnedRecords<DeviceCommandRecord>, 'get' | 'of' | 'wipeOp'>
  allOpen(): Iterable<DeviceCommandRecord>
  /** Writes a command to the unfinished or the finished ones, by its state. */
  commandOps(record: DeviceCommandRecord): Op[]
  finished(device: string, id: string): Promise<DeviceCommandRecord | null>
  /** Finished commands with smaller ids, newest first. */
  finishedBefore(device: string, before: string, limit: number): Promise<DeviceCommandRecord[]>
  /** Removes a finished command; off the disk within a day. */
  forgetOp(device: string, id: string): Op
}
