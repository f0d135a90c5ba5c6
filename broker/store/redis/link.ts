/** A connection to the server that takes writes, which is made anew whenever it is lost. That a silent server is gone shows when a command is sent. */
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../changes.js'
import { type Address, parseAddress } from './address.js'
import { type Connection, RedisConnection } from './connection.js'
import { Locator, type Open } from './locate.js'
import type { RedisTls } from './tls-files.js'

/** Why nothing can be sent or read. */
export const NO_CONNECTION = 'there is no connection to Redis'

export type { Connection, Heard, Script } from './connection.js'
export type { RedisTls } from './tls-files.js'

export interface LinkOptions {
  /** As `store.redis.url` of the configuration. */
  readonly url: string
  /** The hash tag that all keys and channels have: on a Cluster it says which server is the one. */
  readonly hashTag: string
  /** For addresses that ask for TLS. */
  readonly tls?: RedisTls
  /** Ms that one command, or an attempt to connect, may take. */
  readonly timeoutMs: number
  /** By which CLIENT LIST shows it. */
  readonly name: string
  /** Told why there is no connection: once for each reason of an outage; and what the server sent that cannot be read. */
  readonly onFault: (error: unknown) => void
}

/** Ms between attempts at most: random below a bound that doubles, so that nodes do not come back all at once. */
const FIRST_WAIT = 50
const LONGEST_WAIT = 2000
const NO_FILES: RedisTls = { ca: null, cert: null, key: null, serverName: null }

/** How connections of that address are opened. */
export function opener(
  address: Address,
  { timeoutMs, name, tls = NO_FILES }: Pick<LinkOptions, 'timeoutMs' | 'name' | 'tls'>,
  signal: AbortSignal,
): Open {
  const common = { tls: address.tls ? tls : null, timeoutMs, name, signal }
  return (host, who) =>
    who === 'server'
      ? RedisConnection.open(host, { ...common, login: address.login, database: address.database })
      : RedisConnection.open(host, { ...common, login: address.sentinelLogin, database: 0 })
}

export class Link {
  /**
   * Called with each new connection before anybody else may use it: what it does (subscribe, catch up) is part of connecting. If it rejects,
   * the connection is closed and another one is tried.
   */
  onConnect: ((connection: Connection) => Promise<void>) | null = null
  /** The connection is gone; what is pending on it rejects. */
  onLost: (() => void) | null = null
  readonly #options: LinkOptions
  readonly #closing = new AbortController()
  #connection: RedisConnection | null = null
  /** When it was made, as performance.now() tells. */
  #since = 0
  /** Ms that the next attempt waits at most. */
  #bound = 0
  /** The attempts under way. */
  #connecting: Promise<void> = Promise.resolve()

  constructor(options: LinkOptions) {
    this.#options = options
  }

  /** Null while there is none. */
  get connection(): Connection | null {
    return this.#connection
  }

  /** Resolves when the connection is up. @throws StoreError, one line without secrets, when the first attempt has failed. */
  async start(): Promise<void> {
    const first = this.#connect(this.#locator())
    this.#connecting = first.catch(() => {})
    await first
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#connecting
  }

  #locator(): Locator {
    const address = parseAddress(this.#options.url)
    return new Locator(address, this.#options.hashTag, opener(address, this.#options, this.#closing.signal))
  }

  async #connect(locator: Locator): Promise<void> {
    const connection = await locator.find()
    try {
      await this.onConnect?.(connection)
      if (connection.ended || this.#closing.signal.aborted)
        throw new StoreError('the connection to Redis was lost at once')
    } catch (error) {
      connection.close()
      throw error
    }
    this.#connection = connection
    this.#since = performance.now()
    connection.onEnd = (fault) => this.#lost(locator, fault)
  }

  #lost(locator: Locator, fault: StoreError | null): void {
    this.#connection = null
    if (fault) this.#options.onFault(fault)
    // One that is lost again and again is not made again at once.
    if (performance.now() - this.#since > LONGEST_WAIT) this.#bound = 0
    this.onLost?.()
    if (!this.#closing.signal.aborted) this.#connecting = this.#reconnect(locator)
  }

  async #reconnect(locator: Locator): Promise<void> {
    const { signal } = this.#closing
    const told = new Set<string>()
    while (!signal.aborted) {
      if (this.#bound > 0) await delay(Math.random() * this.#bound, undefined, { signal }).catch(() => {})
      this.#bound = Math.min(LONGEST_WAIT, Math.max(FIRST_WAIT, this.#bound * 2))
      try {
        await this.#connect(locator)
        return
      } catch (error) {
        this.#tell(error, told)
      }
    }
  }

  #tell(error: unknown, told: Set<string>): void {
    const { message } = error as Error
    if (this.#closing.signal.aborted || told.has(message)) return
    told.add(message)
    this.#options.onFault(error)
  }
}
