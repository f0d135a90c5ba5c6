/** Something that can be asked whether it is still there. */
export interface Pinged {
  /** Bytes that came in so far; null: its reader holds them back, so that silence says nothing. */
  readonly received: number | null
  ping(): void
  /** It did not answer: it is gone. */
  terminate(): void
}

/** Each interval is cut into so many rounds, so that a hundred thousand pings do not leave at once. */
const ROUNDS = 25

interface Seen {
  received: number | null
  pinged: boolean
}

/** Pings whatever was silent for an interval, and ends what stays silent for another. One timer for all of them; none while there are none. */
export class Pings {
  readonly #turnMs: number
  readonly #rounds = Array.from({ length: ROUNDS }, () => new Map<Pinged, Seen>())
  #count = 0
  #newest = 0
  #round = 0
  #timer: NodeJS.Timeout | null = null

  /** `interval` in seconds. */
  constructor(interval: number) {
    this.#turnMs = (interval * 1000) / ROUNDS
  }

  /** Returns what takes it out again. */
  add(peer: Pinged): () => void {
    const round = this.#rounds[this.#newest++ % ROUNDS]!
    round.set(peer, { received: peer.received, pinged: false })
    this.#count++
    this.#timer ??= setInterval(() => this.#turn(), this.#turnMs).unref()
    return () => {
      if (round.delete(peer)) this.#count--
      if (this.#count === 0) this.#stop()
    }
  }

  #stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }

  #turn(): void {
    for (const [peer, seen] of this.#rounds[this.#round++ % ROUNDS]!) check(peer, seen)
  }
}

function check(peer: Pinged, seen: Seen): void {
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
