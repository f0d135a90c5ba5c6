/** Files that users upload, and which rooms have messages that refer to them. Their bytes are not in the store. */
import type { Op } from './op.js'

/** What is known of the contents of an image, audio or video. */
export interface FileFacts {
  /** Pixels. */
  readonly width?: number
  readonly height?: number
  /** Seconds. */
  readonly duration?: number
  /** A BlurHash: what to show until the image is there. */
  readonly placeholder?: string
  /** There is a small image of it. */
  readonly thumbnail?: true
}

export interface FileRecord {
  readonly id: string
  /** Who uploaded it. */
  readonly user: string
  /** The account whose limits it counts against: the user, or their owner. */
  readonly person: string
  /** As the user named it; only shown. */
  readonly name: string | null
  /** Media type: what the user stated until the upload is finished, then what the bytes are. */
  readonly mime: string
  /** Bytes. */
  readonly size: number
  /** Unix ms. */
  readonly createdAt: number
  /** SHA-256 of the bytes, base64url. Null: the upload is not finished. */
  readonly hash: string | null
  /** Unix ms: when it is looked at next, whether anything still refers to it. */
  readonly checkAt: number
  /** Unix ms: since when a node makes the file of the upload. Absent: none does. */
  readonly finishing?: number
  readonly facts?: FileFacts
  /** Absent: no scanner was asked. A file is served only if it is not there, or clean. */
  readonly scan?: ScanState
  /** Why it is blocked, if that was said. */
  readonly blockedFor?: string
}

export type ScanState = 'pending' | 'clean' | 'blocked'

/** How many files there are, and their bytes, unfinished uploads included: each counts with its whole size. */
export interface FileTotals {
  readonly files: number
  readonly bytes: number
}

/** Of the files that messages of a room refer to, or did when they were looked at last: each counts once. */
export interface RoomFileTotals extends FileTotals {
  /** Names these totals: a room that is deleted and made anew has others. */
  readonly id: string
}

/** A file in the totals of a room. */
export interface CountedIn {
  readonly totals: string
  readonly bytes: number
}

/** All of it is read on demand. */
export interface FileStore {
  get(id: string): Promise<FileRecord | null>
  /** Ids of a user's files behind `after`, in their order. */
  ofUser(user: string, after: string, limit: number): Promise<string[]>
  /** Rooms behind `after` that have, or had, a message which refers to the file. */
  roomsOf(id: string, after: string, limit: number): Promise<string[]>
  /** Of an account; null: of all. */
  totals(person: string | null): Promise<FileTotals>
  /** Null: no file is counted in the room. */
  roomTotals(room: string): Promise<RoomFileTotals | null>
  /** What the file counts in the room; null: it does not. */
  countedIn(id: string, room: string): Promise<CountedIn | null>
  /** Ids of files whose `checkAt` is not after `now` (Unix ms), the first due first. */
  due(now: number, limit: number): Promise<string[]>
  /** @param before The present record; null: there is none */
  putOps(record: FileRecord, before: FileRecord | null): Op[]
  deleteOps(record: FileRecord): Op[]
  totalsOp(person: string | null, totals: FileTotals): Op
  /** Null: no file is left. */
  roomTotalsOp(room: string, totals: RoomFileTotals | null): Op
  roomOp(id: string, room: string, counted: CountedIn): Op
  deleteRoomOp(id: string, room: string): Op
}

/**
 * The number under which notes of a log name the file. Two files may have the same one: what such a note leads to has to be looked at.
 */
export function fileNumber(id: string): number {
  return Number.parseInt(id.slice(0, NUMBER_DIGITS), 16)
}

/** Of 48 bits, which a number holds exactly. */
const NUMBER_DIGITS = 12
