/**
 * Keys longer than this (in characters) are not cached: clients choose them, and must not be able to fill the memory.
 */
const MAX_LENGTH = 512
/** Most keys cached. */
const MAX_KEYS = 10_000

/** Caches what `make` computes of a key. The cache is emptied when it is full. */
export class BoundedCache<V> {
  readonly #make: (key: string) => V
  readonly #known = new Map<string, V>()

  constructor(make: (key: string) => V) {
    this.#make = make
  }

  get(key: string): V {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const made = this.#make(key)
    if (key.length > MAX_LENGTH) return made
    if (this.#known.size >= MAX_KEYS) this.#known.clear()
    this.#known.set(key, made)
    return made
  }
}
