/** Sends requests of this node on whatever connection there is, until they are answered. */
import { StoreError } from '../changes.js'
import type { Word } from './commit-words.js'
import type { Connection, Script } from './link.js'

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

export class Requests {
  readonly #connection: () => Connection | null
  readonly #script: Script
  readonly #meta: string
  readonly #timeoutMs: number
  /** Who waits for a connection. */
  #waiting: (() => void)[] = []
  #closed = false

  /** @param timeoutMs After which a request is given up */
  constructor(connection: () => Connection | null, script: Script, meta: string, timeoutMs: number) {
    this.#connection = connection
    this.#script = script
    this.#meta = meta
    this.#timeoutMs = timeoutMs
  }

  /** There is a connection. */
  resume(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  close(): void {
    this.#closed = true
    this.resume()
  }

  /**
   * @param words Made when there is a connection, and the same in every attempt
   * @throws Unanswered when there was no answer in time: it may have been performed
   * @throws StoreError when the server refuses it
   */
  async send(words: (isCluster: boolean) => readonly Word[], heard: (reply: Buffer) => void): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs
    let args: readonly Word[] | null = null
    let failure = new StoreError('there is no connection to Redis')
    while (!this.#closed && performance.now() < deadline) {
      const connection = this.#connection()
      if (!connection) {
        await this.#wait(deadline)
        continue
      }
      args ??= words(connection.isCluster)
      try {
        await connection.script(this.#script, [this.#meta], args, (reply) => heard(reply as Buffer))
        return
      } catch (error) {
        failure = error as StoreError
        if (connection.ended) continue
        if (!PASSING.test(failure.message)) throw failure
        await new Promise((resolve) => setTimeout(resolve, RETRY))
      }
    }
    throw args === null || PASSING.test(failure.message) ? failure : new Unanswered(failure)
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
