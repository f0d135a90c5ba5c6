/** Records with a time to live: what is counted or issued for a while, alike on all nodes, and not forgotten by a restart. */
import type { Bucket } from '../util/stored-bucket.js'
import type { Op } from './op.js'
import type { AccountVersion } from './users.js'

/** A record counts as absent from `until` on (Unix ms), also before it is removed. */
export interface Expiring {
  readonly until: number
}

/** Wrong codes of a second factor. At most one record for each account. */
export interface CodeFailures extends Expiring {
  readonly failures: number
  /** Unix ms. */
  readonly last: number
  /** Unix ms; 0: not refused. */
  readonly refusedUntil: number
}

/** To whom a ticket was issued: a secret that is used once. */
interface Ticket extends Expiring {
  readonly user: string
  /** Absent: it is not known, and the name alone counts. */
  readonly account?: AccountVersion
}

export interface LoginCode extends Ticket {
  /** PKCE. */
  readonly challenge: string
  /** Unix ms. */
  readonly issuedAt: number
}

/** With the login by which the link was asked for. */
export interface ExportLink extends Ticket {
  /** Unix ms. */
  readonly issuedAt?: number
  readonly login?: string | null
}

/** The last tickets of a user, oldest first, used ones included. */
export interface TicketList extends Expiring {
  readonly hashes: readonly string[]
}

/** When a person last wrote in a room with slow mode. One is written with each such message. */
export interface LastMessage extends Expiring {
  /** Unix ms. */
  readonly at: number
}

/** How often one person may still ask another: one is written with each request. */
export interface Asked extends Expiring, Bucket {}

/** By kind. What names a record is said beside its kind. */
export interface ExpiringRecords {
  /** By user. */
  readonly codeFailures: CodeFailures
  /** By hash of the code. */
  readonly loginCode: LoginCode
  /** By user. */
  readonly loginCodesOf: TicketList
  /** By hash of the ticket in the link. */
  readonly exportLink: ExportLink
  /** By user. */
  readonly exportLinksOf: TicketList
  /** By person and room. */
  readonly lastMessage: LastMessage
  /** By person, and whom they asked, or whom and for what. */
  readonly asked: Asked
}

export type ExpiringKind = keyof ExpiringRecords

export type TicketKind = 'loginCode' | 'exportLink'

/** One name, or two. What is named by a user first is removed with the account. */
export type ExpiringName = string | readonly [string, string]

export interface ExpiringStore {
  /** @param now Unix ms. Null: there is none, or its time is over */
  get<Kind extends ExpiringKind>(kind: Kind, name: ExpiringName, now: number): Promise<ExpiringRecords[Kind] | null>
  putOp<Kind extends ExpiringKind>(kind: Kind, name: ExpiringName, record: ExpiringRecords[Kind]): Op
  deleteOp(kind: ExpiringKind, name: ExpiringName): Op
  /**
   * Ops that remove what is over of the next `limit` records behind the key `after`, and the key to go on behind; null: these were the last.
   * @param now Unix ms
   */
  sweepOps(after: string, limit: number, now: number): Promise<{ ops: Op[]; next: string | null }>
}
