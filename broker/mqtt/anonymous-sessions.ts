/**
 * Persistent sessions of anonymous clients. No account answers for them, so they are limited by network and in total when they are created; an
 * existing one may always be resumed.
 */
import { ANONYMOUS } from '../../schemas/ids.js'
import type { SessionStore } from '../store/sessions.js'
import { KeyCounts } from '../util/key-counts.js'
import { networkOf } from '../util/network.js'

export interface AnonymousSessionLimits {
  readonly anonymousSessions: number
  readonly anonymousSessionsPerAddress: number
}

export class AnonymousSessions {
  readonly #limits: AnonymousSessionLimits
  /** By session id. */
  readonly #networks = new Map<string, string>()
  readonly #counts = new KeyCounts()

  constructor(limits: AnonymousSessionLimits) {
    this.#limits = limits
  }

  /** Counts the stored ones. */
  async load(sessions: SessionStore): Promise<void> {
    for (const { id, address = '' } of await sessions.ofUser(ANONYMOUS)) this.#add(id, networkOf(address))
  }

  /** Counts a new session, until it is released; returns the limit that is reached, if any. */
  take(id: string, address: string): keyof AnonymousSessionLimits | null {
    const network = networkOf(address)
    const { anonymousSessions, anonymousSessionsPerAddress } = this.#limits
    if (this.#networks.size >= anonymousSessions) return 'anonymousSessions'
    if (this.#counts.get(network) >= anonymousSessionsPerAddress) return 'anonymousSessionsPerAddress'
    this.#add(id, network)
    return null
  }

  release(id: string): void {
    const network = this.#networks.get(id)
    if (network === undefined) return
    this.#networks.delete(id)
    this.#counts.remove(network)
  }

  #add(id: string, network: string): void {
    this.release(id)
    this.#networks.set(id, network)
    this.#counts.add(network)
  }
}
