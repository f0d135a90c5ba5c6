/** A benchmark: what it measures of a broker, cell by cell, and how its figures are shown. */
import type { Peer } from './peers/peer.js'

export interface Options {
  /** Measured in a cell. */
  readonly seconds: number
  /** Sizes are multiplied by this: 1 is what the design names. */
  readonly scale: number
  /** Processes that make the load, where it can be split. */
  readonly workers: number
  readonly rooms?: number
  readonly members?: number
  readonly window?: number
}

export type Values = Readonly<Record<string, number>>

export interface Column {
  readonly key: string
  readonly label: string
  readonly unit: 'count' | 'seconds' | 'milliseconds' | 'bytes' | 'share' | 'microseconds'
}

/** A cell of a suite as it is run; null where the broker is not installed. */
export interface Task {
  readonly cell: string
  measure(peer: Peer): Promise<Values | null>
}

export interface Suite {
  readonly name: string
  readonly title: string
  readonly columns: readonly Column[]
  /** The figure that ratios and plots are made of. */
  readonly main: { readonly key: string; readonly better: 'more' | 'less' }
  /** The brokers that can do it; without this, all. */
  readonly peers?: readonly Peer[]
  tasks(options: Options): readonly Task[]
}

export interface Row {
  readonly suite: string
  readonly cell: string
  readonly peer: string
  readonly values: Values
}

/** Of most suites: how much of a core the broker and the load used. The load is the bottleneck where its share is near one core. */
export const SHARES: readonly Column[] = [
  { key: 'brokerShare', label: 'broker CPU', unit: 'share' },
  { key: 'loadShare', label: 'load CPU', unit: 'share' },
]

/** So many clients, in rooms that are full; at least one room. */
export function inWhole(perRoom: number, clients: number): number {
  return perRoom * Math.max(1, Math.round(clients / perRoom))
}

/** Above this share of a core a load process may have held the broker back. */
export const LOAD_LIMIT = 0.8
