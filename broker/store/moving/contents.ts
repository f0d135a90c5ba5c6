/**
 * All that a store keeps, for moving it to another one: read piece by piece, kind by kind, as it is stored, in an order that stays the same while
 * nothing is committed.
 */
import type { CidName } from '../cid-digest.js'
import type { LogName } from '../log-name.js'
import type { LogEntry, LogGrowth } from '../logs.js'
import type { QoS } from '../qos.js'
import { TABLES, type Table } from '../tables.js'

/** What is of processes, and not of the store: who serves which session and does which job, which node has whose devices, and until when a broker was there. */
const OF_PROCESSES: ReadonlySet<Table> = new Set([
  ...(['owner', 'claimant', 'job', 'candidate', 'userDevices', 'heartbeat'] as const),
])

/** In the order in which they are moved: what is in the way of a log stands before its entries. */
export const KINDS = [
  ...TABLES.filter((table) => !OF_PROCESSES.has(table)),
  ...(['log', 'entry', 'note', 'cid', 'packet', 'reference', 'retained', 'mark'] as const),
] as const

/** A table, or one of the other kinds of what is stored. */
export type Kind = (typeof KINDS)[number]

export interface StoredLog extends LogGrowth {
  /** The incarnation before the present one where that has the same entries: ids of clients may name either. 0: none. */
  readonly former: number
}

export type Piece =
  | { readonly kind: Table; readonly key: string; readonly value: Buffer }
  | { readonly kind: 'log'; readonly log: StoredLog }
  | { readonly kind: 'entry'; readonly log: StoredLog; readonly entry: LogEntry }
  | NotePiece
  | CidPiece
  /** A message that waits in queues. */
  | { readonly kind: 'packet'; readonly number: number; readonly packet: Buffer }
  | ReferencePiece
  | { readonly kind: 'retained'; readonly topic: string; readonly packet: Buffer }
  /** The log was not read to its end by all readers: the last entry before the mark. */
  | { readonly kind: 'mark'; readonly log: LogName; readonly seq: number }

export interface NotePiece {
  readonly kind: 'note'
  readonly log: StoredLog
  /** Of its kind (NOTE_LETTERS). */
  readonly letter: string
  readonly target: number
  readonly name: string
  readonly value: Buffer
}

/** A client-chosen id, and what it was used for. */
export interface CidPiece {
  readonly kind: 'cid'
  /** Where it is in its store. */
  readonly at: string
  readonly name: CidName
  readonly hash: Buffer
  /** Of the log when the entry was added. */
  readonly incarnation: number
  readonly seq: number
  readonly ts: number
  readonly id: string
  /** Unix ms: it was first used by then. */
  readonly usedBy: number
  /** As the client chose it, where the store keeps that; null: only its digests are known. */
  readonly text: { readonly name: string; readonly hash: string } | null
}

/** A place in the queue of a session. */
export interface ReferencePiece {
  readonly kind: 'reference'
  readonly session: string
  readonly number: number
  readonly qos: QoS
  readonly bytes: number
}

/** Where a piece is among those of its kind. */
export type Place = readonly (string | number)[]

export interface StoreFacts {
  readonly epoch: string
  /** No incarnation of a log is higher. */
  readonly commits: number
  /** Numbers of queued messages up to this one may have been used. */
  readonly queued: number
  /** Fingerprint of the secret that the store belongs to; null: it does not say. */
  readonly secret: string | null
}

export interface Contents {
  /** What it is, and where. */
  readonly about: string
  readonly facts: StoreFacts
  /**
   * The pieces of one kind, in pages that are bounded by bytes or by one owner's records. Behind a place: all that come behind it, and perhaps some
   * before it again; of entries, references and retained messages only those behind it.
   */
  pages(kind: Kind, after: Place | null): AsyncIterable<readonly Piece[]>
  /** @throws StoreError if others may have changed it since it was opened */
  assertUnchanged(): Promise<void>
  close(): Promise<void>
}

export function placeOf(piece: Piece): Place {
  switch (piece.kind) {
    case 'log':
      return [piece.log.name]
    case 'entry':
      return [piece.log.name, piece.entry.seq]
    case 'note':
      return [piece.log.name, piece.letter, piece.target, piece.name]
    case 'cid':
      return [piece.at]
    case 'packet':
      return [piece.number]
    case 'reference':
      return [piece.session, piece.number]
    case 'retained':
      return [piece.topic]
    case 'mark':
      return [piece.log]
    default:
      return [piece.key]
  }
}

/** Bytes of what a piece holds, as they are counted here: without what an adapter needs to find it. */
export function bytesOf(piece: Piece): number {
  switch (piece.kind) {
    case 'log':
    case 'mark':
    case 'reference':
      return 32
    case 'entry': {
      const { payload, from, origin, extra } = piece.entry
      return 16 + payload.length + from.length + origin.length + (extra ? extra.properties.length : 0)
    }
    case 'note':
      return 12 + piece.name.length + piece.value.length
    case 'cid':
      return 64
    case 'packet':
    case 'retained':
      return piece.packet.length
    default:
      return piece.key.length + piece.value.length
  }
}
