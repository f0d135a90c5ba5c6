/**
 * Tells which retained messages have changed since a cut, a position in the order of plain messages. Changes are recorded only
 * while there is an open cut: a new subscription is sent the retained messages as of its cut one after another, and
 * those replaced meanwhile come live.
 */
import type { RetainedCut } from './queues.js'

/** Most recorded changes, and characters of their topics: a slow subscriber may take hours while topics change. */
const MOST_CHANGES = 100_000
const MOST_CHARACTERS = 16_777_216

export class RetainedCuts {
  readonly #byId = new Map<number, Cut>()
  #lastId = 0
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

  /** A cut that takes its position at `begin`; until then nothing counts as replaced. */
  cut(): RetainedCut {
    const cut = new Cut(++this.#lastId, this.#changed, (one) => this.#end(one))
    this.#byId.set(cut.id, cut)
    return cut
  }

  begin(id: number): void {
    const cut = this.#byId.get(id)
    if (!cut) return
    cut.place = this.#place
    this.#open.add(cut)
  }

  /** Undefined: it has ended. */
  get(id: number): RetainedCut | undefined {
    return this.#byId.get(id)
  }

  #end(cut: Cut): void {
    this.#byId.delete(cut.id)
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
  readonly id: number
  readonly #changed: ReadonlyMap<string, number>
  readonly #ended: (cut: Cut) => void

  constructor(id: number, changed: ReadonlyMap<string, number>, ended: (cut: Cut) => void) {
    this.id = id
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
