/** Publishes into one topic over a link, from bytes made beforehand. */
import type { Link } from './link.js'
import { framed, publishPacket, type Qos } from './wire.js'

/** Before the time at which a message should have left, in the text of a stamped payload. */
const MARK = 0x40
const STAMP_DIGITS = 13

export function payloadOf(bytes: number): Buffer {
  const around = '{"text":""}'.length
  const text = `@${''.padStart(STAMP_DIGITS, '0')}`.padEnd(bytes - around, 'x')
  return Buffer.from(`{"text":"${text}"}`)
}

export class Publisher {
  readonly #link: Link
  readonly #qos: Qos
  readonly #frame: Buffer
  readonly #idAt: number
  readonly #stampAt: number
  #packetId = 0

  constructor(link: Link, topic: string, qos: Qos, payload: Buffer) {
    const packet = publishPacket(topic, qos, payload)
    const frame = framed(link.transport, packet)
    this.#link = link
    this.#qos = qos
    this.#frame = frame
    this.#idAt = frame.length - payload.length - 2
    this.#stampAt = frame.length - payload.length + payload.indexOf(MARK) + 1
  }

  publish(count: number): void {
    const size = this.#frame.length
    const bytes = Buffer.allocUnsafe(count * size)
    for (let i = 0; i < count; i++) this.#copy(bytes, i * size)
    this.#link.write(bytes)
  }

  /** One message that says when it should have left: microseconds of this process. */
  publishStamped(us: number): void {
    const bytes = Buffer.allocUnsafe(this.#frame.length)
    this.#copy(bytes, 0)
    bytes.write(String(us).padStart(STAMP_DIGITS, '0'), this.#stampAt, 'latin1')
    this.#link.write(bytes)
  }

  #copy(bytes: Buffer, at: number): void {
    this.#frame.copy(bytes, at)
    if (this.#qos === 0) return
    this.#packetId = this.#packetId === 65535 ? 1 : this.#packetId + 1
    bytes.writeUInt16BE(this.#packetId, at + this.#idAt)
  }
}

/** The time in a stamped message, wherever in its payload the broker has put the text; -1 without one. */
export function stampOf(bytes: Buffer, at: number, end: number): number {
  const mark = bytes.indexOf(MARK, at)
  if (mark < 0 || mark + STAMP_DIGITS >= end) return -1
  let us = 0
  for (let i = 1; i <= STAMP_DIGITS; i++) us = us * 10 + bytes[mark + i]! - 48
  return us
}
