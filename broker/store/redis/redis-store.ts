/**
 * A store in Redis, which any number of nodes share: every change is performed there by one script, and each node follows, commit by commit, what all of them
 * do (sequence.ts).
 */
import { type Change, StoreError } from '../changes.js'
import { CommitQueue } from '../commit-queue.js'
import type { QueueLimits } from '../directory/queue-memory.js'
import { Subscriptions } from '../directory/subscriptions.js'
import { TableSlots } from '../directory/table-slots.js'
import { withRecords } from '../directory/with-records.js'
import type { Nodes } from '../nodes.js'
import type { Store, StorePort, StoreSupport } from '../store.js'
import type { TableFollower } from '../tables.js'
import type { UpkeepOp, Word, WordSources } from './commit-words.js'
import { Committer } from './committer.js'
import { newCounts } from './counts.js'
import { generationAt } from './dedupe.js'
import { type Committed, readCommit } from './events.js'
import { Journal } from './journal.js'
import { Keys } from './keys.js'
import { type Connection, Link, type LinkOptions } from './link.js'
import { RedisLogs } from './logs.js'
import { type Beat, RedisNodes } from './nodes.js'
import { RedisNotes } from './notes.js'
import { RedisOutbox } from './outbox.js'
import { RedisQueue } from './queue.js'
import { Reader } from './reader.js'
import { RedisTables } from './redis-tables.js'
import { Requests, Unanswered } from './request.js'
import { Retained } from './retained.js'
import { commitScript } from './script.js'
import { Sequence } from './sequence.js'
import type { Needs } from './server-check.js'
import { ServerWatch } from './server-watch.js'
import type { Deployment } from './settings.js'
import { StoredLogs } from './stored-logs.js'
import { Sweeper } from './sweeper.js'

const CACHE_BYTES = 64 * 1024 * 1024
/** One script holds up all nodes while it runs. */
const GROUP_CHANGES = 1024
const GROUP_BYTES = 1024 * 1024
/** Ms for which what is in memory counts as up to date after it was confirmed. */
const FRESH = 1000
/** Ms between two looks whether it does. */
const CHECK_EVERY = 100
const NO_CONNECTION = 'there is no connection to Redis'
/** Ms between two checks that nothing was missed, and signs that this node is there. */
const BEAT_EVERY = 500

/** Answers after which a node cannot go on as it is. */
const MUST_BEGIN = /^(FENCED|LOST)\b/

export interface RedisStoreOptions extends Pick<LinkOptions, 'url' | 'tls'> {
  /** Distinguishes deployments in one Redis. */
  readonly prefix: string
  readonly limits: QueueLimits
  /** Ms after which a change that the server did not answer settles with an error. */
  readonly timeoutMs?: number
  /** What the server has to be set for; absent: it is not looked at. */
  readonly needs?: Needs
  /** What is compared with the other nodes; absent: nothing. */
  readonly deployment?: Deployment
  /** Days for which a client-chosen id is remembered, at least. */
  readonly dedupeDays?: number
  /** Memory for log entries. */
  readonly cacheBytes?: number
  /** Called for failures that have no other receiver. */
  readonly onFault?: (error: unknown) => void
  /** Called with what an operator should change. */
  readonly onWarning?: (text: string) => void
  /** Unix ms. */
  readonly now?: () => number
}

/** @throws StoreError with one line that says what is wrong */
export async function openRedisStore(options: RedisStoreOptions): Promise<{ store: Store; nodes: Nodes }> {
  const store = new RedisStore(options)
  try {
    await store.begin()
    const { nodes } = store
    return { store: await withRecords(store, options.now), nodes }
  } catch (error) {
    await store.abandon()
    throw error
  }
}

class RedisStore implements StorePort {
  readonly counts = newCounts()
  readonly supports: StoreSupport = { copies: false }
  readonly log: RedisLogs
  readonly notes: RedisNotes
  readonly subscriptions: Subscriptions
  readonly queue: RedisQueue
  readonly outbox: RedisOutbox
  readonly tables: RedisTables
  readonly nodes: RedisNodes
  position = 0
  fresh = false

  readonly #keys: Keys
  /** Requests and what is told of commits, in their order. */
  readonly #link: Link
  readonly #readLink: Link
  readonly #reader: Reader
  readonly #requests: Requests
  readonly #server: ServerWatch
  readonly #sequence: Sequence
  readonly #committer: Committer
  readonly #commits: CommitQueue
  readonly #journal: Journal
  readonly #retained: Retained
  readonly #sweeper: Sweeper
  readonly #followers: TableFollower[] = []
  readonly #limits: QueueLimits
  readonly #dedupeDays: number
  readonly #onFault: (error: unknown) => void
  readonly #now: () => number
  #request = 0
  #failing = false
  readonly #timers: NodeJS.Timeout[] = []
  #beating = false
  /** Monotonic ms: as of then memory had all that was committed. */
  #confirmedAt = Number.NEGATIVE_INFINITY
  readonly #onFresh: (() => void)[] = []
  /** A request was given up: what became of it is seen when everything is read anew. */
  #isUncertain = false

  constructor(options: RedisStoreOptions) {
    const { url, tls, prefix, limits, needs, timeoutMs = 5000, dedupeDays = 7, cacheBytes = CACHE_BYTES } = options
    this.#onFault = options.onFault ?? (() => undefined)
    this.#now = options.now ?? Date.now
    this.#limits = limits
    this.#dedupeDays = dedupeDays
    const keys = (this.#keys = new Keys(prefix))
    const link = { url, hashTag: prefix, ...(tls ? { tls } : {}), timeoutMs, onFault: this.#onFault }
    this.#link = new Link({ ...link, name: 'topictalk' })
    this.#readLink = new Link({ ...link, name: 'topictalk-reads' })
    const reader = (this.#reader = new Reader(() => this.#readLink.connection, timeoutMs))
    const { deployment = null, onWarning = () => undefined } = options
    this.nodes = new RedisNodes({
      keys,
      deployment,
      connection: () => this.#link.connection,
      onFault: this.#onFault,
      onWarning,
    })
    this.#server = new ServerWatch(needs ?? null, onWarning)
    this.#requests = new Requests({
      line: () => this.#server.refusal ?? this.#link.connection ?? NO_CONNECTION,
      script: commitScript(),
      meta: keys.meta,
      replicas: needs?.acks === 'replicated' ? needs.replicas : 0,
      timeoutMs,
      counts: this.counts,
    })
    this.#sequence = new Sequence((commit) => this.#follow(commit), timeoutMs)
    this.#commits = new CommitQueue((group) => this.#committer.write(group), {
      changes: GROUP_CHANGES,
      bytes: GROUP_BYTES,
    })
    const commit = (ops: readonly UpkeepOp[]): Promise<void> => this.#commitOps(ops)
    this.#sweeper = new Sweeper({ reader, keys, commit, now: this.#now, dedupeDays })
    const upkeep = { commit, sweep: () => this.#sweeper.sweep(), now: this.#now, onFault: this.#onFault }
    this.log = new RedisLogs(new StoredLogs(reader, keys), cacheBytes, upkeep)
    this.notes = new RedisNotes(reader, keys, (log) => this.log.incarnationOf(log))
    this.tables = new RedisTables(reader, keys)
    const slots = new TableSlots()
    this.subscriptions = new Subscriptions(slots)
    this.#followers.push(slots)
    this.#retained = new Retained(reader, keys)
    this.queue = new RedisQueue(reader, keys, this.subscriptions, this.#retained, limits)
    this.outbox = new RedisOutbox(reader, keys)
    this.#journal = new Journal(reader, keys)
    this.#committer = new Committer({
      sources: () => this.#sources(),
      send: (words, heard) => this.#send(words, heard),
      hear: (commit) => this.#sequence.hear(commit),
      follow: (steps) => this.queue.apply([], steps),
      whenReached: (number) => this.#sequence.whenReached(number),
      counts: this.counts,
      onFault: this.#onFault,
      dropped: (count) => void (this.queue.dropped += count),
    })
  }

  get epoch(): string {
    return this.nodes.epoch
  }

  get about(): string {
    return this.#link.connection?.about ?? 'redis, not connected'
  }

  get hindrance(): string | null {
    if (!this.#link.connection) return NO_CONNECTION
    if (this.#server.refusal !== null) return 'Redis is not set for what acknowledgements promise'
    if (this.#failing) return 'Redis does not take writes'
    return performance.now() - this.nodes.heardAt > FRESH ? 'Redis does not answer' : null
  }

  get healthy(): boolean {
    return !this.#failing && this.#server.refusal === null
  }

  get pendingSince(): number | null {
    return this.#commits.since
  }

  /** Connects, takes a number among the nodes and loads what is in memory. */
  async begin(): Promise<void> {
    await this.#readLink.start()
    this.#link.onConnect = (connection) => this.#connected(connection)
    await this.#link.start()
    await this.#beat()
    this.#timers.push(setInterval(() => void this.#beat(), BEAT_EVERY).unref())
    this.#timers.push(setInterval(() => this.#checkFresh(), CHECK_EVERY).unref())
  }

  async #connected(connection: Connection): Promise<void> {
    const begins = this.nodes.self === 0
    const before = this.nodes.epoch
    if (before !== '') this.counts.reconnects++
    await (before === '' ? this.#server.begin(connection) : this.#server.check(connection))
    await this.nodes.begin(connection, (commit) => {
      this.counts.pushes++
      this.#sequence.hear(readCommit(commit))
    })
    const release = this.#sequence.hold()
    try {
      const entered = await this.nodes.enter(connection)
      const hasLost = before !== '' && (this.nodes.epoch !== before || entered.commit < this.#sequence.reached)
      if (hasLost) await this.#lose(connection, before)
      else if (begins || this.#isUncertain) await this.#loadAt(entered)
    } finally {
      release()
    }
    // Those who wait for the connection have it in a moment.
    setImmediate(() => {
      this.#requests.resume()
      if (!begins) void this.#beat()
    })
  }

  /** What was acknowledged is gone: a new epoch begins, and everything is read anew. */
  async #lose(connection: Connection, before: string): Promise<void> {
    const { reached } = this.#sequence
    const beat = await this.nodes.lose(connection, before, reached, this.log.known())
    const what = beat.lost > 0 ? `at least ${beat.lost} of its last commits` : 'commits'
    this.#onFault(
      new StoreError(
        `Redis has lost ${what} that it had acknowledged (${beat.shorter} logs are shorter). The store has a new epoch: what clients remember of numbers is void`,
      ),
    )
    this.#sequence.restart(0)
    await this.#loadAt(beat)
  }

  /** This node cannot go on as it is: it connects anew, and finds out there what the store says. */
  #begin(error: StoreError): void {
    if (error.message.startsWith('FENCED')) {
      this.counts.fences++
      this.nodes.end()
    }
    this.#link.connection?.close(error.message)
  }

  /** Loads memory as of a commit or a later one: what is heard since is applied to it. */
  async #loadAt({ commit, position }: Beat): Promise<void> {
    const applies = [await this.queue.load(), await this.#retained.load(), await this.outbox.load()]
    for (const follower of this.#followers) applies.push(await follower.load(this.tables))
    await this.log.repair()
    for (const apply of applies) apply()
    this.position = Math.max(this.position, position)
    for (const follower of this.#followers) follower.apply(this.position, [])
    this.#sequence.jumpTo(commit)
    this.#isUncertain = false
  }

  commit(change: Change): void {
    this.#commits.add(change)
  }

  /** On the one connection the reply comes behind all that was told before. */
  async catchUp(): Promise<void> {
    const connection = this.#link.connection
    if (!connection) throw new StoreError(NO_CONNECTION)
    const owes = this.#requests.owes(connection)
    const last = Number(await connection.call('HGET', [this.#keys.meta, 'commit']))
    if (this.#sequence.isHeld || owes) await this.#sequence.whenReached(last)
    else if (last > this.#sequence.reached) await this.#repair(last)
  }

  follow(follower: TableFollower): Promise<void> {
    return this.#commits.exclusive(async () => {
      const release = this.#sequence.hold()
      try {
        const apply = await follower.load(this.tables)
        apply()
        follower.apply(this.position, [])
        this.#followers.push(follower)
      } finally {
        release()
      }
    })
  }

  copyTo(): Promise<void> {
    return Promise.reject(new StoreError('a store in Redis is not copied by its nodes: back up Redis itself'))
  }

  async close(): Promise<void> {
    await this.#commits.close()
    for (const timer of this.#timers) clearInterval(timer)
    const connection = this.#link.connection
    if (connection) await this.nodes.leave(connection).catch(this.#onFault)
    await this.abandon()
  }

  /** Ends the connections. */
  async abandon(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#requests.close()
    this.#reader.close()
    await Promise.all([this.#link.close(), this.#readLink.close()])
  }

  #sources(): WordSources {
    return {
      wants: (log) => this.outbox.watches(log),
      receivers: this.queue.receivers(),
      cutAt: (topic, cuts) => this.#retained.cutAt(topic, cuts),
      generation: generationAt(this.#now(), this.#dedupeDays),
    }
  }

  async #send(words: readonly Word[], heard: (reply: Buffer) => void): Promise<void> {
    const { queueMessages, queueBytes } = this.#limits
    const seen = String(this.#sequence.reached)
    const request = String(++this.#request)
    // It may begin anew under another number until there is a connection.
    const complete = (isCluster: boolean): Word[] => [
      this.#keys.prefix,
      String(this.nodes.self),
      request,
      seen,
      String(this.#now()),
      isCluster ? 'SPUBLISH' : 'PUBLISH',
      String(queueMessages),
      String(queueBytes),
      ...words,
    ]
    try {
      await this.#requests.send(complete, heard)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#onFault(error)
      this.#failing = true
      this.#failed(error as StoreError)
      throw error
    }
  }

  /** After a request that failed. */
  #failed(error: StoreError): void {
    if (error instanceof Unanswered) {
      this.#isUncertain = true
      this.#link.connection?.close('a request has no answer')
    } else if (MUST_BEGIN.test(error.message)) this.#begin(error)
  }

  /** Applies a commit to memory, then tells who follows. */
  #follow(commit: Committed): void {
    const { changes, events, queued, local = null } = commit
    this.position = Math.max(this.position, commit.position)
    for (const follower of this.#followers) this.#guard(() => follower.apply(this.position, changes))
    this.queue.apply(queued, local)
    for (const event of events) this.outbox.apply(event)
    this.log.apply(events)
  }

  /** Says that this node is there, and checks that it heard of all commits: on the one connection the reply comes behind all that was told before. */
  async #beat(): Promise<void> {
    const connection = this.#link.connection
    if (!connection || this.#beating) return
    this.#beating = true
    try {
      this.queue.remind()
      let last = 0
      let isShorter = false
      const asked = this.#server.now()
      const askedAt = performance.now()
      // Only the answer tells of a commit of this node's own, and what is sent from now on is answered later.
      const owes = this.#requests.owes(connection)
      await this.nodes.beat(connection, ({ commit }, time) => {
        last = commit
        isShorter = commit < this.#sequence.reached
        this.#server.heardClock(time, asked)
      })
      if (this.#server.refusal !== null) await this.#server.check(connection)
      if (this.#server.refusal === null) this.#requests.resume()
      // Who has read ahead by now, or loads memory, lets it go on; what is missing then is found the next time.
      const waits = owes || this.#sequence.isHeld
      if (last > this.#sequence.reached && !waits) await this.#repair(last)
      else if (isShorter) connection.close('it has fewer commits than it had')
      if (last <= this.#sequence.reached && !isShorter) this.#confirm(askedAt)
    } catch (error) {
      if (MUST_BEGIN.test((error as StoreError).message)) this.#begin(error as StoreError)
      else if (!connection.ended) this.#onFault(error)
    } finally {
      this.#beating = false
    }
  }

  onFresh(listener: () => void): void {
    this.#onFresh.push(listener)
  }

  /** @param at Monotonic ms */
  #confirm(at: number): void {
    this.#confirmedAt = at
    this.#checkFresh()
  }

  #checkFresh(): void {
    const fresh = performance.now() - this.#confirmedAt < FRESH
    if (fresh === this.fresh) return
    this.fresh = fresh
    if (fresh) for (const listener of this.#onFresh) this.#guard(listener)
  }

  /** Reads what was missed up to a commit. */
  async #repair(last: number): Promise<void> {
    this.counts.gaps++
    this.counts.lastGap = this.#now()
    const release = this.#sequence.hold()
    try {
      const missed = await this.#journal.between(this.#sequence.reached, last)
      if (!missed) return await this.#loadAt({ commit: last, position: this.position })
      for (const commit of missed) this.#follow(commit)
      await this.log.repair()
      this.#sequence.jumpTo(last)
    } finally {
      release()
    }
  }

  #commitOps(ops: readonly UpkeepOp[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled: Change['settled'] = (error) => (error ? reject(error) : resolve())
      this.#commits.add({ drafts: [], ops: ops as never, settled })
    })
  }

  #guard(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#onFault(error)
    }
  }
}
