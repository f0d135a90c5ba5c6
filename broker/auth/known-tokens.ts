/**
 * Caches tokens whose signature was verified more than once: HTTP clients send theirs with every request, and a
 * verification takes some hundred microseconds. Whether the login is still valid is checked each time regardless.
 */
const MAX_TOKENS = 10_000
/** Longer tokens (in characters) are not cached. */
const MAX_LENGTH = 2048
/**
 * A client over MQTT presents its token only once, so a token is cached at its second use. Size of the list of recent
 * tokens, kept as the ends of their signatures.
 */
const MAX_SEEN = 1000
const SIGNATURE_END = -22

/** `Good`: the result of a verification; `expiresAt` in Unix ms, null: never. */
export class KnownTokens<Good extends { readonly expiresAt: number | null }> {
  /** Oldest first. */
  readonly #good = new Map<string, Good>()
  readonly #seen = new Set<string>()

  /** @param now Unix ms. */
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
