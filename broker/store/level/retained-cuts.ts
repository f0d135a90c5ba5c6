/**
 * Which retained messages are others since a place in the order of commits. Kept only while somebody asks: a new subscription gets the
 * retained messages of its place one after another, and what replaces one of them meanwhile comes live.
 */
import type { RetainedCut } from '../store.js'

export class RetainedCuts {
  /** By the place they begin at, ascending. */
  readonly #open = new Set<Cut>()
  /** By topic: the place of its last change, ascending. */
  readonly #changed = new Map<string, number>()
  #place = 0

  /** A retained message is set or cleared, next in the order of commits. */
  note(topic: string): void {
    if (this.#open.size === 0) return
    this.#changed.delete(topic)
    this.#changed.set(topic, ++this.#place)
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
      this.#changed.delete(topic)
    }
  }
}

class Cut implements RetainedCut {
  place = Number.POSITIVE_INFINITY
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
