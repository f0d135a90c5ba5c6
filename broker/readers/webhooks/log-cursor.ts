import type { LogName } from '../../store/log-name.js'
import type { ReaderCursor } from '../reader.js'

/** The position of one webhook in one log. Events of a log are delivered one at a time, in order. */
export class LogCursor implements ReaderCursor {
  readonly log: LogName
  readonly incarnation: number
  /** Number of the last entry that was delivered or skipped. */
  done: number
  /** The stored value of `done`. */
  saved: number
  /** Number of the log's last entry. */
  head: number
  /** Consecutive failures of the entry after `done`. */
  failures = 0
  /** Unix ms of the next attempt; 0: at once. */
  due = 0
  /** It is being delivered, or queued for delivery. */
  busy = false

  constructor(log: LogName, done: number, head: number, incarnation: number) {
    this.log = log
    this.incarnation = incarnation
    this.done = done
    this.saved = done
    this.head = head
  }

  get lagging(): boolean {
    return this.done < this.head
  }
}
