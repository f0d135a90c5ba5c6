/** Bytes that come in pieces: copied, and grown with what comes, so that neither a claimed length costs memory nor many small pieces. */
export class Gathering {
  #bytes: Buffer = EMPTY
  #filled = 0

  get length(): number {
    return this.#filled
  }

  /** `missing`: how many more will come at most, as far as is known. */
  add(piece: Buffer, missing: number): void {
    const filled = this.#filled + piece.length
    if (filled > this.#bytes.length) this.#grow(filled, filled + missing)
    piece.copy(this.#bytes, this.#filled)
    this.#filled = filled
  }

  /** A byte of those that are there. */
  at(index: number): number {
    return this.#bytes[index]!
  }

  /** Gives out what is there, and begins anew. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#filled)
    this.#bytes = EMPTY
    this.#filled = 0
    return bytes
  }

  /** To twice the size, but no larger than all of it needs. */
  #grow(needed: number, most: number): void {
    const larger = Buffer.allocUnsafe(Math.min(2 * needed, most))
    this.#bytes.copy(larger, 0, 0, this.#filled)
    this.#bytes = larger
  }
}

const EMPTY = Buffer.alloc(0)
