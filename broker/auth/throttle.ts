/**
 * Limits attempts to log in, to register and the like, over all nodes. Whatever is tried at once, on however many nodes, no more attempts are
 * answered than if one followed the other: each is decided on in the store, and one whose limit was reached meanwhile is refused, right or
 * wrong. What is refused is not tried, so it neither counts nor writes.
 */
import { isUserId } from '../../schemas/ids.js'
import type { CountKind } from '../store/expiring.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import { networkOf } from '../util/network.js'
import { FailureCounter, GuessCounter } from './attempt-counters.js'
import { AttemptCounts, type CountingStore } from './attempt-counts.js'
import type { FailureLimits } from './failure-counts.js'
import { KnownNetworks } from './known-networks.js'
import { LoginAttempt } from './login-attempt.js'
import { hashSecret } from './secrets.js'

/** Longest name of a network that is stored as it is; an address that is none of IP may be longer. */
const MAX_NETWORK = 64

export interface NetworkLimits {
  readonly attempts: number
  /** Seconds. */
  readonly window: number
}

export interface ThrottleLimits extends NetworkLimits {
  readonly addressAttempts: number
  /** Failures of one user from unknown networks within a window; absent: these are not counted together. */
  readonly accountAttempts?: number | undefined
}

/** Counts attempts by network, whoever makes them. */
export class NetworkThrottle {
  readonly #counts: AttemptCounts
  readonly #counter: (address: string) => FailureCounter

  constructor(
    store: CountingStore,
    kind: CountKind & `${string}sFrom`,
    { attempts, window }: NetworkLimits,
    now: () => number = Date.now,
  ) {
    this.#counts = new AttemptCounts(store, now)
    const limits = { attempts, window: window * 1000 }
    this.#counter = (address) => new FailureCounter(kind, nameOfNetwork(shortNetworkOf(address)), limits)
  }

  /** Seconds until the next attempt is allowed; 0: now. */
  waitOf(address: string): number {
    return this.#counts.waitOf([this.#counter(address)])
  }

  /** Counts an attempt. Resolves with the seconds until one is allowed; 0: it is counted. */
  take(address: string): Promise<number> {
    return this.#counts.take(`attempts from ${shortNetworkOf(address)}`, [this.#counter(address)])
  }
}

/**
 * Counts failed logins per user and network, and per network. Beyond the limit logins are refused for a window, then twice as long for each
 * further failure. Failures of one account from many networks only slow down logins from unknown networks, since otherwise anyone could lock
 * any user out.
 */
export class LoginThrottle {
  readonly #of: 'login' | 'renewal'
  readonly #counts: AttemptCounts
  readonly #known: KnownNetworks
  readonly #pairs: FailureLimits
  readonly #networks: FailureLimits
  readonly #guesses: FailureLimits | null
  readonly #turns = new KeyedMutex()

  constructor(
    store: CountingStore,
    of: 'login' | 'renewal',
    { attempts, addressAttempts, accountAttempts, ...limits }: ThrottleLimits,
    now: () => number = Date.now,
  ) {
    const window = limits.window * 1000
    this.#of = of
    this.#counts = new AttemptCounts(store, now)
    this.#known = new KnownNetworks(store, now)
    this.#pairs = { attempts, window }
    this.#networks = { attempts: addressAttempts, window }
    this.#guesses = accountAttempts === undefined ? null : { attempts: accountAttempts, window }
  }

  /** An attempt that is about to be made. */
  attempt(address: string, user: string): LoginAttempt {
    const [network, name] = [shortNetworkOf(address), nameOfUser(user)]
    return new LoginAttempt({
      counts: this.#counts,
      turns: this.#turns,
      ...{ user: name, network },
      pair: new FailureCounter(`${this.#of}Failures`, [name, network], this.#pairs),
      from: new FailureCounter(`${this.#of}FailuresFrom`, nameOfNetwork(network), this.#networks),
      guesses: this.#guesses && new GuessCounter(name, this.#guesses),
      isKnown: () => this.#known.has(name, network),
    })
  }

  /** Records the network of a successful login of any kind: logins from there are not slowed by failures elsewhere. */
  async loggedIn(address: string, user: string): Promise<void> {
    if (this.#guesses) await this.#known.add(user, shortNetworkOf(address))
  }
}

/** Begins with what no user's name begins with: counts of a network do not go with an account. */
function nameOfNetwork(network: string): string {
  return `@${network}`
}

function shortNetworkOf(address: string): string {
  const network = networkOf(address)
  return network.length > MAX_NETWORK ? hashSecret(network) : network
}

/** What cannot be a user's name may be a secret that was put in the wrong place, and of any length. */
function nameOfUser(user: string): string {
  return isUserId(user) ? user : hashSecret(user)
}
