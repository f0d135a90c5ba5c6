/** Messages that users have saved for themselves. Read on demand; removed with the account. */
import type { Op } from './op.js'

export interface SavedRecord {
  readonly room: string
  readonly seq: number
  /** Incarnation of the log of the room when it was saved. */
  readonly incarnation: number
  /** What the user noted about it; null: nothing. */
  readonly note: string | null
  /** Unix ms. */
  readonly savedAt: number
}

export interface SavedStore {
  get(user: string, room: string, seq: number): Promise<SavedRecord | null>
  /** By room and seq. `room`: only those in it; null: all. */
  list(user: string, room: string | null): Promise<SavedRecord[]>
  count(user: string): Promise<number>
  countOp(user: string, count: number): Op
  putOp(user: string, record: SavedRecord): Op
  deleteOp(user: string, room: string, seq: number): Op
  /** All of the user. */
  clearOp(user: string): Op
}
