import { isDeepStrictEqual } from 'node:util'
import { ROLE } from '../../schemas/announcement.js'
import { Refusal } from '../../schemas/errors.js'
import { isNewAccountName, USER_NAMES } from '../../schemas/ids.js'
import type { Draft } from '../store/changes.js'
import type { Op } from '../store/op.js'
import { namesOf, personBehind, topicOfOwned } from '../store/persons.js'
import { serverEvents } from '../store/server-events.js'
import type { Store } from '../store/store.js'
import { roomsWithMessagesOf } from '../store/touched-rooms.js'
import type { Decision, Transaction } from '../store/transaction.js'
import type { Suspension, UserRecord } from '../store/users.js'
import { versionOf } from './account-version.js'
import type { Identity } from './identity.js'
import type { Passwords } from './passwords.js'
import { newAccountId } from './secrets.js'

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

type StoreOfAccounts = Pick<Store, 'transact' | 'directory' | 'outbox'>

/** Decides, together with a new account, what else is written with it. @throws Refusal */
export type Along = (tx: Transaction) => readonly Op[] | Promise<readonly Op[]>

/** Refuses what an account is changed by, on what is there when it is changed. @throws Refusal */
export type Allow = (tx: Transaction) => void | Promise<void>

/** Decisions about an account and its credentials are made one after another. */
export function accountKey(user: string): string {
  return `account ${user.toLowerCase()}`
}

/**
 * The user accounts: registration, passwords, roles, suspension, removal. Methods that cannot do it reject with a
 * `Refusal`.
 */
export class Accounts {
  readonly #store: StoreOfAccounts
  readonly #passwords: Passwords
  readonly #now: () => number

  constructor(store: StoreOfAccounts, passwords: Passwords, now: () => number = Date.now) {
    this.#store = store
    this.#passwords = passwords
    this.#now = now
  }

  /** @param password null for a user that logs in by token only. */
  async add(id: string, password: string | null, roles: readonly string[] = []): Promise<Account> {
    return toAccount(await this.create(id, password, roles))
  }

  /** The same, with other records. @param key Orders decisions, see `Store.transact` */
  async create(
    id: string,
    password: string | null,
    roles: readonly string[] = [],
    along: Along = () => [],
    key = accountKey(id),
  ): Promise<UserRecord> {
    const hashed = this.#hashing(id, password)
    const { value } = await this.#store.transact(key, async (tx) => {
      checkName(id)
      checkRoles(roles)
      await refuseTaken(tx, id)
      const record = { id, roles: [...new Set(roles)], passwordHash: await hashed(), createdAt: this.#now() }
      return this.#creation(tx, record, await along(tx))
    })
    return value
  }

  /** Revokes everything issued to the user before. */
  setPassword(id: string, password: string, allow: Allow = () => {}): Promise<UserRecord> {
    const hashed = this.#hashing(id, password)
    return this.#decide(id, async (tx) => {
      await allow(tx)
      const record = await existing(tx, id)
      return this.#revocation(tx, { ...record, passwordHash: await hashed() })
    })
  }

  /** Revokes everything issued to the user until now, except API keys. */
  async voidTokens(id: string, allow: Allow = () => {}): Promise<void> {
    await this.#decide(id, async (tx) => {
      await allow(tx)
      return this.#revocation(tx, await existing(tx, id))
    })
  }

  /** Replaces the user's roles. */
  async setRoles(id: string, roles: readonly string[]): Promise<Account> {
    checkRoles(roles)
    return this.#change(id, (record) => ({ ...record, roles: [...new Set(roles)] }))
  }

  /**
   * Blocks logins of the user until `resume`; the user's data stays. For a suspended user it only replaces `by` and
   * `reason`.
   */
  suspend(id: string, by: string, reason: string | null): Promise<Account> {
    return this.#change(id, (record) => ({ ...record, suspended: { at: this.#now(), by, reason } }))
  }

  resume(id: string): Promise<Account> {
    return this.#change(id, ({ suspended: _, ...record }) => record)
  }

  /** Rejects with a refusal if there is no such account. */
  async get(id: string): Promise<Account> {
    return toAccount(await existing(this.#store, id))
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
  remove(id: string, messages: 'erased' | 'kept' = 'erased', allow: Allow = () => {}): Promise<string[]> {
    return this.#decide(id, async (tx) => {
      await allow(tx)
      await existing(tx, id)
      const { directory, accounts } = tx
      const at = this.#now()
      const gone = [id, ...ownedUsers(tx, id)]
      const person = personBehind(directory, id)
      const profiles = await Promise.all(gone.map((user) => directory.profile(user)))
      const ops = gone.flatMap((user, i) => [
        // Not guarded: the erasure looks for rooms again.
        accounts.removalOp({
          user,
          at,
          rooms: messages === 'erased' ? roomsWithMessagesOf(this.#store.directory, user) : null,
          person,
        }),
        ...directory.deleteUserOps(user, at, profiles[i]!),
      ])
      return { drafts: this.#told('user.removed', gone), ops, value: gone }
    })
  }

  async *list(): AsyncIterable<Account> {
    for await (const record of this.#store.directory.users()) yield toAccount(record)
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
    return this.#decide(id, async (tx) => {
      checkName(id)
      const made = await tx.directory.user(id)
      if (made) return { value: made }
      await refuseTaken(tx, id)
      return this.#creation(tx, { id, roles: [...roles], passwordHash: null, createdAt: this.#now() })
    })
  }

  /**
   * The user linked to an external identity, created when first seen. Rejects with a refusal (`forbidden`) if the
   * account belongs to somebody else; an account without a link is linked if `adopt` is set. If the identity has roles,
   * they replace those of the account.
   */
  async link({ user, external, roles }: Identity, adopt: boolean): Promise<UserRecord> {
    return this.#decide(user, async (tx) => {
      const record = await tx.directory.user(user)
      if (!record) {
        checkName(user)
        await refuseTaken(tx, user)
        const made = { id: user, roles: [...(roles ?? [])], passwordHash: null, createdAt: this.#now(), external }
        return this.#creation(tx, made)
      }
      if (record.external !== external && (record.external !== undefined || !adopt))
        throw new Refusal('forbidden', `the account ${user} belongs to someone else`)
      return changed(tx, record, { ...record, external, roles: roles === null ? record.roles : [...roles] })
    })
  }

  async #change(id: string, change: (record: UserRecord) => UserRecord): Promise<Account> {
    const after = await this.#decide(id, async (tx) => {
      const record = await existing(tx, id)
      return changed(tx, record, change(record))
    })
    return toAccount(after)
  }

  /** Tokens issued to an earlier account of the same name stay void. */
  async #creation(tx: Transaction, made: UserRecord, along: readonly Op[] = []): Promise<Decision<UserRecord>> {
    const removedAt = await tx.directory.removedAt(made.id)
    const record = { ...made, accountId: newAccountId(), ...(removedAt > 0 && { tokensValidFrom: removedAt }) }
    const drafts = this.#told('user.registered', [record.id])
    return { drafts, ops: [...tx.directory.userOps(record), ...along], value: record }
  }

  /** Logins and password resets are void by the number of revocations alone; their records are not needed any more. */
  async #revocation(tx: Transaction, before: UserRecord): Promise<Decision<UserRecord>> {
    const { id } = before
    const record = { ...before, tokensValidFrom: this.#now(), revocations: versionOf(before).revocations + 1 }
    const all = await this.#store.directory.credentials(id)
    const revoked = all.filter(({ kind }) => kind === 'login' || kind === 'reset')
    const ops = revoked.map((one) => tx.directory.deleteCredentialOp(id, one.id))
    return { ops: [...tx.directory.userOps(record), ...ops], value: record }
  }

  #told(type: 'user.registered' | 'user.removed', users: readonly string[]): Draft[] {
    return users.flatMap((user) => serverEvents(this.#store, { type, user }))
  }

  /** A hash that is made when it is first asked for, and once. */
  #hashing(id: string, password: string | null): () => Promise<string | null> {
    let hashed: Promise<string> | undefined
    return async () => (password === null ? null : (hashed ??= this.#passwords.hash(password, { place: '', name: id })))
  }

  async #decide<T>(id: string, decide: (tx: Transaction) => Promise<Decision<T>>): Promise<T> {
    return (await this.#store.transact(accountKey(id), decide)).value
  }
}

async function existing({ directory }: Pick<Store, 'directory'>, id: string): Promise<UserRecord> {
  const record = await directory.user(id)
  if (!record) throw new Refusal('not_found', `there is no user ${id}`, { field: 'user' })
  return record
}

async function refuseTaken(
  { directory, accounts }: Pick<Transaction, 'directory' | 'accounts'>,
  id: string,
): Promise<void> {
  const taken = await directory.userLike(id)
  if (!taken && (await accounts.removal(id)))
    throw new Refusal('conflict', `what ${id} left is being erased; try again later`, { field: 'user' })
  if (!taken) return
  const why =
    taken.id === id ? `the user ${id} exists` : `the user ${taken.id} exists; names may not differ only by case`
  throw new Refusal('conflict', why, { field: 'user' })
}

/** The decision to replace a record, if it is another. */
function changed({ directory }: Transaction, before: UserRecord, after: UserRecord) {
  const ops = isDeepStrictEqual(before, after) ? [] : directory.userOps(after)
  return { ops, value: after }
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
function ownedUsers(tx: Transaction, user: string): string[] {
  const names = [...namesOf(tx.directory, user)]
  for (const name of names) tx.topic(topicOfOwned(name))
  return names.filter((name) => name !== user)
}
