/** Decodes MessagePack: what JSON has, and bytes. */

const UTF8 = new TextDecoder()

/** @throws RangeError if it is cut short, or has something else */
export function decodeMessagePack(bytes: Buffer): unknown {
  const reader = new Reader(bytes)
  const value = reader.value()
  if (!reader.done) throw new RangeError('there is more than one value')
  return value
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at === this.#bytes.length
  }

  value(): unknown {
    const type = this.#number(1)
    if (type < 0x80) return type
    if (type < 0x90) return this.#map(type & 0x0f)
    if (type < 0xa0) return this.#array(type & 0x0f)
    if (type < 0xc0) return this.#text(type & 0x1f)
    if (type >= 0xe0) return type - 0x100
    return this.#typed(type)
  }

  #typed(type: number): unknown {
    if (type === 0xc0) return null
    if (type === 0xc2 || type === 0xc3) return type === 0xc3
    // Bytes, texts, arrays and maps with their length in 1, 2 or 4 bytes.
    if (type >= 0xc4 && type <= 0xc6) return this.#take(this.#number(2 ** (type - 0xc4)))
    if (type === 0xca) return this.#take(4).readFloatBE()
    if (type === 0xcb) return this.#take(8).readDoubleBE()
    if (type >= 0xcc && type <= 0xce) return this.#number(2 ** (type - 0xcc))
    if (type === 0xcf) return Number(this.#take(8).readBigUInt64BE())
    if (type >= 0xd0 && type <= 0xd2) return this.#take(2 ** (type - 0xd0)).readIntBE(0, 2 ** (type - 0xd0))
    if (type === 0xd3) return Number(this.#take(8).readBigInt64BE())
    if (type >= 0xd9 && type <= 0xdb) return this.#text(this.#number(2 ** (type - 0xd9)))
    if (type === 0xdc || type === 0xdd) return this.#array(this.#number(type === 0xdc ? 2 : 4))
    if (type === 0xde || type === 0xdf) return this.#map(this.#number(type === 0xde ? 2 : 4))
    throw new RangeError(`type 0x${type.toString(16)} is not known`)
  }

  /** Unsigned, of so many bytes. */
  #number(size: number): number {
    return this.#take(size).readUIntBE(0, size)
  }

  #take(size: number): Buffer {
    if (this.#at + size > this.#bytes.length) throw new RangeError('it is cut short')
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  #text(size: number): string {
    return UTF8.decode(this.#take(size))
  }

  #array(size: number): unknown[] {
    const values: unknown[] = []
    for (let i = 0; i < size; i++) values.push(this.value())
    return values
  }

  #map(size: number): Record<string, unknown> {
    const entries: [string, unknown][] = []
    for (let i = 0; i < size; i++) entries.push([String(this.value()), this.value()])
    return Object.fromEntries(entries)
  }
}
