/** First in, first out. Taking from a long array would move all that is behind each time. */
export class Fifo<T> {
  #items: T[] = []
  #next = 0

  get length(): number {
    return this.#items.length - this.#next
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    const item = this.#items[this.#next++]
    if (this.#next >= this.#items.length) {
      this.#items = []
      this.#next = 0
    }
    return item
  }
}
