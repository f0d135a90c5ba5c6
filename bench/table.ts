/** The table that `npm run bench` prints, a row as soon as it is measured. */
import { figure, ratio } from './figures.js'
import { LOAD_LIMIT, type Row, type Suite } from './suite.js'

const CELL = 30
const PEER = 12
const GAP = 3

export function printHeader({ name, title, columns }: Suite): void {
  const labels = columns.map(({ label }) => label.padStart(widthOf(label)))
  console.log(`\n${name}: ${title}\n`)
  console.log(`${''.padEnd(CELL + PEER)}${labels.join('')}   TopicTalk is better by`)
}

/** `ours`: TopicTalk in the same cell. */
export function printRow(suite: Suite, row: Row, ours: Row | undefined): void {
  const figures = suite.columns.map((column) => figure(row.values[column.key], column).padStart(widthOf(column.label)))
  const better = ours && ours !== row ? ratio(suite, ours, row) : null
  const ends = [better === null ? '' : `${better.toFixed(2)} ×`, warning(row)].filter(Boolean)
  console.log(`${row.cell.padEnd(CELL)}${row.peer.padEnd(PEER)}${figures.join('')}   ${ends.join('   ')}`.trimEnd())
}

export function printMissing(cell: string, peer: string): void {
  console.log(`${cell.padEnd(CELL)}${peer.padEnd(PEER)}   not installed`)
}

export function printFailed(cell: string, peer: string, error: unknown): void {
  console.log(`${cell.padEnd(CELL)}${peer.padEnd(PEER)}   failed: ${error instanceof Error ? error.message : error}`)
}

/** Where the load may have been the bottleneck. */
export function warning({ values }: Row): string {
  return (values['loadShare'] ?? 0) > LOAD_LIMIT ? 'the load was near its limit' : ''
}

function widthOf(label: string): number {
  return Math.max(label.length, 7) + GAP
}
