import type { Backlog } from '../following/backlog.js'
import type { LogFeed } from '../following/feeds.js'
import type { UnloggedMessage } from '../hub.js'
import type { LogEntry } from '../store/logs.js'
import { messageSize } from '../store/message-size.js'
import type { QoS } from '../store/qos.js'

/** A message that waits in memory for its connection: lost with it, bounded, dropped when the bound is met. */
export type Waiting =
  | { kind: 'direct'; message: UnloggedMessage; qos: QoS }
  /** Entries for a QoS 0 subscription. */
  | { kind: 'live'; feed: LogFeed; entry: LogEntry }

export class DirectQueue {
  #items: Waiting[] = []
  #at = 0
  #bytes = 0
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #backlog: Backlog
  readonly #position: () => number
  #seen = 0

  /**
   * `backlog` may let more wait of what was published at QoS 1 and 2.
   * `position`: how many bytes the client's socket has taken; at QoS 0 nothing else tells that it reads.
   */
  constructor(maxMessages: number, maxBytes: number, backlog: Backlog, position: () => number) {
    this.#backlog = backlog
    this.#position = position
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#items.length - this.#at
  }

  get bytes(): number {
    return this.#bytes
  }

  get first(): Waiting | undefined {
    return this.#items[this.#at]
  }

  /** False: the queue is full, the message (the newest) is dropped. */
  push(item: Waiting): boolean {
    const bytes = size(item)
    const fits = this.length < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes
    if (!fits && !this.#mayWait(item, bytes)) return false
    this.#items.push(alone(item))
    this.#bytes += bytes
    return true
  }

  #mayWait(item: Waiting, bytes: number): boolean {
    if (item.kind === 'live' || item.message.qos === 0) return false
    if (item.qos === 0 && this.#seen !== (this.#seen = this.#position())) this.#backlog.answered()
    return this.#backlog.admits(this.length + 1, this.#bytes + bytes, item.message.origin)
  }

  shift(): void {
    const item = this.#items[this.#at++]
    if (item) this.#bytes -= size(item)
    if (this.#at === this.#items.length || this.#at > 1024) {
      this.#items = this.#items.slice(this.#at)
      this.#at = 0
    }
    this.#backlog.left(this.length, this.#bytes)
  }

  some(meant: (item: Waiting) => boolean): boolean {
    return this.#items.some((item, i) => i >= this.#at && meant(item))
  }

  /** Removes what may no longer be delivered. */
  purge(forbidden: (item: Waiting) => boolean): void {
    this.#items = this.#items.slice(this.#at).filter((item) => !forbidden(item))
    this.#at = 0
    this.#bytes = this.#items.reduce((sum, item) => sum + size(item), 0)
    this.#backlog.left(this.length, this.#bytes)
  }
}

/** An entry comes as a view of all that was committed with it, which would wait in memory too, and be counted nowhere. */
function alone(item: Waiting): Waiting {
  if (item.kind === 'direct') return item
  const { payload } = item.entry
  if (payload.buffer.byteLength <= 2 * payload.length) return item
  return { ...item, entry: { ...item.entry, payload: Buffer.from(payload) } }
}

function size(item: Waiting): number {
  return messageSize(item.kind === 'direct' ? item.message : item.entry)
}
