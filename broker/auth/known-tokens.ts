/**
 * Tokens whose signature was found good more than once: clients of HTTP show theirs with every request, and a signature takes some hundred
 * microseconds. Whether the login behind one still stands is asked each time all the same.
 */
const MAX_TOKENS = 10_000
/** Longer ones are checked each time, in characters. */
const MAX_LENGTH = 2048
/** A session over MQTT shows its token once: so many of the last ones are noted, by the end of their signatures. */
const MAX_SEEN = 1000
const SIGNATURE_END = -22

/** `Good`: what was found of a token; `expiresAt` in Unix ms, null: never. */
export class KnownTokens<Good extends { readonly expiresAt: number | null }> {
  /** Oldest first. */
  readonly #good = new Map<string, Good>()
  readonly #seen = new Set<string>()

  /** `now` in Unix ms. */
  find(token: string, now: number): Good | undefined {
    const good = this.#good.get(token)
    if (!good || good.expiresAt === null || now < good.expiresAt) return good
    this.#good.delete(token)
    return undefined
  }

  keep(token: string, check: Good): void {
    if (token.length > MAX_LENGTH) return
    const end = token.slice(SIGNATURE_END)
    if (!this.#seen.delete(end)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear()
      this.#seen.add(end)
      return
    }
    if (this.#good.size >= MAX_TOKENS) this.#good.delete(this.#good.keys().next().value!)
    this.#good.set(token, check)
  }
}
