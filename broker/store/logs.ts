/** The logs: what an entry of one is, and how logs are read. */

import type { LogName } from './log-name.js'
import type { QoS } from './qos.js'

/** One entry of a log, as it was committed. `payload` is what members receive, byte for byte. */
export interface LogEntry {
  readonly seq: number
  /** Unix ms. */
  readonly ts: number
  readonly qos: QoS
  readonly from: string
  /** Client id of the session that published it; empty: none (MQTT 5 no local). */
  readonly origin: string
  readonly payload: Buffer
  /** What came with the payload; null: nothing. */
  readonly extra: Extra | null
  /** It is about another entry: an edit, a reaction, a deletion. */
  readonly aside?: boolean
  /** Set where only this is left of it; the payload is empty then. */
  readonly gone?: Gone
}

/** Why an entry cannot be read any more. */
export type Gone =
  | { readonly why: 'expired' }
  | {
      /** `replaced`: by a newer notification of its collapse key. */
      readonly why: 'deleted' | 'replaced'
      /** Null: it went with an account, and no name is left, not even of who wrote it. */
      readonly by: string | null
      readonly at: number
    }

/** What MQTT 5 publishers may add to a message, and receivers of that version see; and when a message expires. */
export interface Extra {
  /** Encoded MQTT 5 properties to pass on as they are, without the length in front. */
  readonly properties: Buffer
  /** Unix ms from which it is not delivered any more; 0: never. */
  readonly expiresAt: number
}

export interface LogInfo {
  readonly name: LogName
  /** Number of the last entry, 0 when there never was one. Never goes back. */
  readonly head: number
  /** Number of the first entry still there; head + 1 when none is. */
  readonly tail: number
}

/**
 * What a reader sees of entries that are gone: nothing, or what is left of them. `expired too`: those that expired come whole while they
 * are still stored, for a client they were sent to already [MQTT5-4.3.3-7].
 */
export type GoneEntries = 'passed over' | 'shown' | 'expired too'

export interface LogReader {
  /** Head and tail, from memory once loaded: no scan. */
  open(name: LogName): Promise<LogInfo>
  /** The same object while the process lives, its fields kept current; undefined before `open` or the first append. */
  peek(name: LogName): LogInfo | undefined
  /**
   * Entries with `after < seq`, ascending, at most `limit`, and at most `maxBytes` of payload except that one entry is
   * always returned. Answers from memory, without a promise, where the log's recent end suffices. Entries that are gone
   * are passed over unless asked for.
   */
  read(
    name: LogName,
    after: number,
    limit: number,
    maxBytes: number,
    gone?: GoneEntries,
  ): LogEntry[] | Promise<LogEntry[]>
  /** The last entries with `seq < before`, ascending; the rest as in `read`. */
  readBefore(name: LogName, before: number, limit: number, maxBytes: number, gone?: GoneEntries): Promise<LogEntry[]>
  /** Forgets the oldest entries in whole chunks: all with `seq <= upTo` that a chunk boundary allows. Moves the tail. */
  trim(name: LogName, upTo: number): Promise<void>
  /** Drops whole chunks in which every entry is older than `before` (Unix ms), or beyond the newest `keep`; 0 switches a bound off. */
  retain(name: LogName, bounds: { before: number; keep: number }): Promise<void>
  /** Takes payloads of entries that are gone off the disk, within a day if called every hour or more often. */
  sweep(): Promise<void>
  /** Removes a log for good: entries, head, dedupe records. Only for a room or a user that is deleted. */
  drop(name: LogName): Promise<void>
  names(): AsyncIterable<LogName>
}
