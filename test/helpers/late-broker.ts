/** A broker that hears late of what another node does on the same store. */
import type { Test } from 'tap'
import { Accounts } from '../../broker/auth/accounts.js'
import type { BrokerOptions } from '../../broker/broker.js'
import { SingleNode } from '../../broker/store/nodes.js'
import type { Overrides } from './broker.js'
import { memoryStore } from './memory-store.js'
import { roomsOn } from './other-node.js'
import { people } from './rooms.js'
import { secondMemory } from './two-memories.js'

/** `late`: of the broker; the other node is always up to date. */
export async function latePeople<N extends string>(
  t: Test,
  names: N[],
  overrides: Overrides = {},
  options: Pick<BrokerOptions, 'hooks' | 'screens'> = {},
) {
  const store = await memoryStore(t)
  const late = await secondMemory(store)
  const broker = await people(t, names, overrides, {
    ...options,
    opened: { store: late.store, nodes: new SingleNode() },
  })
  const other = { ...roomsOn(store), accounts: new Accounts(store, null as never) }
  return { ...broker, late, other }
}
