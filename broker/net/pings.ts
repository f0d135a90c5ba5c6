/** A peer that can be pinged. */
export interface Pinged {
  /** Bytes received so far; null: reading is paused, so that silence means nothing. */
  readonly received: number | null
  ping(): void
  /** Closes it: it did not answer. */
  terminate(): void
}

/** Each interval is divided into this many rounds, so that a hundred thousand pings are not sent at once. */
const ROUNDS = 25

interface PeerState {
  received: number | null
  pinged: boolean
}

/**
 * Pings peers that were silent for an interval, and closes those that stay silent for another. One timer for all of
 * them; none while there are none.
 */
export class Pings {
  readonly #turnMs: number
  readonly #rounds = Array.from({ length: ROUNDS }, () => new Map<Pinged, PeerState>())
  #count = 0
  #newest = 0
  #round = 0
  #timer: NodeJS.Timeout | null = null

  /** @param interval Seconds. */
  constructor(interval: number) {
    this.#turnMs = (interval * 1000) / ROUNDS
  }

  /** Returns a function that removes the peer. */
  add(peer: Pinged): () => void {
    const round = this.#rounds[this.#newest++ % ROUNDS]!
    round.set(peer, { received: peer.received, pinged: false })
    this.#count++
    this.#timer ??= setInterval(() => this.#checkRound(), this.#turnMs).unref()
    return () => {
      if (round.delete(peer)) this.#count--
      if (this.#count === 0) this.#stop()
    }
  }

  #stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }

  #checkRound(): void {
    for (const [peer, seen] of this.#rounds[this.#round++ % ROUNDS]!) check(peer, seen)
  }
}

function check(peer: Pinged, seen: PeerState): void {
  const { received } = peer
  if (received === null || received !== seen.received) {
    seen.received = received
    seen.pinged = false
  } else if (seen.pinged) {
    peer.terminate()
  } else {
    seen.pinged = true
    peer.ping()
  }
}
