/** Has the methods of AsyncStorage, and what apps have to live with: they are ended in the middle of what they do. */
import type { KeyValueStorage } from '../../client/react-native/key-value-store.js'

export class AppStorage implements KeyValueStorage {
  readonly #texts = new Map<string, string>()
  /** Changes until the app ends. */
  #left = Number.POSITIVE_INFINITY

  /** Characters of all texts that fit. */
  capacity = Number.POSITIVE_INFINITY

  get used(): number {
    return [...this.#texts.values()].reduce((sum, { length }) => sum + length, 0)
  }

  get names(): string[] {
    return [...this.#texts.keys()]
  }

  /** After so many names that were set or removed, nothing is any more. */
  endAfter(changes: number): void {
    this.#left = changes
  }

  beginAnew(): void {
    this.#left = Number.POSITIVE_INFINITY
  }

  async getAllKeys(): Promise<readonly string[]> {
    return this.names
  }

  async multiGet(names: readonly string[]): Promise<readonly (readonly [string, string | null])[]> {
    return names.map((name) => [name, this.#texts.get(name) ?? null] as const)
  }

  async multiSet(pairs: [string, string][]): Promise<void> {
    for (const [name, text] of pairs) {
      const more = text.length - (this.#texts.get(name)?.length ?? 0)
      if (this.used + more > this.capacity) throw new Error('the storage is full')
      this.#change(() => this.#texts.set(name, text))
    }
  }

  async multiRemove(names: string[]): Promise<void> {
    for (const name of names) this.#change(() => this.#texts.delete(name))
  }

  #change(make: () => unknown): void {
    if (--this.#left < 0) throw new Error('the app has ended')
    make()
  }
}
