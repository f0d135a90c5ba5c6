/** Longer keys are not kept, in characters: what clients make up must not fill the memory. */
const MAX_LENGTH = 512
/** Keys that are kept. */
const MAX_KEYS = 10_000

/** What was made of a text, for those who ask again: with too many it begins anew. */
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
