/**
 * Which retained messages are others since a place in the order of commits. Kept only while somebody asks: a new subscription gets the
 * retained messages of its place one after another, and what replaces one of them meanwhile comes live.
 */
import type { RetainedCut } from '../queues.js'

/** Changes that are known at most, and characters of their topics: who asks may take hours, and others may change what they like. */
const MOST_CHANGES = 100_000
const MOST_CHARACTERS = 16_777_216

export class RetainedCuts {
  /** By the place they begin at, ascending. */
  readonly #open = new Set<Cut>()
  /** By topic: the place of its last change, ascending. */
  readonly #changed = new Map<string, number>()
  #characters = 0
  #place = 0
  readonly #mostChanges: number
  readonly #mostCharacters: number

  constructor(mostChanges = MOST_CHANGES, mostCharacters = MOST_CHARACTERS) {
    this.#mostChanges = mostChanges
    this.#mostCharacters = mostCharacters
  }

  /** A retained message is set or cleared, next in the order of commits. */
  note(topic: string): void {
    if (this.#open.size === 0) return
    this.#forget(topic)
    this.#changed.set(topic, ++this.#place)
    this.#characters += topic.length
    for (const [oldest, place] of this.#changed) {
      if (this.#changed.size <= this.#mostChanges && this.#characters <= this.#mostCharacters) break
      this.#forget(oldest)
      for (const cut of this.#open) {
        if (cut.place >= place) break
        cut.complete = false
      }
    }
  }

  #forget(topic: string): void {
    if (this.#changed.delete(topic)) this.#characters -= topic.length
  }

  /** Has no place until `begin`: till then nothing is replaced for it. */
  cut(): { cut: RetainedCut; begin: () => void } {
    const cut = new Cut(this.#changed, (one) => this.#end(one))
    const begin = (): void => {
      cut.place = this.#place
      this.#open.add(cut)
    }
    return { cut, begin }
  }

  #end(cut: Cut): void {
    if (!this.#open.delete(cut)) return
    const [oldest] = this.#open
    for (const [topic, place] of this.#changed) {
      if (oldest && place > oldest.place) return
      this.#forget(topic)
    }
  }
}

class Cut implements RetainedCut {
  place = Number.POSITIVE_INFINITY
  complete = true
  readonly #changed: ReadonlyMap<string, number>
  readonly #ended: (cut: Cut) => void

  constructor(changed: ReadonlyMap<string, number>, ended: (cut: Cut) => void) {
    this.#changed = changed
    this.#ended = ended
  }

  replaced(topic: string): boolean {
    return (this.#changed.get(topic) ?? 0) > this.place
  }

  end(): void {
    this.#ended(this)
  }
}
