/** A second memory of the records of a store, as another node would have it: it can be made to hear of changes late. */
import { withRecords } from '../../broker/store/directory/with-records.js'
import type { Store, StorePort } from '../../broker/store/store.js'
import type { TableFollower } from '../../broker/store/tables.js'

export interface SecondMemory {
  /** The same store, with records and transactions of its own. */
  readonly store: Store
  /** Changes are held back until `release`. */
  hold(): void
  release(): void
}

export async function secondMemory(store: Store): Promise<SecondMemory> {
  let held: (() => void)[] | null = null
  const follow: StorePort['follow'] = (follower: TableFollower) =>
    store.follow({
      load: (tables) => follower.load(tables),
      apply: (position, changes) => {
        if (held) held.push(() => follower.apply(position, changes))
        else follower.apply(position, changes)
      },
    })
  const own: Record<PropertyKey, unknown> = { follow }
  const port = new Proxy(store, {
    get: (target, name) => {
      if (name in own) return own[name]
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (_, name, value) => {
      own[name as string] = value
      return true
    },
  })
  return {
    store: await withRecords(port),
    hold: () => {
      held ??= []
    },
    release: () => {
      const all = held ?? []
      held = null
      for (const one of all) one()
    },
  }
}
