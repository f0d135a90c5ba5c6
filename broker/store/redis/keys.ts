/** Names of keys. All of a deployment share one hash tag, so that one script may change any of them, also in a Redis Cluster. lua/ makes the same names. */
import type { LogName } from '../log-name.js'
import type { Owner, Table } from '../tables.js'

export class Keys {
  /** Stands before all others. */
  readonly prefix: string

  /** @param deployment Distinguishes deployments in one Redis */
  constructor(deployment: string) {
    this.prefix = `{${deployment}}`
  }

  get meta(): string {
    return `${this.prefix}meta`
  }

  get nodes(): string {
    return `${this.prefix}nodes`
  }

  /** Of each node, what it is set for. */
  get settings(): string {
    return `${this.prefix}settings`
  }

  /** Of each node, what it says of itself. */
  get facts(): string {
    return `${this.prefix}facts`
  }

  get journal(): string {
    return `${this.prefix}journal`
  }

  /** Channel of what a node is told. */
  node(number: number): string {
    return `${this.prefix}node:${number}`
  }

  /** Channel of what other nodes tell a node. */
  mail(number: number): string {
    return `${this.prefix}mail:${number}`
  }

  /** @param owner Null: of a table whose keys have one part */
  records(table: Table, owner: Owner | null): string {
    return `${this.prefix}t:${table}${owner === null ? '' : `:${owner}`}`
  }

  /** The keys of a table whose keys have one part, or the owners of another. */
  index(table: Table): string {
    return `${this.prefix}i:${table}`
  }

  head(log: LogName): string {
    return `${this.prefix}h:${log}`
  }

  block(log: LogName, incarnation: number, block: number): string {
    return `${this.prefix}l:${incarnation}:${block}:${log}`
  }

  notes(log: LogName, incarnation: number): string {
    return `${this.prefix}n:${incarnation}:${log}`
  }

  noteIndex(log: LogName, incarnation: number): string {
    return `${this.prefix}ni:${incarnation}:${log}`
  }

  /** @param bucket Empty: how the names of all begin; so is `generation`, for those of all generations */
  dedupe(generation: number | '', bucket: number | ''): string {
    return generation === '' ? `${this.prefix}d:` : `${this.prefix}d:${generation}:${bucket}`
  }

  queue(session: string): string {
    return `${this.prefix}q:${session}`
  }

  get logs(): string {
    return `${this.prefix}logs`
  }

  /** When subscriptions to topics of a first level changed last. */
  get subscriptions(): string {
    return `${this.prefix}subscriptions`
  }

  /** Blocks with entries that expire, by hour. */
  get due(): string {
    return `${this.prefix}due`
  }

  /** Logs that were dropped and are still there. */
  get removed(): string {
    return `${this.prefix}removed`
  }

  get marks(): string {
    return `${this.prefix}marks`
  }

  get packets(): string {
    return `${this.prefix}qp`
  }

  /** How many queues have each message. */
  get references(): string {
    return `${this.prefix}qr`
  }

  /** Bytes in each queue. */
  get queuedBytes(): string {
    return `${this.prefix}qb`
  }

  get retained(): string {
    return `${this.prefix}r`
  }

  get retainedTopics(): string {
    return `${this.prefix}ri`
  }

  /** Owner, bytes and position of each retained message. */
  get retainedFacts(): string {
    return `${this.prefix}rf`
  }

  get retainedDue(): string {
    return `${this.prefix}rdue`
  }

  /** Messages of each publisher. */
  get retainedCounts(): string {
    return `${this.prefix}rc`
  }

  /** Bytes of each publisher. */
  get retainedBytes(): string {
    return `${this.prefix}rb`
  }
}
