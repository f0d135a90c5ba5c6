/** Whether a broker may serve, as balancers and supervisors ask. */
import type { Nodes } from '../store/nodes.js'
import type { Store } from '../store/store.js'

export interface HealthDeps {
  readonly store: Pick<Store, 'healthy' | 'hindrance'>
  readonly nodes: Pick<Nodes, 'shared'>
  readonly broker: { readonly closed: boolean }
  readonly drain: { readonly isBegun: boolean }
}

export class Health {
  readonly #deps: HealthDeps

  constructor(deps: HealthDeps) {
    this.#deps = deps
  }

  /** False: it should be started anew. That does not help where the store is elsewhere. */
  get lives(): boolean {
    const { store, nodes, broker } = this.#deps
    return !broker.closed && (nodes.shared || store.healthy)
  }

  /** Why it should get no new clients; null: it may. */
  get hindrance(): string | null {
    const { store, drain } = this.#deps
    return drain.isBegun ? 'the broker is about to stop' : store.hindrance
  }

  get isDraining(): boolean {
    return this.#deps.drain.isBegun
  }
}
