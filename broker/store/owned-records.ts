/** Records that belong to an owner: of a room, or of a device. */
import type { Op } from './op.js'

/** Records of an owner, each under a name. From memory. */
export interface OwnedRecords<T> {
  get(owner: string, name: string): T | undefined
  /** By name. */
  of(owner: string): ReadonlyMap<string, T>
  putOp(record: T): Op
  deleteOp(owner: string, name: string): Op
  /** The same, and off the disk within a day. */
  wipeOp(owner: string, name: string): Op
}
