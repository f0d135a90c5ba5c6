/** Writes. Those of tables are data: they can be sent to another process and applied there. */
import type { Effect } from './effect.js'
import type { Guard } from './guards.js'
import type { LogName } from './log-name.js'
import type { Owner, Table } from './tables.js'

export type Op = TableOp | TouchOp | EffectOp | AdapterOp

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

/** An opaque write, made by one of the adapter's op builders. Commit it once and soon: some reserve their place when they are made. */
export interface AdapterOp {
  readonly type: 'staged'
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
