/** Devices: users that belong to a user, who may read and command them, what was asked of them, and where what they publish goes. */
import type { Op } from './op.js'
import type { OwnedRecords } from './owned-records.js'

export interface DeviceRecord {
  device: string
  owner: string
  name: string | null
  /** Unix ms. */
  createdAt: number
}

/** `control`: may read and command it. */
export type DeviceMay = 'read' | 'control'

export interface DeviceShareRecord {
  device: string
  user: string
  may: DeviceMay
  /** Unix ms. */
  at: number
}

/** The device is to become the user's, if they want it. */
export interface DeviceOfferRecord {
  device: string
  user: string
  by: string
  /** Unix ms. */
  at: number
}

/** What the device publishes on topics that match goes into a room. */
export interface BridgeRecord {
  device: string
  id: string
  /** Below `devices/{device}/`. */
  filter: string
  room: string
  template: string | null
  by: string
  /** Unix ms. */
  at: number
}

export type CommandState = 'pending' | 'delivered' | 'done' | 'failed' | 'expired'

/** Something asked of a device. */
export interface DeviceCommandRecord {
  device: string
  /** UUIDv7: ids sort by time. */
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
  /** Forgets a device with its shares, offers, bridges and commands; and what others share with it or offer it, where it is a user. */
  deleteOps(id: string): Promise<Op[]>

  /** By device and user. */
  readonly shares: OwnedRecords<DeviceShareRecord>
  /** By device: what others share with the user. */
  sharedWith(user: string): ReadonlyMap<string, DeviceShareRecord>
  /** By device and user. */
  readonly offers: OwnedRecords<DeviceOfferRecord>
  /** By device: what others offer the user. */
  offeredTo(user: string): ReadonlyMap<string, DeviceOfferRecord>
  /** By device and id. */
  readonly bridges: OwnedRecords<BridgeRecord>

  /** Commands under way, by device and id. From memory. */
  readonly open: Pick<OwnedRecords<DeviceCommandRecord>, 'get' | 'of' | 'wipeOp'>
  allOpen(): Iterable<DeviceCommandRecord>
  /** Under way, or finished: by its state. */
  commandOps(record: DeviceCommandRecord): Op[]
  finished(device: string, id: string): Promise<DeviceCommandRecord | null>
  /** Finished ones below an id, newest first. */
  finishedBefore(device: string, before: string, limit: number): Promise<DeviceCommandRecord[]>
  /** A finished one; off the disk within a day. */
  forgetOp(device: string, id: string): Op
}
