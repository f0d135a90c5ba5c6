/** What a node says of itself to the others. */
import type { Config } from '../../schemas/config.js'
import type { Listener } from '../net/listener.js'
import type { NodeFacts } from '../store/nodes.js'
import { readVersion } from '../util/version.js'
import { nodeName } from './node-settings.js'

export function nodeFacts(
  { node }: Config,
  broker: { readonly connectedClients: number },
  listeners: readonly Listener[],
): () => NodeFacts {
  const [name, version, since] = [nodeName(node), readVersion(), Date.now()]
  const addresses = listeners.map(({ url }) => url)
  return () => ({ name, version, addresses, since, connections: broker.connectedClients })
}
