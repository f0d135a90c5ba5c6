/** Values by two keys; all values of a first key can be read together. */
const NONE: ReadonlyMap<string, never> = new Map<string, never>()

class Inner<T> extends Map<string, T> {
  readonly key: string

  constructor(key: string) {
    super()
    this.key = key
  }
}

export class NestedMap<T> {
  readonly #outer = new Map<string, Inner<T>>()

  get(one: string, other: string): T | undefined {
    return this.#outer.get(one)?.get(other)
  }

  of(one: string): ReadonlyMap<string, T> {
    return this.#outer.get(one) ?? NONE
  }

  /** A first key as it is held already, so that whoever keeps it need not hold the same text again. */
  held(one: string): string {
    return this.#outer.get(one)?.key ?? one
  }

  set(one: string, other: string, value: T): void {
    let inner = this.#outer.get(one)
    if (!inner) this.#outer.set(one, (inner = new Inner(one)))
    inner.set(other, value)
  }

  delete(one: string, other: string): void {
    const inner = this.#outer.get(one)
    if (inner?.delete(other) && inner.size === 0) this.#outer.delete(one)
  }

  [Symbol.iterator](): Iterator<readonly [string, ReadonlyMap<string, T>]> {
    return this.#outer[Symbol.iterator]()
  }

  /** All values, grouped by the first key. */
  *all(): Iterable<T> {
    for (const inner of this.#outer.values()) yield* inner.values()
  }

  deleteAll(one: string): void {
    this.#outer.delete(one)
  }
}
