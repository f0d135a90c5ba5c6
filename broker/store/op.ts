/** Writes, as data: they can be sent to another process and applied there. */
import type { Effect } from './effect.js'
import type { Guard } from './guards.js'
import type { LogName } from './log-name.js'
import type { QoS } from './qos.js'
import type { StoredSubscription } from './subscription.js'
import type { Owner, Table } from './tables.js'

export type Op = TableOp | TouchOp | EffectOp | SubscribeOp | QueueOp | RetainedOp | ReadLogOp

export type TableOp = PutOp | DeleteOp | ClearOp

/** Sets a record. `wipe`: what was there before leaves the disk within a day. */
export interface PutOp {
  readonly type: 'put'
  readonly table: Table
  readonly key: string
  readonly value: string | Buffer
  readonly wipe?: true
}

/** Removes a record. `wipe`: it also leaves the disk within a day. */
export interface DeleteOp {
  readonly type: 'delete'
  readonly table: Table
  readonly key: string
  readonly wipe?: true
}

/**
 * Removes all records of an owner that are there when the change is committed, those set before by the same change included. `wipe`: they
 * also leave the disk within a day.
 */
export interface ClearOp {
  readonly type: 'clear'
  readonly table: Table
  readonly owner: Owner
  readonly wipe?: true
}

/** Writes nothing, and fails the guards of others on the same (guards.ts). */
export interface TouchOp {
  readonly type: 'touch'
  readonly guard: Guard
}

/** Changes entries of a log without appending one: its notes name target and name, and their value is a text. */
export interface EffectOp {
  readonly type: 'effect'
  readonly log: LogName
  readonly effect: Effect
}

/** Made by `SessionStore.subscribeOps`, from when on the subscription matches. */
export interface SubscribeOp {
  readonly type: 'subscribe'
  readonly sessionId: string
  readonly subscription: StoredSubscription
  /** What it replaces, and is again if the change fails. */
  readonly before: StoredSubscription | null
}

export type QueueOp = EnqueueOp | DequeueOp | DiscardQueueOp

/** Stores a message once, with a reference for each session. Made by the queue, which reserves its number and the room in the queues. */
export interface EnqueueOp {
  readonly type: 'enqueue'
  readonly number: number
  /** The message, encoded by the adapter. */
  readonly packet: Buffer
  readonly bytes: number
  readonly targets: readonly { readonly sessionId: string; readonly qos: QoS }[]
  /** Nothing is stored if the retained message of the topic was replaced after all of these cuts. */
  readonly unlessReplaced?: { readonly topic: string; readonly cuts: readonly number[] }
}

/** Removes one reference; the message goes with the last. */
export interface DequeueOp {
  readonly type: 'dequeue'
  readonly sessionId: string
  readonly number: number
}

export interface DiscardQueueOp {
  readonly type: 'discardQueue'
  readonly sessionId: string
}

export type RetainedOp = RetainOp | CutOp

/** Sets or clears the retained message of a topic. Made by the queue, which reserves what counts for its publisher. */
export interface RetainOp {
  readonly type: 'retain'
  readonly topic: string
  /** The message, encoded by the adapter; null: cleared. */
  readonly packet: Buffer | null
  /** Null: the broker's own. */
  readonly owner: string | null
  readonly bytes: number
  /** Unix ms; 0: never. */
  readonly expiresAt: number
  readonly reserved: { readonly messages: number; readonly bytes: number } | null
}

/** Marks a position in the order of queues and retained messages (`RetainedCut`). */
export interface CutOp {
  readonly type: 'cut'
  readonly cut: number
}

/** All readers have processed the log up to `seq`: removes its mark and their cursors, unless it has grown since. */
export interface ReadLogOp {
  readonly type: 'readLog'
  readonly log: LogName
  readonly seq: number
}

export function put(table: Table, key: string, value: string | Buffer): PutOp {
  return { type: 'put', table, key, value }
}

export function del(table: Table, key: string): DeleteOp {
  return { type: 'delete', table, key }
}

export function wipe(table: Table, key: string): DeleteOp {
  return { type: 'delete', table, key, wipe: true }
}

export function clear(table: Table, owner: Owner): ClearOp {
  return { type: 'clear', table, owner }
}

export function effectOp(log: LogName, effect: Effect): EffectOp {
  return { type: 'effect', log, effect }
}
