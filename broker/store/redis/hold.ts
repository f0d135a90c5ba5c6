/** Keeps nodes away from a deployment that is read as a whole. A hold that is not given up ends by itself. */
import { setTimeout as delay } from 'node:timers/promises'
import { StoreError } from '../changes.js'
import type { StoreFacts } from '../moving/contents.js'
import type { Keys } from './keys.js'
import { type Link, NO_CONNECTION } from './link.js'
import { FORMAT, formatText, LEASE } from './nodes.js'
import { scriptNamed } from './script.js'

/** Ms between two times that it is said. */
const HOLD_EVERY = 3000
/** Ms between attempts, and their number. */
const RETRY_EVERY = 500
const ATTEMPTS = 20
const HOLD = scriptNamed('hold')

export class Hold {
  readonly #link: Link
  readonly #keys: Keys
  readonly #ending = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #fault: StoreError | null = null

  constructor(link: Link, keys: Keys) {
    this.#link = link
    this.#keys = keys
  }

  /** @throws StoreError if there are nodes, or nothing that this version reads */
  async begin(): Promise<StoreFacts> {
    const facts = await this.#take()
    this.#running = this.#renew()
    return facts
  }

  /** @throws StoreError if nodes have come */
  async renewed(): Promise<StoreFacts> {
    if (this.#fault) throw this.#fault
    return this.#take()
  }

  async end(): Promise<void> {
    this.#ending.abort()
    await this.#running
    await this.#say('').catch(() => {})
  }

  async #renew(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      await delay(HOLD_EVERY, undefined, { signal, ref: false }).catch(() => {})
      if (!signal.aborted && !this.#fault)
        await this.#take().catch((error: StoreError) => {
          this.#fault = error
        })
    }
  }

  async #take(): Promise<StoreFacts> {
    const found = ((await this.#say('1')) as (Buffer | null)[]).map((value) => value?.toString() ?? null)
    const [format, epoch, commits, queued, secret] = found as [string | null, string | null, ...(string | null)[]]
    if (format === null) {
      await this.#say('')
      throw new StoreError(`nothing is stored in Redis under the prefix of these keys: ${this.#keys.prefix}`)
    }
    if (format !== FORMAT) throw new StoreError(formatText(format))
    return { epoch: epoch!, commits: Number(commits ?? 0), queued: Number(queued ?? 0), secret: secret ?? null }
  }

  async #say(holds: '1' | ''): Promise<unknown> {
    const args = [this.#keys.prefix, String(LEASE), holds]
    for (let attempt = 1; ; attempt++) {
      const connection = this.#link.connection
      try {
        if (!connection) throw new StoreError(NO_CONNECTION)
        return await connection.script(HOLD, [this.#keys.meta], args)
      } catch (error) {
        const [, nodes] = /^NODES (\d+)/.exec((error as Error).message) ?? []
        if (nodes !== undefined) throw new StoreError(inUse(nodes))
        if ((connection && !connection.ended) || attempt >= ATTEMPTS) throw error
        await delay(RETRY_EVERY)
      }
    }
  }
}

function inUse(nodes: string): string {
  const [are, they] = nodes === '1' ? ['node is', 'it'] : ['nodes are', 'them']
  return `${nodes} ${are} running on this Redis: stop ${they} first (after kill -9 wait ${LEASE / 1000} seconds)`
}
