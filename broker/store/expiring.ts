/** Records with a time to live: what is counted or issued for a while, alike on all nodes, and not forgotten by a restart. */
import type { Bucket } from '../util/stored-bucket.js'
import type { Op } from './op.js'
import type { AccountVersion } from './users.js'

/** A record counts as absent from `until` on (Unix ms), also before it is removed. */
export interface Expiring {
  readonly until: number
}

/** Attempts that failed, and until when further ones are refused. */
export interface FailureCount extends Expiring {
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

/** Somebody is acting on a report: meanwhile nobody else does. */
export interface ReportTurn extends Expiring {
  /** Whose it is. No name. */
  readonly turn: string
}

/** How much of a limit is left. */
export interface Remainder extends Expiring, Bucket {}

/** The networks from which a user has logged in lately, and when (Unix ms): the last one last. */
export interface KnownNetworks extends Expiring {
  readonly networks: readonly (readonly [network: string, at: number])[]
}

/** Counts of attempts, by kind. They are held in memory on every node, and bounded in number, since strangers cause them. */
export interface CountRecords {
  /** Wrong passwords, by user and network. */
  readonly loginFailures: FailureCount
  /** By network, whoever the user. */
  readonly loginFailuresFrom: FailureCount
  /** Wrong passwords of a user from networks that are not known. By user. */
  readonly guesses: Remainder
  /** Refused tokens of live logins, by user and network. */
  readonly renewalFailures: FailureCount
  /** By network. */
  readonly renewalFailuresFrom: FailureCount
  /** Refused reset tokens, by network. */
  readonly resetFailuresFrom: FailureCount
  /** Registrations, also successful ones. By network. */
  readonly registrationsFrom: FailureCount
  /** Failed logins at a provider, by network. */
  readonly oidcFailuresFrom: FailureCount
}

export type CountKind = keyof CountRecords

const COUNTS: Readonly<Record<CountKind, true>> = {
  ...{ loginFailures: true, loginFailuresFrom: true, guesses: true, renewalFailures: true, renewalFailuresFrom: true },
  ...{ resetFailuresFrom: true, registrationsFrom: true, oidcFailuresFrom: true },
}
export const COUNT_KINDS = Object.keys(COUNTS) as readonly CountKind[]

/** By kind. What names a record is said beside its kind. */
export interface ExpiringRecords extends CountRecords {
  /** Wrong codes of a second factor, by user. */
  readonly codeFailures: FailureCount
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
  /** By id of the report. */
  readonly reportTurn: ReportTurn
  /** How often one person may still ask another: by person, and whom they asked, or whom and for what. */
  readonly asked: Remainder
  /** By user. */
  readonly knownNetworks: KnownNetworks
}

export type ExpiringKind = keyof ExpiringRecords

export type TicketKind = 'loginCode' | 'exportLink'

/** One name, or two. What is named by a user first is removed with the account. */
export type ExpiringName = string | readonly [string, string]

export interface ExpiringStore {
  /** @param now Unix ms. Null: there is none, or its time is over */
  get<Kind extends ExpiringKind>(kind: Kind, name: ExpiringName, now: number): Promise<ExpiringRecords[Kind] | null>
  /** The same of a count, from memory. */
  count<Kind extends CountKind>(kind: Kind, name: ExpiringName, now: number): ExpiringRecords[Kind] | null
  /** Sets a count. If there are too many of its kind, those that have not changed for longest are removed. */
  countOps<Kind extends CountKind>(kind: Kind, name: ExpiringName, record: ExpiringRecords[Kind]): Op[]
  putOp<Kind extends ExpiringKind>(kind: Kind, name: ExpiringName, record: ExpiringRecords[Kind]): Op
  deleteOp(kind: ExpiringKind, name: ExpiringName): Op
  /**
   * Ops that remove what is over of the next `limit` records behind the key `after`, and the key to go on behind; null: these were the last.
   * @param now Unix ms
   */
  sweepOps(after: string, limit: number, now: number): Promise<{ ops: Op[]; next: string | null }>
}
