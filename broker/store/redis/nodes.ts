/**
 * The nodes that share the store. Each has a number that no other ever had, and says in short intervals that it is there; one that is silent for longer
 * than its lease is removed by the others, and its requests are refused from then on (lua/commit.lua). The server's clock decides.
 */
import { randomUUID } from 'node:crypto'
import { StoreError } from '../changes.js'
import type { LogInfo } from '../logs.js'
import type { NodeMessage, Nodes } from '../nodes.js'
import { BLOCK_ENTRIES } from './entry-codec.js'
import type { Keys } from './keys.js'
import type { Connection } from './link.js'
import { scriptNamed } from './script.js'

/** Of what is stored. A node of another one is refused. */
const FORMAT = '1'
/** Ms for which a node counts as there without a word of it. */
const LEASE = 5000
const JOIN = scriptNamed('join')
const LEAVE = scriptNamed('leave')
const BEAT = scriptNamed('beat')
const LOST = scriptNamed('lost')
const TELL = scriptNamed('tell')

/** What the store said to a node that is there. */
export interface Beat {
  /** The last commit of any node. */
  readonly commit: number
  readonly position: number
}

export interface Loss {
  /** Commits that are lost; 0 also if another node has said so. */
  readonly lost: number
  /** Logs that are shorter than this node knew them. */
  readonly shorter: number
}

export class RedisNodes implements Nodes {
  readonly shared = true
  /** 0: it has none. */
  self = 0
  epoch = ''
  readonly #keys: Keys
  readonly #connection: () => Connection | null
  readonly #onFault: (error: unknown) => void
  #alive: ReadonlySet<number> = new Set()
  /** From when on this node can tell that others are silent: after an outage all are. */
  #hearsSince = 0
  readonly #gone: ((node: number) => void)[] = []
  readonly #lost: (() => void)[] = []
  readonly #listeners: ((from: number, message: NodeMessage) => void)[] = []

  constructor(keys: Keys, connection: () => Connection | null, onFault: (error: unknown) => void) {
    this.#keys = keys
    this.#connection = connection
    this.#onFault = onFault
  }

  alive(): ReadonlySet<number> {
    return this.#alive
  }

  onGone(listener: (node: number) => void): void {
    this.#gone.push(listener)
  }

  onLost(listener: () => void): void {
    this.#lost.push(listener)
  }

  listen(listener: (from: number, message: NodeMessage) => void): void {
    this.#listeners.push(listener)
  }

  send(to: number | null, message: NodeMessage): void {
    const connection = this.#connection()
    if (!connection) return
    const text = JSON.stringify([this.self, message], asText)
    const publish = connection.isCluster ? 'SPUBLISH' : 'PUBLISH'
    // The store knows of nodes that this one has not heard of yet.
    const sending =
      to === null
        ? connection.script(TELL, [this.#keys.meta], [this.#keys.prefix, String(this.self), text, publish])
        : connection.call(publish, [this.#keys.mail(to), text])
    sending.catch((error) => {
      if (!connection.ended) this.#onFault(error)
    })
  }

  /** Takes a number, unless it has one, and listens to what it is told. */
  async begin(connection: Connection, heard: (commit: Buffer) => void): Promise<void> {
    if (this.self === 0) this.self = Number((await this.#join(connection, ''))[0])
    await connection.subscribe(this.#keys.mail(this.self), (text) => this.#receive(text))
    await connection.subscribe(this.#keys.node(this.self), heard)
  }

  /** From now on it is told of commits, and may make some. */
  async enter(connection: Connection): Promise<Beat> {
    const [, commit, position, epoch, ...nodes] = await this.#join(connection, String(this.self))
    this.epoch = epoch!
    this.#learn(new Set(nodes.map(Number)))
    this.#hearsSince = performance.now()
    return { commit: Number(commit), position: Number(position) }
  }

  /**
   * Says that it is there. `heard` is called in the order of what is told of commits.
   * @throws StoreError FENCED if it was removed
   */
  async beat(connection: Connection, heard: (beat: Beat) => void): Promise<void> {
    const mayRemove = performance.now() - this.#hearsSince > LEASE
    const args = [this.#keys.prefix, String(this.self), String(LEASE), mayRemove ? '1' : '0']
    await connection.script(BEAT, [this.#keys.meta], args, (reply) => {
      const [commit, position, ...nodes] = (reply as Buffer[]).map(Number) as [number, number, ...number[]]
      this.#learn(new Set(nodes))
      heard({ commit, position })
    })
  }

  /**
   * The store has fewer commits than this node has heard of: a new epoch begins.
   * @param logs As this node knows them: those that are shorter now begin another life
   * @param seen The last commit it heard of
   */
  async lose(connection: Connection, before: string, seen: number, logs: Iterable<LogInfo>): Promise<Beat & Loss> {
    const words = [this.#keys.prefix, before, randomUUID(), String(seen), String(BLOCK_ENTRIES)]
    for (const { name, incarnation, head } of logs) words.push(name, String(incarnation), String(head))
    const reply = (await connection.script(LOST, [this.#keys.meta], words)) as Buffer[]
    const [epoch, commit, position, lost, renewed] = reply.map(String) as [string, string, string, string, string]
    this.epoch = epoch
    return { commit: Number(commit), position: Number(position), lost: Number(lost), shorter: Number(renewed) }
  }

  /** It was removed. It takes another number with the next connection. */
  end(): void {
    this.self = 0
    for (const listener of this.#lost) listener()
  }

  async leave(connection: Connection): Promise<void> {
    await connection.script(LEAVE, [this.#keys.meta], [this.#keys.prefix, String(this.self)])
  }

  #learn(nodes: ReadonlySet<number>): void {
    const before = this.#alive
    this.#alive = nodes
    for (const node of before) if (!nodes.has(node)) for (const listener of this.#gone) listener(node)
  }

  #receive(text: Buffer): void {
    const [from, message] = JSON.parse(text.toString(), fromText) as [number, NodeMessage]
    for (const listener of this.#listeners) listener(from, message)
  }

  async #join(connection: Connection, number: string): Promise<string[]> {
    const args = [this.#keys.prefix, FORMAT, randomUUID(), number]
    try {
      return ((await connection.script(JOIN, [this.#keys.meta], args)) as Buffer[]).map(String)
    } catch (error) {
      const [, format] = /^FORMAT (.*)$/.exec((error as Error).message) ?? []
      if (format === undefined) throw error
      const why = `what is stored in Redis has format ${format}, which this version of TopicTalk does not know; it knows ${FORMAT}`
      throw new StoreError(why, { cause: error })
    }
  }
}

/** Bytes, sets and maps are not JSON. */
function asText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  if (Buffer.isBuffer(original)) return { $bytes: original.toString('base64') }
  if (original instanceof Set) return { $set: [...original] }
  return value
}

function fromText(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if ('$bytes' in value) return Buffer.from(value.$bytes as string, 'base64')
  return '$set' in value ? new Set(value.$set as unknown[]) : value
}
