import { type Accounts, belongings } from '../auth/accounts.js'
import type { Bus } from '../store/bus.js'
import type { DirectoryStore } from '../store/store.js'
import type { Members } from './members.js'
import type { Signal } from './signals.js'

export interface RemovalParts {
  readonly accounts: Pick<Accounts, 'remove'>
  readonly directory: Pick<DirectoryStore, 'bots' | 'devices'>
  readonly members: Pick<Members, 'forget'>
  readonly bus: Bus<Signal>
}

/** An account goes with its sessions and memberships, and so do its bots and devices. */
export async function removeAccount(parts: RemovalParts, user: string): Promise<void> {
  const { accounts, directory, members, bus } = parts
  const along = belongings(directory, user)
  await accounts.remove(user)
  for (const gone of [user, ...along]) {
    bus.send({ kind: 'logout', user: gone, forget: true })
    await members.forget(gone)
  }
}
