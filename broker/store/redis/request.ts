/** Sends requests of this node on whatever connection there is, until they are answered. */
import { StoreError } from '../changes.js'
import type { Word } from './commit-words.js'
import type { RedisCounts } from './counts.js'
import type { Connection, Script } from './link.js'
import type { Patience } from './patience.js'

/** Ms that replicas have to take over a write, at most. */
const REPLICATION = 1000
/** Ms between attempts where there is a connection and the server refuses to write. */
const RETRY = 50
/** Refusals that may pass: the server is short of something, or not sure of itself. */
const PASSING = /^(MISCONF|NOREPLICAS|BUSY|TRYAGAIN)\b/

/** A request was given up that may have been performed. */
export class Unanswered extends StoreError {
  constructor(cause: StoreError) {
    super(`no answer in time: ${cause.message}`, { cause })
    this.name = 'Unanswered'
  }
}

export interface RequestsDeps {
  /** What a request is sent on, or why none can be sent. */
  readonly line: () => Connection | string
  readonly script: Script
  readonly meta: string
  /** How many have to have a write before it counts. */
  readonly replicas: number
  /** After which a request is given up. */
  readonly patience: Patience
  /** Ms that one command may take. */
  readonly timeoutMs: number
  readonly counts: Pick<RedisCounts, 'requests' | 'repeats'>
}

export class Requests {
  readonly #line: () => Connection | string
  readonly #script: Script
  readonly #meta: string
  readonly #replicas: number
  readonly #patience: Patience
  readonly #timeoutMs: number
  readonly #counts: RequestsDeps['counts']
  /** Who waits until something can be sent. */
  #waiting: (() => void)[] = []
  #closed = false
  /** Where the request under way was sent last; null: there is none, or it was not sent. */
  #sentOn: Connection | null = null

  constructor({ line, script, meta, replicas, patience, timeoutMs, counts }: RequestsDeps) {
    this.#line = line
    this.#script = script
    this.#meta = meta
    this.#replicas = replicas
    this.#patience = patience
    this.#timeoutMs = timeoutMs
    this.#counts = counts
  }

  /** Whether a request was sent on a former connection, and not on this one: what it committed is heard with its answer. */
  owes(connection: Connection): boolean {
    return this.#sentOn !== null && this.#sentOn !== connection
  }

  /** Requests can be sent again. */
  resume(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  close(): void {
    this.#closed = true
    this.resume()
  }

  /**
   * `heard` is called once it was performed.
   * @param words Made when there is a connection, and the same in every attempt
   * @throws Unanswered when there was no answer in time: it may have been performed
   * @throws StoreError when the server refuses it, or too few replicas have what it wrote
   */
  async send(words: (isCluster: boolean) => readonly Word[], heard: (reply: Buffer) => void): Promise<void> {
    try {
      await this.#send(words, heard)
    } finally {
      this.#sentOn = null
    }
  }

  async #send(words: (isCluster: boolean) => readonly Word[], heard: (reply: Buffer) => void): Promise<void> {
    if (this.#closed) throw new StoreError('the store is closed')
    const deadline = this.#patience.deadline()
    let args: readonly Word[] | null = null
    let failure: StoreError
    do {
      const line = this.#line()
      if (typeof line === 'string') {
        failure = new StoreError(line)
        await this.#wait(deadline)
        continue
      }
      this.#counts[args === null ? 'requests' : 'repeats']++
      args ??= words(line.isCluster)
      this.#sentOn = line
      try {
        await this.#perform(line, args, heard)
        return
      } catch (error) {
        failure = error as StoreError
        if (line.ended) continue
        if (!PASSING.test(failure.message)) throw failure
        await new Promise((resolve) => setTimeout(resolve, RETRY))
      }
    } while (!this.#closed && performance.now() < deadline)
    this.#patience.gaveUp()
    throw args === null || PASSING.test(failure.message) ? failure : new Unanswered(failure)
  }

  async #perform(connection: Connection, words: readonly Word[], heard: (reply: Buffer) => void): Promise<void> {
    let performed = false
    const performing = connection.script(this.#script, [this.#meta], words, (reply) => {
      performed = true
      heard(reply as Buffer)
    })
    if (this.#replicas === 0) return void (await performing)
    const wait = (heard?: () => void): Promise<unknown> =>
      connection.call('WAIT', [this.#replicas, Math.min(REPLICATION, Math.ceil(this.#timeoutMs / 2))], heard)
    let isBehind = false
    const [, found] = await Promise.all([performing, wait(() => (isBehind = performed))])
    // A script that the server has to be sent once more overtakes nothing.
    const count = Number(isBehind ? found : await wait())
    if (count < this.#replicas)
      throw new StoreError(`${count} replicas of Redis have the write in time, not ${this.#replicas}`)
  }

  async #wait(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      timer = setTimeout(resolve, Math.max(0, deadline - performance.now()))
    })
    clearTimeout(timer)
  }
}
