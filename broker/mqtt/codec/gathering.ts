/** Gathers the bytes of one packet from several chunks. The buffer grows with what has arrived, so that a claimed length alone costs no memory, nor do many small chunks. */
export class Gathering {
  #bytes: Buffer = EMPTY
  #filled = 0

  get length(): number {
    return this.#filled
  }

  /** `missing`: how many more bytes there will be at most, as far as is known. */
  add(piece: Buffer, missing: number): void {
    const filled = this.#filled + piece.length
    if (filled > this.#bytes.length) this.#grow(filled, filled + missing)
    piece.copy(this.#bytes, this.#filled)
    this.#filled = filled
  }

  /** One of the gathered bytes. */
  at(index: number): number {
    return this.#bytes[index]!
  }

  /** Returns what was gathered, and starts again. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#filled)
    this.#bytes = EMPTY
    this.#filled = 0
    return bytes
  }

  /** Doubles the buffer, up to what the whole packet needs. */
  #grow(needed: number, most: number): void {
    const larger = Buffer.allocUnsafe(Math.min(2 * needed, most))
    this.#bytes.copy(larger, 0, 0, this.#filled)
    this.#bytes = larger
  }
}

const EMPTY = Buffer.alloc(0)
