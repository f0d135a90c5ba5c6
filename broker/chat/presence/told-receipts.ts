/**
 * Which receipts are still to be told here. Nodes tell them by messages that may overtake one another, and overtake the changes of the store: what
 * was told last is remembered for as long as the store is not known to have it.
 */

interface Place {
  readonly read: number
  readonly delivered: number
}

/** Receipts that are remembered; the oldest ones are forgotten first. */
const MOST = 10_000

export class ToldReceipts {
  /** By room and user: what was told, and is further than what was known to be stored then. */
  readonly #ahead = new Map<string, Place>()

  /**
   * Whether a further place was told here, or is stored and will be told, perhaps by another node. Else the place counts as told.
   * @param stored As this node knows it
   */
  isPassed(id: string, place: Place, stored: Place | null): boolean {
    const told = this.#ahead.get(id)
    if (isBehind(place, stored) || isBehind(place, told)) return true
    if (told) this.#ahead.delete(id)
    if (stored && place.read <= stored.read && place.delivered <= stored.delivered) return false
    this.#ahead.set(id, place)
    const [oldest] = this.#ahead.keys()
    if (this.#ahead.size > MOST) this.#ahead.delete(oldest!)
    return false
  }

  /** The membership ended: another one begins anew. */
  forget(id: string): void {
    this.#ahead.delete(id)
  }
}

/** In one of them: the place that follows has both. */
function isBehind(place: Place, other: Place | null | undefined): boolean {
  return other != null && (other.read > place.read || other.delivered > place.delivered)
}
