import type { LogName } from '../../store/log-name.js'

/** How far one webhook has come in one log. Of a log one event is told at a time, in order. */
export class LogCursor {
  readonly log: LogName
  /** Number of the last entry that was told, or is not to be. */
  done: number
  /** What is kept of `done`. */
  saved: number
  /** Number of the last entry there is. */
  head: number
  /** In a row, of the entry after `done`. */
  failures = 0
  /** Unix ms before which it is not tried again; 0: at once. */
  due = 0
  /** It is being told, or in line for it. */
  busy = false

  constructor(log: LogName, done: number, head: number) {
    this.log = log
    this.done = done
    this.saved = done
    this.head = head
  }

  get behind(): boolean {
    return this.done < this.head
  }
}
