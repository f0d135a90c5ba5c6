/** What a disturbance does to those who have no part in it: their latency before and during it, and the broker's memory. */
import { Histogram } from './histogram.js'
import type { Column, Values } from './suite.js'
import { quantiles } from './suites/latency.js'

/** What the paced members of a cell report. */
interface Paced {
  readonly latencies: Parameters<Histogram['add']>[0]
  readonly expected: number
}

/** `words` name the two: `['before', 'after']`. */
export const disturbedColumns = ([calm, disturbed]: readonly [string, string]): readonly Column[] => [
  { key: 'p99Before', label: `p99 ${calm}`, unit: 'milliseconds' },
  { key: 'p99', label: `p99 ${disturbed}`, unit: 'milliseconds' },
  { key: 'change', label: 'change', unit: 'share' },
  { key: 'lost', label: 'not delivered', unit: 'share' },
]

export const GROWN: Column = { key: 'grown', label: 'RSS grown by', unit: 'bytes' }

export function disturbedValues(before: Paced, after: Paced): Values {
  const latencies = new Histogram().add(after.latencies)
  const { p99: p99Before } = quantiles(new Histogram().add(before.latencies))
  const { p99 } = quantiles(latencies)
  return { p99Before, p99, change: p99 / p99Before - 1, lost: 1 - latencies.total / after.expected }
}
