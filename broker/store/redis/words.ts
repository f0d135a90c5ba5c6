/** Words as the scripts write them (lua/words.lua): each with its length in front. */

const LENGTH = 4

export class WordReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** A view of what is read. */
  bytes(): Buffer {
    const start = this.#at + LENGTH
    this.#at = start + this.#bytes.readUInt32BE(this.#at)
    return this.#bytes.subarray(start, this.#at)
  }

  text(): string {
    const start = this.#at + LENGTH
    this.#at = start + this.#bytes.readUInt32BE(this.#at)
    return this.#bytes.toString('utf8', start, this.#at)
  }

  number(): number {
    return Number(this.text())
  }

  /** The words within a word. */
  words(): WordReader {
    return new WordReader(this.bytes())
  }

  texts(): string[] {
    const found: string[] = []
    for (const words = this.words(); !words.done; ) found.push(words.text())
    return found
  }
}
