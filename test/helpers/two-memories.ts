/** A second memory of the records of a store, as another node would have it: it can be made to hear of changes late. */
import type { Store, StorePort } from '../../broker/store/store.js'
import type { TableFollower } from '../../broker/store/tables.js'
import { storeBeside } from './store-beside.js'

export interface SecondMemory {
  /** The same store, with records and transactions of its own. */
  readonly store: Store
  /** Changes are held back until `release`. */
  hold(): void
  release(): void
  /** The changes that are held back are lost, and what is stored is read anew. */
  reload(): Promise<void>
}

/** @param parts Of the port, in place of those of `store` */
export async function secondMemory(store: Store, parts: Partial<StorePort> = {}): Promise<SecondMemory> {
  let held: (() => void)[] | null = null
  const followers: TableFollower[] = []
  const follow: StorePort['follow'] = (follower: TableFollower) => {
    followers.push(follower)
    return store.follow({
      load: (tables) => follower.load(tables),
      apply: (position, changes) => {
        if (held) held.push(() => follower.apply(position, changes))
        else follower.apply(position, changes)
      },
    })
  }
  return {
    store: await storeBeside(store, { ...parts, follow }),
    hold: () => {
      held ??= []
    },
    release: () => {
      const all = held ?? []
      held = null
      for (const one of all) one()
    },
    reload: async () => {
      for (const follower of followers) {
        const apply = await follower.load(store.tables)
        held = null
        apply()
        follower.apply(store.position, [])
      }
    },
  }
}
