/** Nodes that serve share groups, and what is stored of these. */
import type { Test } from 'tap'
import { claimOfGroup } from '../../broker/mqtt/shared/group-name.js'
import { nodeOfClaim } from '../../broker/store/session-owners.js'
import type { Store } from '../../broker/store/store.js'
import type { Overrides, TestBroker } from './broker.js'
import { type SharedBroker, startNodes } from './nodes.js'
import { until as untilSaid } from './patience.js'
import { OPEN_ACL, publish } from './protocol.js'
import type { RawClient } from './raw-client.js'

/** Of `$share/workers/jobs/+`, whose members may be of any user. */
export const GROUP = '\u0001workers/jobs/+'
export const OVERRIDES: Overrides = {
  acl: OPEN_ACL,
  rooms: {
    list: [
      { id: 'den', access: 'public' },
      { id: 'hall', access: 'public' },
    ],
  },
}

export interface Node {
  readonly broker: TestBroker
}

export async function modelNodes(t: Test): Promise<[SharedBroker, SharedBroker]> {
  const { one, two } = await startNodes(t, OVERRIDES)
  return [one, two]
}

export const storeOf = ({ broker }: Node): Store => broker.running.store

export async function send(
  from: RawClient,
  first: number,
  count: number,
  qos: 0 | 1 | 2 = 1,
  topic = 'jobs/a',
): Promise<string[]> {
  const sent = Array.from({ length: count }, (_, i) => `job ${first + i}`)
  for (const payload of sent) await publish(from, topic, payload, { qos })
  if (qos === 0) await publish(from, 'barrier')
  return sent
}

/** What is stored of share groups. */
export async function leftovers(node: Node): Promise<string[]> {
  const { tables } = storeOf(node)
  const found: string[] = []
  for (const table of ['owner', 'claimant', 'sessionState', 'subscription'] as const)
    for await (const [key] of tables.entries(table, {}))
      if (key.includes('\u0001')) found.push(`${table} ${JSON.stringify(key)}`)
  return found
}

/** Resolves when the node serves the group. */
export async function served(node: Node): Promise<void> {
  const { store, nodes } = node.broker.running
  await until(() => {
    const owner = store.sessionOwners.owner(claimOfGroup(GROUP))
    return owner !== undefined && nodeOfClaim(owner) === nodes.self
  })
}

/** Says what did not come in the words of the test. */
export function until(is: () => Promise<boolean> | boolean): Promise<void> {
  return untilSaid(String(is), async () => is())
}
