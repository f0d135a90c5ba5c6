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
import type { RedisChange, UpkeepOp, Word, WordSources } from './commit-words.js'
import { Committer } from './committer.js'
import { newCounts } from './counts.js'
import { DEDUPE_DAYS, generationAt } from './dedupe.js'
import { Freshness } from './freshness.js'
import { Journal } from './journal.js'
import { Keys } from './keys.js'
import { Link, type LinkOptions, NO_CONNECTION } from './link.js'
import { RedisLogs } from './logs.js'
import { NodeMemory } from './node-memory.js'
import { RedisNodes } from './nodes.js'
import { RedisNotes } from './notes.js'
import { RedisOutbox } from './outbox.js'
import { Patience } from './patience.js'
import { RedisQueue } from './queue.js'
import { ReadLink } from './read-link.js'
import { Reader } from './reader.js'
import { RedisTables } from './redis-tables.js'
import { Requests } from './request.js'
import { Retained } from './retained.js'
import { commitScript } from './script.js'
import type { Needs } from './server-check.js'
import { ServerWatch } from './server-watch.js'
import type { Deployment } from './settings.js'
import { Standing } from './standing.js'
import { StoredLogs } from './stored-logs.js'
import { Sweeper } from './sweeper.js'

const CACHE_BYTES = 64 * 1024 * 1024
/** One script holds up all nodes while it runs. */
const GROUP_CHANGES = 1024
const GROUP_BYTES = 1024 * 1024
/** Ms between two looks whether what is in memory counts as up to date. */
const CHECK_EVERY = 100
/** Ms between two checks that nothing was missed, and signs that this node is there. */
const BEAT_EVERY = 500

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

export interface OpenedRedisStore {
  readonly store: Store
  readonly nodes: Nodes
  /** The node is to stop: what it has still to read and write waits for Redis `timeoutMs` altogether where that cannot be reached. */
  hurry(): void
}

/** @throws StoreError with one line that says what is wrong */
export async function openRedisStore(options: RedisStoreOptions): Promise<OpenedRedisStore> {
  const store = new RedisStore(options)
  try {
    await store.begin()
    const { nodes } = store
    return { store: await withRecords(store, options.now), nodes, hurry: () => store.hurry() }
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

  readonly #keys: Keys
  /** Requests and what is told of commits, in their order. */
  readonly #link: Link
  readonly #readLink: ReadLink
  readonly #reader: Reader
  readonly #requests: Requests
  readonly #server: ServerWatch
  readonly #memory: NodeMemory
  readonly #patience: Patience
  readonly #freshness = new Freshness()
  readonly #standing: Standing
  readonly #committer: Committer
  readonly #commits: CommitQueue<RedisChange>
  readonly #retained: Retained
  readonly #sweeper: Sweeper
  readonly #limits: QueueLimits
  readonly #dedupeDays: number
  readonly #onFault: (error: unknown) => void
  readonly #now: () => number
  #request = 0
  #failing = false
  readonly #timers: NodeJS.Timeout[] = []

  constructor(options: RedisStoreOptions) {
    const {
      url,
      tls,
      prefix,
      limits,
      needs,
      timeoutMs = 5000,
      dedupeDays = DEDUPE_DAYS,
      cacheBytes = CACHE_BYTES,
    } = options
    this.#onFault = options.onFault ?? (() => undefined)
    this.#now = options.now ?? Date.now
    this.#limits = limits
    this.#dedupeDays = dedupeDays
    const keys = (this.#keys = new Keys(prefix))
    const link = { url, hashTag: prefix, ...(tls ? { tls } : {}), timeoutMs, onFault: this.#onFault }
    this.#link = new Link({ ...link, name: 'topictalk' })
    this.#readLink = new ReadLink({ ...link, name: 'topictalk-reads' })
    this.#patience = new Patience(timeoutMs)
    const reader = (this.#reader = new Reader(() => this.#readLink.connection, this.#patience))
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
      patience: this.#patience,
      timeoutMs,
      counts: this.counts,
    })
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
    this.#retained = new Retained(reader, keys)
    this.queue = new RedisQueue(reader, keys, this.subscriptions, this.#retained, limits)
    this.outbox = new RedisOutbox(reader, keys)
    this.#memory = new NodeMemory({
      ...{ tables: this.tables, log: this.log, queue: this.queue, retained: this.#retained, outbox: this.outbox },
      ...{
        followers: [slots],
        journal: new Journal(reader, keys),
        counts: this.counts,
        now: this.#now,
        onFault: this.#onFault,
      },
      timeoutMs,
    })
    const { sequence } = this.#memory
    this.#standing = new Standing({
      ...{ nodes: this.nodes, server: this.#server, memory: this.#memory, requests: this.#requests },
      ...{ reads: this.#readLink, freshness: this.#freshness, counts: this.counts, onFault: this.#onFault },
      connection: () => this.#link.connection,
      remind: () => this.queue.remind(),
      logs: () => this.log.known(),
    })
    this.#committer = new Committer({
      sources: () => this.#sources(),
      send: (words, heard) => this.#send(words, heard),
      hear: (commit) => sequence.hear(commit),
      follow: (steps) => this.queue.apply([], steps),
      whenReached: (number) => sequence.whenReached(number),
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
    return this.#freshness.isFresh ? null : 'Redis does not answer'
  }

  get healthy(): boolean {
    return !this.#failing && this.#server.refusal === null
  }

  get pendingSince(): number | null {
    return this.#commits.since
  }

  /** Connects, takes a number among the nodes and loads what is in memory. */
  async begin(): Promise<void> {
    this.#link.onConnect = (connection) => this.#standing.connected(connection)
    await this.#link.start()
    await this.#standing.beat()
    this.#timers.push(setInterval(() => void this.#standing.beat(), BEAT_EVERY).unref())
    this.#timers.push(setInterval(() => this.#freshness.check(), CHECK_EVERY).unref())
  }

  commit(change: Change): void {
    this.#commits.add(change)
  }

  catchUp(): Promise<void> {
    return this.#standing.catchUp()
  }

  follow(follower: TableFollower): Promise<void> {
    return this.#commits.exclusive(() => this.#memory.follow(follower))
  }

  get position(): number {
    return this.#memory.position
  }

  get lastCommit(): number {
    return this.#memory.sequence.reached
  }

  get fresh(): boolean {
    return this.#freshness.isFresh
  }

  onFresh(listener: () => void): void {
    this.#freshness.onFresh(listener)
  }

  copyTo(): Promise<void> {
    return Promise.reject(new StoreError('a store in Redis is not copied by its nodes: back up Redis itself'))
  }

  hurry(): void {
    this.#patience.hurry()
  }

  async close(): Promise<void> {
    this.hurry()
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
    const seen = String(this.#memory.sequence.reached)
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
      this.#standing.failed(error as StoreError)
      throw error
    }
  }

  #commitOps(ops: readonly UpkeepOp[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const settled: Change['settled'] = (error) => (error ? reject(error) : resolve())
      this.#commits.add({ drafts: [], ops, settled })
    })
  }
}
