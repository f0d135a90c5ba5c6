/** What a client knows of people, unless it is given `people()`, which does the rest. */
import type { CommandParams, CommandResult } from '../../schemas/commands.js'
import { ChatError } from '../base/chat-error.js'
import type { Live } from '../base/live.js'
import type { Store } from '../store/store.js'
import type { Link } from './link.js'

export type Profile = CommandResult<'users.get'>
export type Presence = CommandResult<'users.presence'>['presences'][number]
export type Contact = CommandResult<'contacts.list'>['contacts'][number]
export type Block = CommandResult<'blocks.list'>['blocks'][number]
export type Invitation = CommandResult<'rooms.invited'>['invitations'][number]
export type AccountData = CommandResult<'account.data.get'>
export type Member = Omit<CommandResult<'rooms.members'>['members'][number], 'profile'>

export interface Members {
  /** By user id, as far as they were asked for. */
  readonly list: readonly Member[]
  /** How many there are in the room; null: it is not known yet. */
  readonly count: number | null
  /** Whether there are more than `list` has. */
  readonly more: boolean
}

export interface Users {
  /**
   * Null: it is not known yet, or there is no such user. Asked for while somebody subscribes, with others in one request; and again when it was
   * changed, as far as the presence of the user tells, or after a lost connection when it is older than five minutes.
   */
  profile(user: string): Live<Profile | null>
  /** Null: it is not known, or the user may not see it. Told live while somebody subscribes. */
  presence(user: string): Live<Presence | null>
  /** Sets the status of the user, and whether this client is `away`, which it stays over a lost connection. Rejects with a `ChatError`. */
  setPresence(presence: CommandParams<'users.setPresence'>): Promise<void>
}

export interface Account {
  /** Null: there is none, or it is not known yet. Asked for, and followed, while somebody subscribes. */
  data(name: string): Live<AccountData | null>
  /**
   * Sets it for all clients of the user. `ifVersion`: only if that is its version at present, 0 if there must be none. Rejects with a `ChatError`:
   * `conflict` if it is not.
   */
  set(name: string, value: unknown, options?: { readonly ifVersion?: number }): Promise<void>
}

/** What `sync` says of the user. */
export type Me = CommandResult<'sync'>['me']

export interface People {
  readonly users: Users
  readonly account: Account
  readonly contacts: Live<readonly Contact[]>
  readonly invitations: Live<readonly Invitation[]>
  readonly blocks: Live<readonly Block[]>
  members(room: string): Live<Members>
  moreMembers(room: string): Promise<void>
  /** Reads what the store of the user has, once. */
  open(): void
  /** Resolves when it is kept. Never rejects. */
  told(me: Me): Promise<void>
  /** A request of this name was answered. */
  asked(name: string): void
}

/** `store`: of whoever is logged in. */
export type OpenPeople = (link: Link, store: Pick<Store, 'range' | 'write'>) => People

/** Begins the keys of rows in the table `meta`: lists of the user, by name, as `sync` has told them. */
export const LISTS = 'list'

export function noPeople(): ChatError {
  return new ChatError('not_implemented', 'the client was made without people: createChat({ people: people(), … })')
}
