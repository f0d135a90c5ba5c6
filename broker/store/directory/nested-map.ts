/** Values by two keys; all values of a first key can be read together. */
const NONE: ReadonlyMap<string, never> = new Map<string, never>()

export class NestedMap<T> {
  readonly #outer = new Map<string, Map<string, T>>()

  get(one: string, other: string): T | undefined {
    return this.#outer.get(one)?.get(other)
  }

  of(one: string): ReadonlyMap<string, T> {
    return this.#outer.get(one) ?? NONE
  }

  set(one: string, other: string, value: T): void {
    const inner = this.#outer.get(one)
    if (inner) inner.set(other, value)
    else this.#outer.set(one, new Map([[other, value]]))
  }

  delete(one: string, other: string): void {
    const inner = this.#outer.get(one)
    if (inner?.delete(other) && inner.size === 0) this.#outer.delete(one)
  }

  /** All values, grouped by the first key. */
  *all(): Iterable<T> {
    for (const inner of this.#outer.values()) yield* inner.values()
  }

  deleteAll(one: string): void {
    this.#outer.delete(one)
  }
}
