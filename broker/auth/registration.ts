/** Registration of accounts, and invitations to register. */
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import { commit } from '../store/commit.js'
import type { Op } from '../store/op.js'
import type { Store } from '../store/store.js'
import { KeyedMutex } from '../util/keyed-mutex.js'
import type { Accounts } from './accounts.js'
import { findCredential } from './credentials.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import type { LoginThrottle } from './throttle.js'

/** Most open invitations of one admin. */
const MAX_INVITES = 1000

export interface RegistrationDeps {
  readonly store: Pick<Store, 'commit' | 'directory'>
  readonly accounts: Pick<Accounts, 'add'>
  /** A function, since the mode can change on reload. */
  readonly mode: () => Config['auth']['registration']
  /** Counts attempts by address, successful ones too. */
  readonly throttle: LoginThrottle
}

export interface Registering {
  readonly user: string
  readonly password: string
  readonly invite?: string | undefined
  readonly address: string
}

export class Registration {
  readonly #deps: RegistrationDeps
  /** By invitation: each use counts. */
  readonly #locks = new KeyedMutex()

  constructor(deps: RegistrationDeps) {
    this.#deps = deps
  }

  /** Rejects with a refusal. */
  async register({ user, password, invite, address }: Registering): Promise<void> {
    const { accounts, throttle } = this.#deps
    const mode = this.#deps.mode()
    if (mode === 'closed') throw new Refusal('forbidden', 'accounts are made by the operator of this broker')
    const retryAfter = throttle.waitOf(address, '')
    if (retryAfter > 0)
      throw new Refusal('rate_limited', 'too many accounts were asked for; try again later', { retryAfter })
    throttle.failed(address, '')
    if (mode === 'open') await accounts.add(user, password)
    else await this.#byInvite(invite, (op) => accounts.add(user, password, [], [op]))
  }

  /** @param expiresIn seconds */
  async invite(by: string, uses: number, expiresIn: number): Promise<{ invite: string; expiresAt: number }> {
    const { store } = this.#deps
    const now = Date.now()
    const open = (await store.directory.credentials(by)).filter(({ kind }) => kind === 'invite')
    const over = open.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
    if (open.length - over.length >= MAX_INVITES)
      throw new Refusal('conflict', `${by} has ${MAX_INVITES} open invitations`)
    const [id, secret, expiresAt] = [newCredentialId(), newSecret(), now + expiresIn * 1000]
    const record = { user: by, id, kind: 'invite', hash: hashSecret(secret), previous: null, name: null, uses } as const
    const old = over.map((gone) => store.directory.deleteCredentialOp(by, gone.id))
    await commit(store, {
      ops: [...old, store.directory.credentialOp({ ...record, createdAt: now, usedAt: 0, expiresAt })],
    })
    return { invite: writeSecret('invite', { user: by, id, secret }), expiresAt }
  }

  /** Calls `use` with the write that counts the use, to be committed together with the account. */
  async #byInvite(invite: string | undefined, use: (counted: Op) => Promise<unknown>): Promise<void> {
    const shown = readSecret('invite', invite ?? '')
    if (!shown) throw notInvited()
    const { directory } = this.#deps.store
    await this.#locks.runExclusive(shown.id, async () => {
      const record = (await findCredential(directory, 'invite', invite!, Date.now()))?.record
      if (!record) throw notInvited()
      const uses = (record.uses ?? 1) - 1
      const { user, id } = record
      await use(uses === 0 ? directory.deleteCredentialOp(user, id) : directory.credentialOp({ ...record, uses }))
    })
  }
}

function notInvited(): Refusal {
  return new Refusal('forbidden', 'this needs an invitation that is still good', { field: 'invite' })
}
