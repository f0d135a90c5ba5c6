import { isDeepStrictEqual } from 'node:util'
import { ROLE } from '../../schemas/announcement.js'
import { Refusal } from '../../schemas/errors.js'
import { isNewAccountName, USER_NAMES } from '../../schemas/ids.js'
import { commit } from '../store/commit.js'
import type { DirectoryStore } from '../store/directory.js'
import type { Op } from '../store/op.js'
import { namesOf, personBehind } from '../store/persons.js'
import { serverEvents } from '../store/server-events.js'
import type { Store } from '../store/store.js'
import { roomsWithMessagesOf } from '../store/touched-rooms.js'
import type { Suspension, UserRecord } from '../store/users.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import type { Identity } from './identity.js'
import type { Passwords } from './passwords.js'
import { sameRoles } from './principal.js'

export interface Account {
  id: string
  roles: string[]
  /** False: the user logs in by token only. */
  password: boolean
  /** Unix ms. */
  createdAt: number
  /** Null: not suspended. */
  suspended: Suspension | null
}

type StoreOfAccounts = Pick<Store, 'commit' | 'directory' | 'accounts' | 'outbox'>

/**
 * The user accounts: registration, passwords, roles, suspension, removal. Methods that cannot do it reject with a
 * `Refusal`.
 */
export class Accounts {
  readonly #store: StoreOfAccounts
  readonly #passwords: Passwords
  readonly #now: () => number
  readonly #rolesChanged: (user: string) => void
  /** By lower-case name, so that two changes cannot both find the same name free. */
  readonly #locks = new KeyedMutex()

  /** @param rolesChanged Called with the users whose roles have changed, after the change is stored. */
  constructor(
    store: StoreOfAccounts,
    passwords: Passwords,
    now: () => number = Date.now,
    rolesChanged: (user: string) => void = () => {},
  ) {
    this.#store = store
    this.#passwords = passwords
    this.#now = now
    this.#rolesChanged = rolesChanged
  }

  /**
   * @param password null for a user that logs in by token only.
   * @param along Written in the same commit.
   */
  add(id: string, password: string | null, roles: readonly string[] = [], along: readonly Op[] = []): Promise<Account> {
    return this.#exclusively(id, async () => {
      checkName(id)
      checkRoles(roles)
      await this.#refuseTaken(id)
      const passwordHash = password === null ? null : await this.#passwords.hash(password, { place: '', name: id })
      const record = { id, roles: [...new Set(roles)], passwordHash, createdAt: this.#now() }
      return toAccount(await this.#create(record, along))
    })
  }

  setPassword(id: string, password: string): Promise<void> {
    return this.#exclusively(id, async () => {
      const record = await this.#existing(id)
      const passwordHash = await this.#passwords.hash(password, { place: '', name: id })
      await this.#voidTokens({ ...record, passwordHash })
    })
  }

  /** Voids all tokens issued to the user until now, except API keys. */
  voidTokens(id: string): Promise<void> {
    return this.#exclusively(id, async () => this.#voidTokens(await this.#existing(id)))
  }

  /** Replaces the user's roles. */
  setRoles(id: string, roles: readonly string[]): Promise<Account> {
    return this.#exclusively(id, async () => {
      checkRoles(roles)
      return toAccount(await this.#change(await this.#existing(id), { roles: [...new Set(roles)] }))
    })
  }

  /**
   * Blocks logins of the user until `resume`; the user's data stays. For a suspended user it only replaces `by` and
   * `reason`.
   */
  suspend(id: string, by: string, reason: string | null): Promise<Account> {
    return this.#exclusively(id, async () =>
      toAccount(await this.#change(await this.#existing(id), { suspended: { at: this.#now(), by, reason } })),
    )
  }

  resume(id: string): Promise<Account> {
    return this.#exclusively(id, async () => {
      const record: UserRecord = { ...(await this.#existing(id)) }
      const { suspended } = record
      delete record.suspended
      if (suspended) await this.#write(...this.#store.directory.userOps(record))
      return toAccount(record)
    })
  }

  /** Rejects with a refusal if there is no such account. */
  async get(id: string): Promise<Account> {
    return toAccount(await this.#existing(id))
  }

  /** Accounts whose names begin with `prefix` (ignoring case), after `after`, ordered by name. */
  async page(prefix: string, after: string, limit: number): Promise<Account[]> {
    const { directory } = this.#store
    const ids = await directory.usersLike(prefix, after, limit)
    const records = await Promise.all(ids.map(async (id) => directory.user(id)))
    return records.filter((record) => record !== null).map(toAccount)
  }

  /**
   * Removes an account and the bots and devices it owns, whose keys nobody could revoke any more. Data is erased later,
   * from the removal records; until then the names cannot be taken. Resolves with the removed users. `messages`:
   * whether their messages are erased or kept.
   */
  remove(id: string, messages: 'erased' | 'kept' = 'erased'): Promise<string[]> {
    return this.#exclusively(id, async () => {
      await this.#existing(id)
      const { directory, accounts } = this.#store
      const at = this.#now()
      const gone = [id, ...ownedUsers(directory, id)]
      const person = personBehind(directory, id)
      const ops = gone.map(async (user) => [
        accounts.removalOp({
          user,
          at,
          rooms: messages === 'erased' ? roomsWithMessagesOf(directory, user) : null,
          person,
        }),
        ...directory.deleteUserOps(user, at),
      ])
      await this.#tell('user.removed', gone, (await Promise.all(ops)).flat())
      return gone
    })
  }

  async *list(): AsyncIterable<Account> {
    for await (const record of this.#store.directory.users()) yield toAccount(record)
  }

  async #voidTokens(record: UserRecord): Promise<void> {
    const { directory } = this.#store
    const all = (await directory.credentials(record.id)).filter(({ kind }) => kind === 'login' || kind === 'reset')
    const ended = all.map(({ id }) => directory.deleteCredentialOp(record.id, id))
    await this.#write(...directory.userOps({ ...record, tokensValidFrom: this.#now() }), ...ended)
  }

  /**
   * The user of a valid token, created when first seen. Returns no promise if cached, since every login by token calls
   * it.
   */
  ensure(id: string, roles: readonly string[] = []): UserRecord | Promise<UserRecord> {
    const known = this.#store.directory.user(id)
    if (known !== null && !(known instanceof Promise)) return known
    return this.#findOrCreate(id, roles, known)
  }

  async #findOrCreate(
    id: string,
    roles: readonly string[],
    known: Promise<UserRecord | null> | null,
  ): Promise<UserRecord> {
    const found = await known
    if (found) return found
    return this.#exclusively(id, async () => {
      checkName(id)
      const made = await this.#store.directory.user(id)
      if (made) return made
      await this.#refuseTaken(id)
      return this.#create({ id, roles: [...roles], passwordHash: null, createdAt: this.#now() })
    })
  }

  /**
   * The user linked to an external identity, created when first seen. Rejects with a refusal (`forbidden`) if the
   * account belongs to somebody else; an account without a link is linked if `adopt` is set. If the identity has roles,
   * they replace those of the account.
   */
  link({ user, external, roles }: Identity, adopt: boolean): Promise<UserRecord> {
    return this.#exclusively(user, async () => {
      const record = await this.#store.directory.user(user)
      if (!record) {
        checkName(user)
        await this.#refuseTaken(user)
        return this.#create({
          id: user,
          roles: [...(roles ?? [])],
          passwordHash: null,
          createdAt: this.#now(),
          external,
        })
      }
      if (record.external !== external && (record.external !== undefined || !adopt))
        throw new Refusal('forbidden', `the account ${user} belongs to someone else`)
      return this.#change(record, { external, roles: roles === null ? record.roles : [...roles] })
    })
  }

  async #change(record: UserRecord, change: Partial<UserRecord>): Promise<UserRecord> {
    const changed = { ...record, ...change }
    if (!isDeepStrictEqual(changed, record)) await this.#write(...this.#store.directory.userOps(changed))
    if (!sameRoles(new Set(record.roles), new Set(changed.roles))) this.#rolesChanged(record.id)
    return changed
  }

  async #existing(id: string): Promise<UserRecord> {
    const record = await this.#store.directory.user(id)
    if (!record) throw new Refusal('not_found', `there is no user ${id}`, { field: 'user' })
    return record
  }

  async #refuseTaken(id: string): Promise<void> {
    const taken = await this.#store.directory.userLike(id)
    if (!taken && (await this.#store.accounts.removal(id)))
      throw new Refusal('conflict', `what ${id} left is being erased; try again later`, { field: 'user' })
    if (!taken) return
    const why =
      taken.id === id ? `the user ${id} exists` : `the user ${taken.id} exists; names may not differ only by case`
    throw new Refusal('conflict', why, { field: 'user' })
  }

  /** Creates an account. Tokens issued to an earlier account of the same name stay void. */
  async #create(record: UserRecord, along: readonly Op[] = []): Promise<UserRecord> {
    const { directory } = this.#store
    const removedAt = await directory.removedAt(record.id)
    const made = removedAt === 0 ? record : { ...record, tokensValidFrom: removedAt }
    await this.#tell('user.registered', [made.id], [...directory.userOps(made), ...along])
    return made
  }

  async #tell(type: 'user.registered' | 'user.removed', users: readonly string[], ops: Op[]): Promise<void> {
    const drafts = users.flatMap((user) => serverEvents(this.#store, { type, user }))
    await commit(this.#store, { drafts, ops })
  }

  async #write(...ops: Op[]): Promise<void> {
    await commit(this.#store, { ops })
  }

  #exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.runExclusive(id.toLowerCase(), work)
  }
}

function checkName(id: string): void {
  if (!isNewAccountName(id))
    throw new Refusal('bad_request', `${JSON.stringify(id)} cannot be a user name: ${USER_NAMES}`, { field: 'user' })
}

function checkRoles(roles: readonly string[]): void {
  const bad = roles.find((role) => !ROLE.test(role))
  if (bad !== undefined) throw new Refusal('bad_request', `${JSON.stringify(bad)} is not a role`, { field: 'roles' })
}

function toAccount({ id, roles, passwordHash, createdAt, suspended }: UserRecord): Account {
  return { id, roles: [...roles], password: passwordHash !== null, createdAt, suspended: suspended ?? null }
}

/** The bots and devices of a user, which are removed with the account. */
function ownedUsers(directory: Pick<DirectoryStore, 'bots' | 'devices'>, user: string): string[] {
  return [...namesOf(directory, user)].filter((name) => name !== user)
}
