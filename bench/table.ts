/** The table that `npm run bench` prints, a row as soon as it is measured. */
import type { Cell } from './cells.js'
import type { Result } from './measure.js'

const FIRST = 16
const COLUMN = 24

export function printHeader(
  peers: readonly string[],
  { seconds, payload }: { seconds: number; payload: number },
): void {
  console.log(`Deliveries per CPU-second of the broker; payload ${payload} bytes, ${seconds} s a cell, closed loop.`)
  console.log(
    'In parentheses: share of a core that the broker and the load used. The load is the bottleneck where its share is 100 %.\n',
  )
  console.log(
    `${''.padEnd(FIRST) + peers.map((name) => name.padStart(COLUMN)).join('')}   TopicTalk against the others`,
  )
}

export function printRow({ name }: Cell, row: readonly (Result | null)[]): void {
  const columns = row.map((result) => (result ? figure(result) : 'not installed').padStart(COLUMN)).join('')
  console.log(`${name.padEnd(FIRST) + columns}   ${ratios(row)}`)
}

function figure({ deliveriesPerCpuSecond, brokerCpu, loadCpu, seconds }: Result): string {
  const share = (cpu: number): string => `${Math.round((100 * cpu) / seconds)} %`
  return `${Math.round(deliveriesPerCpuSecond / 1000)}k (${share(brokerCpu)}, ${share(loadCpu)})`
}

function ratios(row: readonly (Result | null)[]): string {
  const [ours, ...others] = row
  if (ours?.peer !== 'TopicTalk') return ''
  return others
    .filter((other) => other !== null && other !== undefined)
    .map(
      ({ peer, deliveriesPerCpuSecond }) =>
        `${(ours.deliveriesPerCpuSecond / deliveriesPerCpuSecond).toFixed(1)} × ${peer}`,
    )
    .join(', ')
}
