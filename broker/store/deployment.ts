/** What names a deployment for as long as its store lives, on all nodes, and wherever the store is moved to. */
import { randomBytes } from 'node:crypto'
import type { Store } from './store.js'

/** The same for every caller; given when it is first asked for. */
export async function deploymentId(store: Pick<Store, 'transact'>): Promise<string> {
  const { value } = await store.transact('deployment', async ({ directory }) => {
    const known = await directory.deployment()
    if (known !== null) return { value: known }
    const given = randomBytes(16).toString('hex')
    return { ops: [directory.deploymentOp(given)], value: given }
  })
  return value
}
