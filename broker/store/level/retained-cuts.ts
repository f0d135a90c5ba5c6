/**
 * Tells which retained messages have changed since a cut, a position in the order of commits. Changes are recorded only
 * while there is an open cut: a new subscription is sent the retained messages as of its cut one after another, and
 * those replaced meanwhile come live.
 */
import type { RetainedCut } from '../queues.js'

/** Most recorded changes, and characters of their topics: a slow subscriber may take hours while topics change. */
const MOST_CHANGES = 100_000
const MOST_CHARACTERS = 16_777_216

export class RetainedCuts {
  /** By position, ascending. */
  readonly #open = new Set<Cut>()
  /** By topic: the position of its last change, ascending. */
  readonly #changed = new Map<string, number>()
  #characters = 0
  #place = 0
  readonly #mostChanges: number
  readonly #mostCharacters: number

  constructor(mostChanges = MOST_CHANGES, mostCharacters = MOST_CHARACTERS) {
    this.#mostChanges = mostChanges
    this.#mostCharacters = mostCharacters
  }

  /** Records that a retained message is set or cleared, at the next position. */
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

  /** The cut takes its position at `begin`; until then nothing counts as replaced. */
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
