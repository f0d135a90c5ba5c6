/** What a device has to say, until the broker has it: across lost connections, in memory, within bounds. */
import { ChatError } from '../base/chat-error.js'
import { type Live, LiveValue } from '../base/live.js'
import { onAbort, type Signal } from '../base/platform.js'
import { REFUSED, refusalOf } from '../requests/wire-calls.js'
import { utf8 } from '../wire/utf8.js'
import { type Wire, WireError } from '../wire/wire.js'

export interface BufferOptions {
  /** Telemetry that waits. Left out: 1000. */
  readonly messages?: number
  /** Its bytes. Left out: 1 MiB. */
  readonly bytes?: number
  /** What is given up when there is more: the `oldest` (left out), or the `newest`, which is what comes. */
  readonly drop?: 'oldest' | 'newest'
}

export interface Waiting {
  /** What the broker has not acknowledged yet: telemetry, the state, receipts. */
  readonly messages: number
  /** Of telemetry. */
  readonly bytes: number
  /** Telemetry that was given up for lack of space, since the start. */
  readonly dropped: number
  /** What the broker did not take, since the start. */
  readonly refused: number
  /** Why it did not take the last of it. */
  readonly error: ChatError | null
}

interface Item {
  /** Below the topics of the device. */
  readonly place: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

/** Messages that are sent before the first of them is acknowledged. */
const WINDOW = 16

export class DeviceOutgoing {
  readonly #most: Required<BufferOptions>
  readonly #waiting = new LiveValue<Waiting>({ messages: 0, bytes: 0, dropped: 0, refused: 0, error: null })
  /** In order. */
  #telemetry: Item[] = []
  #bytes = 0
  #state: Item | null = null
  /** As many as commands that are under way. */
  readonly #receipts = new Set<Item>()
  /** Sent on the present connection, and not acknowledged. */
  readonly #sent = new Set<Item>()
  /** Null: there is no connection. */
  #connection: { readonly wire: Wire; readonly topicOf: (place: string) => string } | null = null

  constructor({ messages = 1000, bytes = 1_048_576, drop = 'oldest' }: BufferOptions = {}) {
    this.#most = { messages, bytes, drop }
  }

  get waiting(): Live<Waiting> {
    return this.#waiting
  }

  addTelemetry(place: string, value: unknown): void {
    const item = itemOf(place, value, false)
    if (!this.#makeSpace(item.payload.length)) return this.#changed({ dropped: this.#waiting.current.dropped + 1 })
    this.#telemetry.push(item)
    this.#bytes += item.payload.length
    this.#changed()
  }

  setState(place: string, value: unknown): void {
    this.#state = itemOf(place, value, true)
    this.#changed()
  }

  addReceipt(place: string, value: unknown): void {
    this.#receipts.add(itemOf(place, value, false))
    this.#changed()
  }

  /** Sends what waits, and all that comes, until `signal` is aborted. What was not acknowledged before is sent again. */
  begin(wire: Wire, topicOf: (place: string) => string, signal: Signal): void {
    const connection = { wire, topicOf }
    this.#connection = connection
    this.#sent.clear()
    onAbort(signal, () => {
      if (this.#connection === connection) this.#connection = null
    })
    this.#send()
  }

  /** Of telemetry, what is on its way is not given up. False: there is no space for so many bytes. */
  #makeSpace(bytes: number): boolean {
    const { messages, bytes: mostBytes, drop } = this.#most
    const isFull = (): boolean => this.#telemetry.length >= messages || this.#bytes + bytes > mostBytes
    let dropped = 0
    while (drop === 'oldest' && bytes <= mostBytes && isFull()) {
      const oldest = this.#oldest
      if (!oldest) break
      this.#remove(oldest)
      dropped++
    }
    if (dropped > 0) this.#changed({ dropped: this.#waiting.current.dropped + dropped })
    return !isFull()
  }

  #send(): void {
    const { wire, topicOf } = this.#connection ?? {}
    while (wire && topicOf && this.#sent.size < WINDOW) {
      const item = this.#next()
      if (!item) return
      this.#sent.add(item)
      const { place, payload, retain } = item
      const topic = topicOf(place)
      wire.publish({ topic, payload, qos: 1, retain }).then(
        (answer) => this.#settled(item, answer.reason < REFUSED ? null : refusalOf(answer, topic)),
        (error: unknown) => {
          // Without the connection it waits for the next one.
          if (error instanceof WireError && error.kind === 'rejected')
            this.#settled(item, new ChatError('too_large', error.message, { cause: error }))
        },
      )
    }
  }

  #next(): Item | undefined {
    for (const item of this.#receipts) if (!this.#sent.has(item)) return item
    if (this.#state && !this.#sent.has(this.#state)) return this.#state
    return this.#oldest
  }

  /** The first telemetry that is not on its way. */
  get #oldest(): Item | undefined {
    return this.#telemetry.find((item) => !this.#sent.has(item))
  }

  #settled(item: Item, error: ChatError | null): void {
    this.#sent.delete(item)
    this.#remove(item)
    const { refused } = this.#waiting.current
    this.#changed(error ? { refused: refused + 1, error } : {})
  }

  #remove(item: Item): void {
    if (this.#state === item) this.#state = null
    this.#receipts.delete(item)
    const at = this.#telemetry.indexOf(item)
    if (at < 0) return
    this.#telemetry.splice(at, 1)
    this.#bytes -= item.payload.length
  }

  #changed(news: Partial<Waiting> = {}): void {
    const messages = this.#telemetry.length + this.#receipts.size + (this.#state ? 1 : 0)
    this.#waiting.set({ ...this.#waiting.current, ...news, messages, bytes: this.#bytes })
    this.#send()
  }
}

/** @throws ChatError `bad_request`: it is no JSON */
function itemOf(place: string, value: unknown, retain: boolean): Item {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new ChatError('bad_request', `${place}: ${typeof value} is no JSON`)
  return { place, payload: utf8(text), retain }
}
