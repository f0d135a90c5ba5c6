/** `topictalk status`: the nodes that share the store, and how this one stands. */
import { setTimeout as delay } from 'node:timers/promises'
import { callAdmin } from '../admin/control-socket.js'
import type { Status } from '../admin/status.js'
import { printJson, printLine } from './output.js'
import { CommandError } from './report.js'
import { type ConfigFlags, readConfig } from './settings.js'

/** Ms over which is counted how much is stored. */
const SAMPLE = 1000

export async function printStatus({ json, ...flags }: ConfigFlags & { json?: boolean }): Promise<void> {
  const { dataDir } = readConfig(flags).node
  const first = await ask(dataDir)
  if (json) return printJson(first)
  await delay(SAMPLE)
  for (const line of statusLines(first, await ask(dataDir))) printLine(line)
}

async function ask(dataDir: string): Promise<Status> {
  const answer = await callAdmin(dataDir, 'status')
  if (answer === 'not_running') throw new CommandError(`node.dataDir: no broker runs on ${dataDir}`)
  return answer as Status
}

/** @param before A second earlier */
export function statusLines(before: Status, { self, nodes, store, hindrance, counts }: Status): string[] {
  return [
    `store: ${store}`,
    `state: ${hindrance === null ? 'hears and may write' : hindrance}`,
    ...nodes.map(({ node, name, version, addresses, since, connections }) =>
      [
        `node ${node}: ${name}${node === self ? ' (this)' : ''}`,
        version,
        `${connections} connections`,
        `since ${new Date(since).toISOString()}`,
        ...addresses,
      ].join('  '),
    ),
    ...Object.entries(counts).map(([name, count]) => `${name}: ${countText(name, count, before.counts[name] ?? 0)}`),
  ]
}

function countText(name: string, count: number, before: number): string {
  if (name === 'lastGap') return count === 0 ? 'never' : new Date(count).toISOString()
  return count === before ? String(count) : `${count} (${count - before} in the last second)`
}
