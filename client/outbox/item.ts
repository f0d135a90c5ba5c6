import { ChatError } from '../base/chat-error.js'
import { type Live, LiveValue } from '../base/live.js'
import type { Key } from '../store/store.js'
import { utf8 } from '../wire/utf8.js'
import type { Outgoing, SendInput, SendState, Sent } from './outgoing.js'
import type { OutboxRow } from './rows.js'

/** What an item asks of its outbox. */
export interface ItemOwner {
  retry(item: Item): void
  cancel(item: Item): Promise<boolean>
}

/** A message of the outbox. */
export class Item implements Outgoing {
  readonly cid: string
  room: string
  since: number
  #input: SendInput
  #bytes: number
  /** It may have left the device, or is about to. */
  hasLeft: boolean
  /** It has left, and there was no answer. */
  isInDoubt: boolean
  /** Of its row. */
  key: Key
  stored: Promise<void> = Promise.resolve()
  sent!: Promise<Sent>
  #accept!: (sent: Sent) => void
  #reject!: (error: unknown) => void
  readonly #owner: ItemOwner
  readonly #state: LiveValue<SendState>

  constructor(owner: ItemOwner, key: Key, { cid, room, since, input, hasLeft = false, error }: OutboxRow) {
    this.#owner = owner
    this.key = key
    this.cid = cid
    this.room = room
    this.since = since
    this.#input = input
    this.#bytes = bytesOf(input)
    this.hasLeft = hasLeft
    this.isInDoubt = hasLeft
    this.#state = new LiveValue<SendState>({ at: 'queued' })
    this.#promise()
    if (error) this.failed(new ChatError(error.code, error.message, error))
  }

  get state(): Live<SendState> {
    return this.#state
  }

  get isFailed(): boolean {
    return this.#state.current.at === 'failed'
  }

  /** The cid of the message that it is about; null: it is about none, or about one that is in the room. */
  get awaits(): string | null {
    return typeof this.input.target === 'string' ? this.input.target : null
  }

  get input(): SendInput {
    return this.#input
  }

  /** What it counts for. */
  get bytes(): number {
    return this.#bytes
  }

  /** Returns by how many bytes it has grown. */
  rewrite(input: SendInput): number {
    const before = this.#bytes
    this.#input = input
    this.#bytes = bytesOf(input)
    return this.#bytes - before
  }

  /** What it is about is in the room. */
  resolve(target: number): void {
    this.#input = { ...this.#input, target }
  }

  get row(): OutboxRow {
    const { cid, room, since, input, hasLeft } = this
    const state = this.#state.current
    if (state.at !== 'failed') return { cid, room, since, input, hasLeft }
    const { code, message, field } = state.error
    return { cid, room, since, input, hasLeft, error: { code, message, ...(field !== undefined && { field }) } }
  }

  retry(): void {
    this.#owner.retry(this)
  }

  cancel(): Promise<boolean> {
    return this.#owner.cancel(this)
  }

  queued(): void {
    if (this.isFailed) this.#promise()
    this.#state.set({ at: 'queued' })
  }

  sending(): void {
    this.#state.set({ at: 'sending' })
  }

  accepted(sent: Sent): void {
    this.#accept(sent)
    this.#state.set({ at: 'sent', seq: sent.seq, ts: sent.ts })
  }

  failed(error: ChatError): void {
    this.#reject(error)
    this.#state.set({ at: 'failed', error, mayRetry: !HOPELESS.has(error.code) })
  }

  canceled(why = 'the message was canceled'): void {
    this.#reject(new ChatError('aborted', why))
    this.#state.set({ at: 'canceled' })
  }

  #promise(): void {
    this.sent = new Promise((accept, reject) => {
      this.#accept = accept
      this.#reject = reject
    })
    this.sent.catch(() => {})
  }
}

/** Of JSON. */
export function bytesOf(input: SendInput): number {
  return utf8(JSON.stringify(input)).length
}

/** What the same message is refused with again. */
const HOPELESS: ReadonlySet<string> = new Set(['bad_request', 'too_large', 'conflict', 'not_implemented'])
