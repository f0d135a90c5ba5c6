/**
 * The connection for reads. It leads to the server that the connection for commits leads to: which one takes writes is decided once, so that after a failover
 * nothing is read from a server that has lost its place.
 */
import { StoreError } from '../changes.js'
import { parseAddress } from './address.js'
import type { Connection, RedisConnection } from './connection.js'
import { type LinkOptions, opener } from './link.js'
import type { Open } from './locate.js'

export class ReadLink {
  readonly #open: Open
  readonly #onFault: LinkOptions['onFault']
  readonly #closing = new AbortController()
  #connection: RedisConnection | null = null
  /** What it goes along with. */
  #main: Connection | null = null
  /** The attempt under way. */
  #opening: Promise<void> = Promise.resolve()

  constructor(options: Omit<LinkOptions, 'hashTag'>) {
    this.#onFault = options.onFault
    this.#open = opener(parseAddress(options.url), options, this.#closing.signal)
  }

  /** Null while there is none. */
  get connection(): Connection | null {
    return this.#connection
  }

  /** Goes along with this connection from now on. Resolves when it can be read. @throws StoreError */
  async moveTo(main: Connection): Promise<void> {
    this.#main = main
    this.#connection?.close()
    const opening = this.#connect(main)
    this.#opening = opening.catch(() => {})
    await opening
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#opening
  }

  async #connect(main: Connection): Promise<void> {
    const connection = await this.#open(main.host, 'server')
    const isSame = connection.server.runId === main.server.runId
    if (!isSame || connection.ended || this.#main !== main || this.#closing.signal.aborted) {
      connection.close()
      throw new StoreError(
        `${main.about}: ${isSame ? 'the connection for reads was lost at once' : 'reads would lead to another server'}`,
      )
    }
    this.#connection = connection
    connection.onEnd = (fault) => this.#lost(connection, main, fault)
  }

  /** Where it cannot be made again, the server is not the one any more, or not there: all is located anew. */
  #lost(connection: Connection, main: Connection, fault: StoreError | null): void {
    if (fault) this.#onFault(fault)
    if (this.#connection === connection) this.#connection = null
    if (this.#main !== main || main.ended || this.#closing.signal.aborted) return
    this.#opening = this.#connect(main).catch((error: Error) => {
      if (this.#main === main) main.close(`it cannot be read: ${error.message}`)
    })
  }
}
