/** Records that belong to an owner, such as a room or a device. */
import type { Op } from './op.js'

/** Records of an owner, keyed by a name. In memory. */
export interface OwnedRecords<T> {
  get(owner: string, name: string): T | undefined
  /** By name. */
  of(owner: string): ReadonlyMap<string, T>
  /** Those of one name, by owner. */
  named(name: string): ReadonlyMap<string, T>
  putOp(record: T): Op
  deleteOp(owner: string, name: string): Op
  /** Like `deleteOp`, and off the disk within a day. */
  wipeOp(owner: string, name: string): Op
}
