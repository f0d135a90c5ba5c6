/** A second memory of the records of a store, as another node would have it: it can be made to hear of changes late. */
import { setImmediate as roundTrip } from 'node:timers/promises'
import type { Change } from '../../broker/store/changes.js'
import type { Store, StorePort } from '../../broker/store/store.js'
import type { TableFollower } from '../../broker/store/tables.js'
import { storeBeside } from './store-beside.js'

export interface SecondMemory {
  /** The same store, with records and transactions of its own. */
  readonly store: Store
  /** Changes are held back until `release`, or until it catches up. */
  hold(): void
  release(): void
  /** The changes that are held back are lost, and what is stored is read anew. */
  reload(): Promise<void>
}

/** @param parts Of the port, in place of those of `store` */
export async function secondMemory(store: Store, parts: Partial<StorePort> = {}): Promise<SecondMemory> {
  let held: (() => void)[] | null = null
  let position = 0
  const followers: TableFollower[] = []
  const follow: StorePort['follow'] = (follower: TableFollower) => {
    followers.push(follower)
    return store.follow({
      load: (tables) => follower.load(tables),
      apply: (at, changes) => {
        const told = (): void => {
          position = at
          follower.apply(at, changes)
        }
        if (held) held.push(told)
        else told()
      },
    })
  }
  const tell = (): void => {
    for (const one of held?.splice(0) ?? []) one()
  }
  const write = parts.commit ?? ((change: Change) => store.commit(change))
  // As the port says: memory has what was committed here before it settles.
  const commit = (change: Change): void => {
    const { drafts, ops, guards = null, asOf, lazy = false } = change
    const settled: Change['settled'] = (error, ...outcome) => {
      if (!error) tell()
      change.settled(error, ...outcome)
    }
    write({ drafts, ops, guards, asOf, lazy, settled })
  }
  const catchUp = async (): Promise<void> => {
    await (parts.catchUp?.() ?? roundTrip())
    tell()
  }
  const own = {
    ...parts,
    follow,
    commit,
    catchUp,
    get position() {
      return position
    },
  }
  return {
    store: await storeBeside(store, own),
    hold: () => {
      held ??= []
    },
    release: () => {
      tell()
      held = null
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
