import type { Accounts } from '../auth/accounts.js'
import type { Bus } from '../store/bus.js'
import type { DirectoryStore } from '../store/store.js'
import type { Members } from './members.js'
import type { Signal } from './signals.js'

export interface RemovalParts {
  readonly accounts: Pick<Accounts, 'remove'>
  readonly directory: Pick<DirectoryStore, 'bots'>
  readonly members: Pick<Members, 'forget'>
  readonly bus: Bus<Signal>
}

/** An account goes with its sessions and memberships, and so do its bots. */
export async function removeAccount(parts: RemovalParts, user: string): Promise<void> {
  const { accounts, directory, members, bus } = parts
  const bots = directory.bots.ofOwner(user).map(({ bot }) => bot)
  await accounts.remove(user)
  for (const gone of [user, ...bots]) {
    bus.send({ kind: 'logout', user: gone, forget: true })
    await members.forget(gone)
  }
}
