/**
 * Builds the payload of a log entry before its number is known: the bytes, with a gap where the log writes `seq`. Every
 * message is built here, so bodies share an arena and are written in loops, which for short texts is faster than a call
 * into native code.
 */

import { BYTES_PER_UNIT, writeText } from '../util/utf8.js'

export interface Body {
  readonly bytes: Buffer
  /** Offset of the gap for `seq`. */
  readonly seqAt: number
}

/** Size of an arena; a larger body gets memory of its own. */
const ARENA_BYTES = 65_536
/** Longer pieces are copied natively. */
const SHORT = 64
const MAX_DIGITS = 16

/** A body with `seq` between two texts. */
export function body(head: string, tail: string): Body {
  const bytes = Buffer.from(head + tail)
  return { bytes, seqAt: Buffer.byteLength(head) }
}

/** The payload once the number is known. */
export function numbered({ bytes, seqAt }: Body, seq: number): Buffer {
  return Buffer.concat([bytes.subarray(0, seqAt), Buffer.from(String(seq)), bytes.subarray(seqAt)])
}

/** Writes a whole number in decimal digits and returns the offset behind it. */
export function writeNumber(into: Buffer, value: number, at: number): number {
  const end = at + digitsOf(value)
  let left = value
  for (let i = end - 1; i >= at; i--) {
    const next = Math.floor(left / 10)
    into[i] = 0x30 + (left - 10 * next)
    left = next
  }
  return end
}

export function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

/** Writes one body after another: `begin`, then its content in order with `seq` at its place, then `end`. */
export class BodyWriter {
  #arena: Buffer = Buffer.allocUnsafeSlow(ARENA_BYTES)
  #start = 0
  #at = 0
  #seqAt = 0

  begin(): void {
    this.#start = this.#at
  }

  text(text: string): void {
    this.#reserve(BYTES_PER_UNIT * text.length)
    this.#at = writeText(this.#arena, text, this.#at)
  }

  number(value: number): void {
    this.#reserve(MAX_DIGITS)
    this.#at = writeNumber(this.#arena, value, this.#at)
  }

  bytes(source: Buffer, from: number, to: number): void {
    this.#reserve(to - from)
    if (to - from > SHORT) {
      source.copy(this.#arena, this.#at, from, to)
      this.#at += to - from
    } else for (let i = from; i < to; i++) this.#arena[this.#at++] = source[i]!
  }

  seq(): void {
    this.#seqAt = this.#at - this.#start
  }

  end(): Body {
    return { bytes: this.#arena.subarray(this.#start, this.#at), seqAt: this.#seqAt }
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#arena.length) return
    const begun = this.#at - this.#start
    const larger = Buffer.allocUnsafeSlow(Math.max(ARENA_BYTES, 2 * (begun + bytes)))
    this.#arena.copy(larger, 0, this.#start, this.#at)
    this.#arena = larger
    this.#start = 0
    this.#at = begun
  }
}
