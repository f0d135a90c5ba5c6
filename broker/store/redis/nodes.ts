/**
 * The nodes that share the store. Each has a number that no other ever had, and says in short intervals that it is there; one that is silent for longer
 * than its lease is removed by the others, and its requests are refused from then on (lua/commit.lua). The server's clock decides.
 */
import { randomUUID } from 'node:crypto'
import { StoreError } from '../changes.js'
import { bytesAsText, bytesFromText } from '../json-bytes.js'
import type { LogInfo } from '../logs.js'
import { HOW_TO_MOVE } from '../moving/move.js'
import type { NodeEntry, NodeFacts, NodeMessage, Nodes } from '../nodes.js'
import { BLOCK_ENTRIES } from './entry-codec.js'
import type { Keys } from './keys.js'
import { type Connection, NO_CONNECTION } from './link.js'
import { textsOf } from './reply-pairs.js'
import { scriptNamed } from './script.js'
import { compareSettings, type Deployment } from './settings.js'

/** Of what is stored. A node of another one is refused. */
export const FORMAT = '1'
/** Of a deployment that is being moved to. */
export const MOVING = 'moving'
/** Ms for which a node counts as there without a word of it. */
export const LEASE = 5000
/** Ms for which no node begins after it was said that the deployment is read as a whole. */
const HELD = 15_000
/** Ms between two times that a node says what it is. */
const FACTS_EVERY = 5000
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

export interface RedisNodesDeps {
  readonly keys: Keys
  /** Null: it is not compared. */
  readonly deployment: Deployment | null
  readonly connection: () => Connection | null
  readonly onFault: (error: unknown) => void
  readonly onWarning: (text: string) => void
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
  readonly #deployment: Deployment | null
  readonly #connection: () => Connection | null
  readonly #onFault: (error: unknown) => void
  readonly #onWarning: (text: string) => void
  latest = 0
  #alive: ReadonlySet<number> = new Set()
  /** The number under which it entered last. */
  #entered = 0
  /** From when on this node can tell that others are silent: after an outage all are. */
  #hearsSince = 0
  /** Of settings, as it was told last. */
  #difference: string | null = null
  #facts: (() => NodeFacts) | null = null
  #factsAt = Number.NEGATIVE_INFINITY
  readonly #gone: ((node: number) => void)[] = []
  readonly #lost: (() => void)[] = []
  readonly #listeners: ((from: number, message: NodeMessage) => void)[] = []

  constructor({ keys, deployment, connection, onFault, onWarning }: RedisNodesDeps) {
    this.#keys = keys
    this.#deployment = deployment
    this.#connection = connection
    this.#onFault = onFault
    this.#onWarning = onWarning
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

  describe(facts: () => NodeFacts): void {
    this.#facts = facts
  }

  async list(): Promise<readonly NodeEntry[]> {
    const connection = this.#connection()
    if (!connection) throw new StoreError(NO_CONNECTION)
    const found = new Map(textsOf(await connection.call('HGETALL', [this.#keys.facts])))
    if (this.#facts) found.set(String(this.self), JSON.stringify(this.#facts()))
    const entries = [...found].map(([node, facts]): NodeEntry => ({ node: Number(node), ...JSON.parse(facts) }))
    return entries.sort((a, b) => a.node - b.node)
  }

  /** Takes a number, unless it has one, and listens to what it is told. */
  async begin(connection: Connection, heard: (commit: Buffer) => void): Promise<void> {
    if (this.self === 0) this.self = Number((await this.#join(connection, ''))[0])
    await connection.subscribe(this.#keys.mail(this.self), (text) => this.#receive(text))
    await connection.subscribe(this.#keys.node(this.self), heard)
  }

  /** From now on it is told of commits, and may make some. @throws StoreError FENCED if it had entered before, and was removed */
  async enter(connection: Connection): Promise<Beat> {
    const [, commit, position, epoch, latest, ...nodes] = await this.#join(connection, String(this.self))
    this.#entered = this.self
    this.epoch = epoch!
    this.#learn(new Set(nodes.map(Number)), Number(latest))
    this.#hearsSince = performance.now()
    this.#factsAt = Number.NEGATIVE_INFINITY
    await this.#compare(connection)
    return { commit: Number(commit), position: Number(position) }
  }

  /**
   * Says that it is there. `heard` is called in the order of what is told of commits, with the time of the store in Unix ms.
   * @throws StoreError FENCED if it was removed
   */
  async beat(connection: Connection, heard: (beat: Beat, time: number) => void): Promise<void> {
    const mayRemove = performance.now() - this.#hearsSince > LEASE
    const args = [this.#keys.prefix, String(this.self), String(LEASE), mayRemove ? '1' : '0', this.#dueFacts()]
    await connection.script(BEAT, [this.#keys.meta], args, (reply) => {
      const [commit = 0, position = 0, time = 0, latest = 0, ...nodes] = (reply as Buffer[]).map(Number)
      this.#learn(new Set(nodes), latest)
      heard({ commit, position }, time)
    })
  }

  /** The last commit of any node. */
  async lastCommit(connection: Connection): Promise<number> {
    return Number(await connection.call('HGET', [this.#keys.meta, 'commit']))
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
    // A store that has lost all may give it the same number again.
    this.self = this.#entered = 0
    this.tellLost()
  }

  /** Nothing that this node had is its own for sure. */
  tellLost(): void {
    for (const listener of this.#lost) listener()
  }

  async leave(connection: Connection): Promise<void> {
    await connection.script(LEAVE, [this.#keys.meta], [this.#keys.prefix, String(this.self)])
  }

  /** @param latest The highest number of those that ever entered: some may have come and gone unheard of */
  #learn(nodes: ReadonlySet<number>, latest: number): void {
    const before = new Set(this.#alive)
    if (this.latest > 0) for (let node = this.latest + 1; node <= latest; node++) before.add(node)
    this.#alive = nodes
    this.latest = latest
    for (const node of before) if (!nodes.has(node)) for (const listener of this.#gone) listener(node)
  }

  #receive(text: Buffer): void {
    const [from, message] = JSON.parse(text.toString(), fromText) as [number, NodeMessage]
    for (const listener of this.#listeners) listener(from, message)
  }

  #dueFacts(): string {
    if (!this.#facts || performance.now() - this.#factsAt < FACTS_EVERY) return ''
    this.#factsAt = performance.now()
    return JSON.stringify(this.#facts())
  }

  async #compare(connection: Connection): Promise<void> {
    if (!this.#deployment) return
    const difference = await compareSettings(connection, this.#keys, this.self, this.#deployment.settings)
    if (difference !== null && difference !== this.#difference) this.#onWarning(difference)
    this.#difference = difference
  }

  async #join(connection: Connection, number: string): Promise<string[]> {
    const args = [this.#keys.prefix, FORMAT, randomUUID(), number, this.#deployment?.secret ?? '', String(HELD)]
    args.push(number !== '' && this.#entered === this.self ? '1' : '')
    try {
      return ((await connection.script(JOIN, [this.#keys.meta], args)) as Buffer[]).map(String)
    } catch (error) {
      throw refusedToJoin(error as Error)
    }
  }
}

function refusedToJoin(error: Error): Error {
  const [, what, format] = /^(FORMAT|SECRET|HELD) (.*)$/.exec(error.message) ?? []
  if (what === undefined) return error
  return new StoreError(what === 'FORMAT' ? formatText(format!) : WHY_REFUSED[what]!, { cause: error })
}

const WHY_REFUSED: Readonly<Record<string, string>> = {
  SECRET:
    'auth.jwt.secret is not the one of the nodes that wrote what is stored in Redis: all nodes need the same, and deployments that share a Redis a store.redis.prefix each',
  HELD: 'topictalk migrate is moving what is stored in Redis to another store: start when it is done, or 15 seconds after it was stopped',
}

/** Why what is stored in Redis is not used. */
export function formatText(format: string): string {
  if (format === MOVING) return `a move to Redis is not complete: ${HOW_TO_MOVE}`
  return `what is stored in Redis has format ${format}, which this version of TopicTalk does not know; it knows ${FORMAT}`
}

/** Sets are not JSON either. */
function asText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const original = this[key]
  return original instanceof Set ? { $set: [...original] } : bytesAsText.call(this, key, value)
}

function fromText(key: string, value: unknown): unknown {
  if (value !== null && typeof value === 'object' && '$set' in value) return new Set(value.$set as unknown[])
  return bytesFromText(key, value)
}
