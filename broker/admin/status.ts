/** The commands `health` and `status`: what an operator asks about a running broker. */
import type { NodeEntry, Nodes } from '../store/nodes.js'
import type { Store } from '../store/store.js'
import type { AdminCommands } from './control-socket.js'

export interface StatusDeps {
  readonly store: Pick<Store, 'about' | 'counts'>
  readonly nodes: Pick<Nodes, 'self' | 'list'>
  readonly health: { readonly lives: boolean; readonly hindrance: string | null; readonly isDraining: boolean }
}

export interface Status {
  /** Number of this node. */
  readonly self: number
  readonly nodes: readonly NodeEntry[]
  readonly store: string
  /** Why it takes no new clients; null: it does. */
  readonly hindrance: string | null
  /** Running totals of the store. */
  readonly counts: Readonly<Record<string, number>>
}

export function statusCommands({ store, nodes, health }: StatusDeps): AdminCommands {
  return {
    health: async () => ({ healthy: health.lives, draining: health.isDraining }),
    status: async (): Promise<Status> => ({
      self: nodes.self,
      // Where the store cannot be asked, `hindrance` says so.
      nodes: await nodes.list().catch(() => []),
      store: store.about,
      hindrance: health.hindrance,
      counts: { ...store.counts },
    }),
  }
}
