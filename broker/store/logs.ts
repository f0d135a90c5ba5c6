/** Logs: their entries, and reading them. */

import type { LogName } from './log-name.js'
import type { QoS } from './qos.js'

/** A committed log entry. `payload` is delivered to members byte for byte. */
export interface LogEntry {
  readonly seq: number
  /** Unix ms. */
  readonly ts: number
  readonly qos: QoS
  readonly from: string
  /** Client id of the publishing session; empty: none. Needed for No Local (MQTT 5). */
  readonly origin: string
  readonly payload: Buffer
  /** MQTT 5 properties and expiry; null: none. */
  readonly extra: Extra | null
  /** It changes another entry: an edit, a reaction, a deletion. */
  readonly isChange?: boolean
  /** Set if only this is left of the entry; the payload is then empty. */
  readonly gone?: Gone
}

/** Why an entry cannot be read any more. */
export type Gone =
  | { readonly why: 'expired' }
  | {
      /** `replaced`: by a newer notification with the same collapse key. */
      readonly why: 'deleted' | 'replaced'
      /** Null: removed with its author's account; no name is kept. */
      readonly by: string | null
      readonly at: number
      /** Of a reply: the message that began its thread. */
      readonly thread?: number
    }

/** MQTT 5 properties that the publisher set and MQTT 5 receivers get, and the message's expiry. */
export interface Extra {
  /** Encoded MQTT 5 properties, forwarded unchanged; without the length prefix. */
  readonly properties: Buffer
  /** Unix ms from which it is not delivered any more; 0: never. */
  readonly expiresAt: number
}

/** The entries that one commit added to one log, in ascending order without gaps. */
export interface AppendedBatch {
  readonly log: LogName
  readonly entries: readonly LogEntry[]
  /** These are its last: the same commit dropped the log. */
  readonly ends?: true
}

/**
 * Called once per commit that appends to the log: on the node that made the commit before the change settles, and everywhere after the changes of
 * tables in that commit were told. Must not throw.
 */
export type AppendListener = (batch: AppendedBatch) => void

/** The log of this incarnation has grown to `head`; 0: it was dropped. */
export type GrowthListener = (log: LogName, head: number, incarnation: number) => void

export interface LogInfo {
  readonly name: LogName
  /** Number of the last entry, 0 if there never was one. Never decreases. */
  readonly head: number
  /** Number of the first entry still stored; head + 1 if there is none. */
  readonly tail: number
  /**
   * Identifies the life of the log: that of a log which was dropped and made anew is another one, so that a number of one
   * life is never taken for one of another. It is given with the first entry, and does not change. 0: there was no entry yet,
   * or the log is from before incarnations were kept. Within one epoch of the store the next incarnation of a log is a higher one.
   */
  readonly incarnation: number
}

/** When a log grew, by numbers of commits: within one epoch of the store later commits have higher ones (`StorePort.lastCommit`). */
export interface LogGrowth extends LogInfo {
  /** The commit that added the last entry. 0: there is none, or a version added it that kept no such numbers. */
  readonly grownIn: number
  /** The same of the last entry that changes no other one: of a message, not of a reaction. */
  readonly spokenIn: number
}

/** What is known of a log in memory, as it is now. */
export function growthOf({ name, head, tail, incarnation, grownIn, spokenIn }: LogGrowth): LogGrowth {
  return { name, head, tail, incarnation, grownIn, spokenIn }
}

/**
 * Whether a position that somebody kept is one in the log as it is now. `incarnation`: of the log when the position was
 * kept; undefined or 0: not known, then it is taken for the present one.
 */
export function isPositionIn(log: LogInfo, seq: number, incarnation: number | undefined): boolean {
  if (seq === 0) return true
  if (log.head === 0) return false
  return !incarnation || log.incarnation === 0 || incarnation === log.incarnation
}

/** Head and tail of a log that is followed, kept current until `end`. */
export interface Followed extends LogInfo {
  /** The listener is told of later appends no more. */
  end(): void
}

/**
 * What a read returns for entries that are gone: nothing, or what is left of them. `expired too`: expired entries come
 * whole while they are still stored, for a client to which they were sent before they expired [MQTT5-4.3.3-7].
 */
export type GoneEntries = 'passed over' | 'shown' | 'expired too'

export interface LogReader {
  /** The log as it is now; what is returned does not change later. */
  open(name: LogName): Promise<LogGrowth>
  /** Of many logs, in their order, with few reads for those that are not in memory. */
  openAll(names: readonly LogName[]): Promise<LogGrowth[]>
  /**
   * From now on the listener is told of every append to the log, in order; possibly before `follow` resolves. Any number
   * of listeners may follow a log. A log that nobody follows causes no calls. Returns no promise if the log is in memory.
   */
  follow(name: LogName, listener: AppendListener): Followed | Promise<Followed>
  /**
   * Tells which logs grow, of all there are: for readers whose place in each log is stored. A call is a hint that may
   * repeat and may be late; the marks of the outbox say what is left to read. Returns what ends it.
   */
  onGrowth(listener: GrowthListener): () => void
  /**
   * Entries with `after < seq`, ascending, at most `limit`, and at most `maxBytes` of payload, but at least one if
   * there is one. Returns no promise if the entries are in memory. Entries that are gone are skipped unless asked for.
   */
  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    gone?: GoneEntries,
  ): LogEntry[] | Promise<LogEntry[]>
  /** The last entries with `seq < before`, ascending; otherwise like `read`. */
  readBefore(name: LogName, before: number, limit: number, maxBytes: number, gone?: GoneEntries): Promise<LogEntry[]>
  /**
   * Removes the oldest entries in whole chunks, up to `seq <= upTo` as far as chunk boundaries allow. Advances the
   * tail.
   */
  trim(name: LogName, upTo: number): Promise<void>
  /**
   * Removes whole chunks in which every entry is older than `before` (Unix ms), or beyond the newest `keep`; 0 disables
   * a bound.
   */
  retain(name: LogName, bounds: { before: number; keep: number }): Promise<void>
  /** Removes payloads of entries that are gone from the disk; called at least hourly, each is removed within a day. */
  sweep(): Promise<void>
  names(): AsyncIterable<LogName>
}
