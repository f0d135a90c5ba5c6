/** A Bloom filter: says of a string that it is surely not in the set, or perhaps. */

const HASHES = 5
const BITS_PER_KEY = 16
const SMALLEST_BITS = 8192

export class BloomFilter {
  readonly #words: Uint32Array
  readonly #mask: number

  private constructor(words: Uint32Array) {
    this.#words = words
    this.#mask = words.length * 32 - 1
  }

  /** For up to `capacity` keys, with about 0.1 % false positives when full. */
  static sized(capacity: number): BloomFilter {
    let bits = SMALLEST_BITS
    while (bits < capacity * BITS_PER_KEY) bits *= 2
    return new BloomFilter(new Uint32Array(bits / 32))
  }

  static from(value: Buffer): BloomFilter {
    const words = new Uint32Array(value.length / 4)
    for (let i = 0; i < words.length; i++) words[i] = value.readUInt32LE(4 * i)
    return new BloomFilter(words)
  }

  add(hash: number): void {
    const step = secondHash(hash)
    for (let i = 0, at = hash; i < HASHES; i++, at = (at + step) | 0) {
      const bit = at & this.#mask
      this.#words[bit >>> 5]! |= 1 << (bit & 31)
    }
  }

  mayHave(hash: number): boolean {
    const step = secondHash(hash)
    for (let i = 0, at = hash; i < HASHES; i++, at = (at + step) | 0) {
      const bit = at & this.#mask
      if (!(this.#words[bit >>> 5]! & (1 << (bit & 31)))) return false
    }
    return true
  }

  /** The same set in the size for `count` keys: since sizes are powers of two, halves can be merged with OR. */
  shrunk(count: number): BloomFilter {
    let words = this.#words
    while (words.length * 16 >= Math.max(count * BITS_PER_KEY, SMALLEST_BITS)) {
      const half = words.slice(0, words.length / 2)
      for (let i = 0; i < half.length; i++) half[i]! |= words[half.length + i]!
      words = half
    }
    return new BloomFilter(words)
  }

  toBuffer(): Buffer {
    const value = Buffer.allocUnsafe(this.#words.length * 4)
    for (let i = 0; i < this.#words.length; i++) value.writeUInt32LE(this.#words[i]!, 4 * i)
    return value
  }
}

/** FNV-1a over the code units, then mixed. Must never change, since filters are stored. */
export function bloomHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash)
}

function secondHash(hash: number): number {
  return mix(hash ^ 0x9e3779b9) | 1
}

function mix(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
