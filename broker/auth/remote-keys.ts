/** `auth.jwt.jwks`: public keys fetched from a token issuer, by key id (RFC 7517). */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithmsOf } from './algorithms.js'
import { askEndpoint } from './endpoint.js'

/** Longest key set in bytes, and most keys read from it. */
const MAX_BYTES = 262_144
const MAX_KEYS = 200
/** Timeout in seconds. */
const TIMEOUT = 5

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

interface RemoteKey {
  readonly kid: string | undefined
  readonly algorithms: readonly string[]
  readonly key: KeyObject
}

export interface RemoteKeysOptions {
  readonly url: string
  /** Seconds until the set is fetched again, and the least time between two fetches. */
  readonly maxAge: number
  readonly cooldown: number
  /** Called if the set cannot be fetched; the former keys remain valid. For the log. */
  readonly onFault?: (error: Error) => void
  readonly now?: () => number
}

export class RemoteKeys {
  readonly #options: RemoteKeysOptions
  readonly #now: () => number
  /** Null: never fetched successfully. */
  #keys: readonly RemoteKey[] | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  #gotAt = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | null = null

  constructor(options: RemoteKeysOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** False: never fetched successfully, so that no token can be judged. */
  get known(): boolean {
    return this.#keys !== null
  }

  /**
   * The key a token names. An unknown `kid` may be a new key, so the set is fetched again, but not more often than the
   * cooldown allows.
   */
  async find(kid: string | undefined, alg: string): Promise<KeyObject | null> {
    if (this.#now() - this.#gotAt >= this.#options.maxAge * 1000) await this.#ask()
    if (kid !== undefined && !this.#keys?.some((key) => key.kid === kid)) await this.#ask()
    return this.#select(kid, alg)
  }

  #select(kid: string | undefined, alg: string): KeyObject | null {
    const fitting = (this.#keys ?? []).filter((key) => key.algorithms.includes(alg))
    const [key, ...more] = kid === undefined ? fitting : fitting.filter((candidate) => candidate.kid === kid)
    return key && more.length === 0 ? key.key : null
  }

  async #ask(): Promise<void> {
    if (this.#now() - this.#askedAt < this.#options.cooldown * 1000) return this.#asking ?? undefined
    this.#askedAt = this.#now()
    this.#asking = this.#fetch().finally(() => (this.#asking = null))
    await this.#asking
  }

  async #fetch(): Promise<void> {
    try {
      const headers = { accept: 'application/jwk-set+json, application/json' }
      const { status, text } = await askEndpoint(this.#options.url, { headers, timeout: TIMEOUT, maxBytes: MAX_BYTES })
      if (status !== 200) throw new Error(`answered with status ${status}`)
      this.#keys = readKeySet(text)
      this.#gotAt = this.#now()
    } catch (error) {
      this.#options.onFault?.(error as Error)
    }
  }
}

/** The keys that can verify; throws if the text is no key set, or has no such key. */
function readKeySet(text: string): RemoteKey[] {
  const { keys } = (JSON.parse(text) ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new Error('answered with something that is no key set')
  const usable = keys.slice(0, MAX_KEYS).flatMap(readKey)
  if (usable.length === 0) throw new Error('has no key that could verify a token')
  return usable
}

/** Returns no key if it cannot be used here; other keys of the set still count. */
function readKey(jwk: JsonWebKey & { kid?: unknown; alg?: unknown; use?: unknown }): RemoteKey[] {
  try {
    const { kid, alg, use = 'sig' } = jwk
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const algorithms = algorithmsOf(key, RSA).filter((name) => alg === undefined || name === alg)
    if (use !== 'sig' || algorithms.length === 0) return []
    return [{ kid: typeof kid === 'string' ? kid : undefined, algorithms, key }]
  } catch {
    return []
  }
}
