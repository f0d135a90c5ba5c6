/** Writes, as data: they can be sent to another process and applied there. */
import type { Effect } from './effect.js'
import type { Guard } from './guards.js'
import type { LogName } from './log-name.js'
import type { QoS } from './qos.js'
import type { Owner, Table } from './tables.js'

export type Op = TableOp | TouchOp | EffectOp | QueueOp | RetainedOp | LogOp

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

export type QueueOp = EnqueueOp | DequeueOp | DiscardQueueOp

/** Stores a message once, with a reference for each session whose queue takes it. Made by the queue. */
export interface EnqueueOp {
  readonly type: 'enqueue'
  readonly topic: string
  /** The message, encoded by the adapter. */
  readonly packet: Buffer
  readonly bytes: number
  /** Session id of the publisher; null: the broker itself. */
  readonly publisher: string | null
  /** Null: the sessions that match the topic when the change is committed. */
  readonly targets: readonly QueueTarget[] | null
  /**
   * It is a copy of a retained message: taken by a full queue too, and not stored if the retained message of the topic was replaced after all of
   * these cuts.
   */
  readonly copyAt?: readonly number[]
}

export interface QueueTarget {
  readonly sessionId: string
  readonly qos: QoS
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

export type RetainedOp = RetainOp | RetainEntryOp | CutOp

/** Sets or clears the retained message of a topic. Made by the queue. */
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
}

/** Sets the retained message of a topic to the entry that a draft of the same change becomes; does nothing if it is not appended. */
export interface RetainEntryOp {
  readonly type: 'retainEntry'
  readonly topic: string
  /** Index of the draft. */
  readonly draft: number
}

/** Marks a position in the order of queues and retained messages (`RetainedCut`). */
export interface CutOp {
  readonly type: 'cut'
  readonly cut: number
}

export type LogOp = ReadLogOp | DropLogOp

/** All readers have processed the log up to `seq`: removes its mark and their cursors, unless it has grown since or is another incarnation. */
export interface ReadLogOp {
  readonly type: 'readLog'
  readonly log: LogName
  readonly seq: number
  /** Absent: the present one. */
  readonly incarnation?: number
}

/**
 * Removes a log with its entries, notes, dedupe records, mark and cursors: from the commit on it is empty, and its next entry begins another
 * incarnation. What the same change adds to the log is told to followers, and removed with it. Fails all guards of notes of the log, and
 * changes that are to add to the log and were decided before (`Change.asOf`).
 */
export interface DropLogOp {
  readonly type: 'dropLog'
  readonly log: LogName
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

export function dropLog(log: LogName): DropLogOp {
  return { type: 'dropLog', log }
}

export function effectOp(log: LogName, effect: Effect): EffectOp {
  return { type: 'effect', log, effect }
}
