/** How a node stands with the store: it enters, says that it is there, hears whether it missed anything, and begins anew where it cannot go on. */
import { StoreError } from '../changes.js'
import type { RedisCounts } from './counts.js'
import { readCommit } from './events.js'
import type { Freshness } from './freshness.js'
import { type Connection, NO_CONNECTION } from './link.js'
import type { NodeMemory } from './node-memory.js'
import type { Beat, RedisNodes } from './nodes.js'
import type { ReadLink } from './read-link.js'
import { type Requests, Unanswered } from './request.js'
import type { ServerWatch } from './server-watch.js'

/** Answers after which a node cannot go on as it is. */
const MUST_BEGIN = /^(FENCED|LOST)\b/

export interface StandingDeps {
  readonly connection: () => Connection | null
  readonly nodes: RedisNodes
  readonly server: ServerWatch
  readonly memory: NodeMemory
  readonly requests: Requests
  readonly freshness: Freshness
  readonly reads: Pick<ReadLink, 'moveTo'>
  readonly counts: RedisCounts
  /** Called before each beat. */
  readonly remind: () => void
  /** What is in memory of logs with entries. */
  readonly logs: () => Parameters<RedisNodes['lose']>[3]
  readonly onFault: (error: unknown) => void
}

export class Standing {
  readonly #deps: StandingDeps
  #beating = false
  /** A request was given up: what became of it is seen when everything is read anew. */
  #isUncertain = false

  constructor(deps: StandingDeps) {
    this.#deps = deps
  }

  /** To be called with each new connection, before anybody uses it. */
  async connected(connection: Connection): Promise<void> {
    const { nodes, server, memory, requests, reads, freshness, counts } = this.#deps
    await reads.moveTo(connection)
    const begins = nodes.self === 0
    const before = nodes.epoch
    await (before === '' ? server.begin(connection) : server.check(connection))
    await nodes.begin(connection, (commit) => {
      counts.pushes++
      // After a process was stopped, what had come meanwhile is read before any timer runs.
      freshness.check()
      memory.sequence.hear(readCommit(commit))
    })
    const release = memory.sequence.hold()
    try {
      const entered = await this.#enter(connection)
      const hasLost = before !== '' && (nodes.epoch !== before || entered.commit < memory.sequence.reached)
      if (hasLost) await this.#lose(connection, before)
      else if (begins || this.#isUncertain || memory.isPartial) await this.#load(entered)
    } finally {
      release()
    }
    if (before !== '') counts.reconnects++
    // Those who wait for the connection have it in a moment.
    setImmediate(() => {
      requests.resume()
      if (!begins) void this.beat()
    })
  }

  /** @throws StoreError if it was removed meanwhile: the next connection begins anew */
  async #enter(connection: Connection): Promise<Beat> {
    try {
      return await this.#deps.nodes.enter(connection)
    } catch (error) {
      if ((error as StoreError).message.startsWith('FENCED')) this.#wasRemoved()
      throw error
    }
  }

  #wasRemoved(): void {
    this.#deps.counts.fences++
    this.#deps.nodes.end()
  }

  /** What was acknowledged is gone: a new epoch begins, and everything is read anew. */
  async #lose(connection: Connection, before: string): Promise<void> {
    const { nodes, memory, logs, onFault } = this.#deps
    const beat = await nodes.lose(connection, before, memory.sequence.reached, logs())
    const what = beat.lost > 0 ? `at least ${beat.lost} of its last commits` : 'commits'
    onFault(
      new StoreError(
        `Redis has lost ${what} that it had acknowledged (${beat.shorter} logs are shorter). The store has a new epoch: what clients remember of numbers is void`,
      ),
    )
    memory.sequence.restart(0)
    await this.#load(beat)
    // Sessions go on where the logs are now, and not behind what is lost.
    nodes.tellLost()
  }

  /** Everything anew. */
  async #load(beat: Beat): Promise<void> {
    await this.#deps.memory.load(beat)
    this.#isUncertain = false
  }

  /** A request failed. */
  failed(error: StoreError): void {
    if (error instanceof Unanswered) {
      this.#isUncertain = true
      this.#deps.connection()?.close('a request has no answer')
    } else if (MUST_BEGIN.test(error.message)) this.#begin(error)
  }

  /** The node cannot go on as it is: it connects anew, and finds out there what the store says. */
  #begin(error: StoreError): void {
    if (error.message.startsWith('FENCED')) this.#wasRemoved()
    this.#deps.connection()?.close(error.message)
  }

  /** See `StorePort`. On the one connection the reply comes behind all that was told before. */
  async catchUp(): Promise<void> {
    const { nodes, memory, requests } = this.#deps
    const connection = this.#deps.connection()
    if (!connection) throw new StoreError(NO_CONNECTION)
    const owes = requests.owes(connection)
    const last = await nodes.lastCommit(connection)
    if (this.#isComing(owes)) await memory.sequence.whenReached(last)
    else if (last > memory.sequence.reached) await memory.repair(last)
  }

  /**
   * Whether what memory lacks is on its way: somebody has read ahead, or loads memory.
   * @param owes Whether an answer was owed when the store was asked: only that tells of a commit of this node's own
   */
  #isComing(owes: boolean): boolean {
    return owes || this.#deps.memory.sequence.isHeld
  }

  /** To be called in short intervals: says that the node is there, and checks that it heard of all commits. */
  async beat(): Promise<void> {
    const connection = this.#deps.connection()
    if (!connection || this.#beating) return
    this.#beating = true
    try {
      await this.#beatOn(connection)
    } catch (error) {
      if (MUST_BEGIN.test((error as StoreError).message)) this.#begin(error as StoreError)
      else if (!connection.ended) this.#deps.onFault(error)
    } finally {
      this.#beating = false
    }
  }

  /** On the one connection the reply comes behind all that was told before. */
  async #beatOn(connection: Connection): Promise<void> {
    const { nodes, server, memory, requests, freshness, remind } = this.#deps
    const { sequence } = memory
    remind()
    let last = 0
    let isShorter = false
    const asked = server.now()
    const askedAt = performance.now()
    const owes = requests.owes(connection)
    await nodes.beat(connection, ({ commit }, time) => {
      last = commit
      isShorter = commit < sequence.reached
      server.heardClock(time, asked)
    })
    if (server.isDue) await server.check(connection)
    if (server.refusal === null) requests.resume()
    // What others let go on, and is missing then, is found the next time.
    if ((last > sequence.reached && !this.#isComing(owes)) || memory.isPartial) await memory.repair(last)
    else if (isShorter) connection.close('it has fewer commits than it had')
    if (last <= sequence.reached && !isShorter) freshness.confirm(askedAt)
  }
}
