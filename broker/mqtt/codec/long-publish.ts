import { Gathering } from './gathering.js'

/** A PUBLISH whose payload is discarded while it arrives: topic and packet id are kept, so that it can be refused and acknowledged [MQTT-3.3.2]. */
export class LongPublish {
  /** First byte of its fixed header. */
  readonly header: number
  readonly #body: number
  readonly #head = new Gathering()
  #passed = 0

  /** `body`: its remaining length. */
  constructor(header: number, body: number) {
    this.header = header
    this.#body = body
  }

  /** Bytes of it that are kept, and one of its fixed header: the packet counts as partly received from its first byte. */
  get length(): number {
    return this.#head.length + 1
  }

  get complete(): boolean {
    return this.#head.length + this.#passed === this.#body
  }

  get skipped(): number {
    return this.#passed
  }

  /** Consumes the bytes at the start that belong to this packet; returns how many those are. */
  take(bytes: Buffer): number {
    let at = 0
    while (this.#lacks > 0 && at < bytes.length) {
      const piece = bytes.subarray(at, at + this.#lacks)
      this.#head.add(piece, this.#lacks - piece.length)
      at += piece.length
    }
    const rest = Math.min(bytes.length - at, this.#body - this.#head.length - this.#passed)
    this.#passed += rest
    return at + rest
  }

  /** Its body as far as it is kept: all but the payload. */
  head(): Buffer {
    return this.#head.take()
  }

  /** Bytes of topic length, topic and packet id, as far as is known: until the topic length has arrived, only that. */
  get headLength(): number {
    if (this.#head.length < TOPIC_LENGTH) return TOPIC_LENGTH
    const topic = (this.#head.at(0) << 8) | this.#head.at(1)
    return TOPIC_LENGTH + topic + (this.#hasPacketId ? 2 : 0)
  }

  get #lacks(): number {
    return Math.min(this.headLength, this.#body) - this.#head.length
  }

  /** QoS 1 and 2. */
  get #hasPacketId(): boolean {
    return (this.header & 0x06) !== 0
  }
}

/** Bytes that say how long the topic is. */
const TOPIC_LENGTH = 2
