/** The networks from which accounts have logged in: logins from there are not slowed by guesses from elsewhere. */
import { Refusal } from '../../schemas/errors.js'
import type { KnownNetworks as KnownNetworksRecord } from '../store/expiring.js'
import type { Store } from '../store/store.js'

/** Most networks of a user; the least recently seen is forgotten. */
const MOST = 16
const DAY = 86_400_000
/** How long a network is remembered, and how often that is renewed, in ms. */
const LIFETIME = 30 * DAY
const RENEWAL = DAY
/** Most logins known to be recorded; the oldest is dropped, and read again. */
const MOST_RECORDED = 20_000

export class KnownNetworks {
  readonly #store: Pick<Store, 'transact' | 'expiring'>
  readonly #now: () => number
  /** By user and network: when it was recorded (Unix ms), so that most logins read nothing. */
  readonly #recorded = new Map<string, number>()

  constructor(store: Pick<Store, 'transact' | 'expiring'>, now: () => number) {
    this.#store = store
    this.#now = now
  }

  async has(user: string, network: string): Promise<boolean> {
    const record = await this.#store.expiring.get('knownNetworks', user, this.#now())
    return timeOf(record, network) > this.#now() - LIFETIME
  }

  /** Records the network of a successful login, once a day. */
  async add(user: string, network: string): Promise<void> {
    const key = `${network} ${user}`
    const renewal = this.#now() - RENEWAL
    if ((this.#recorded.get(key) ?? 0) > renewal) return
    let at = timeOf(await this.#store.expiring.get('knownNetworks', user, this.#now()), network)
    if (at <= renewal) at = await this.#record(user, network)
    this.#recorded.delete(key)
    if (at > 0) this.#recorded.set(key, at)
    if (this.#recorded.size > MOST_RECORDED) this.#recorded.delete(this.#recorded.keys().next().value!)
  }

  /** Resolves with the time that is recorded; 0: it could not be, or there is no such account any more. */
  async #record(user: string, network: string): Promise<number> {
    const at = this.#now()
    try {
      const { value } = await this.#store.transact(`networks of ${user}`, async ({ directory, expiring }) => {
        if (!(await directory.user(user))) return { value: 0 }
        const before = (await expiring.get('knownNetworks', user, at))?.networks ?? []
        const others = before.filter(([other, seen]) => other !== network && seen > at - LIFETIME)
        const networks = [...others, [network, at] as const].slice(-MOST)
        return {
          ops: [expiring.putOp('knownNetworks', user, { networks, until: at + LIFETIME })],
          lazy: true,
          value: at,
        }
      })
      return value
    } catch (error) {
      // The login does not depend on it.
      if (error instanceof Refusal) return 0
      throw error
    }
  }
}

/** When the network was seen; 0: never. */
function timeOf(record: KnownNetworksRecord | null, network: string): number {
  return record?.networks.find(([known]) => known === network)?.[1] ?? 0
}
