/** Registration of accounts, and invitations to register. */
import type { Config } from '../../schemas/config.js'
import { Refusal } from '../../schemas/errors.js'
import type { CredentialRecord } from '../store/credentials.js'
import type { Op } from '../store/op.js'
import type { Store } from '../store/store.js'
import type { Transaction } from '../store/transaction.js'
import type { UserRecord } from '../store/users.js'
import { requireSameAccount, versionOf } from './account-version.js'
import { type Accounts, type Allow, accountKey } from './accounts.js'
import { findCredential } from './credentials.js'
import { hashSecret, newCredentialId, newSecret, readSecret, writeSecret } from './secrets.js'
import type { NetworkThrottle } from './throttle.js'

/** Most open invitations of one admin. */
const MAX_INVITES = 1000

export interface RegistrationDeps {
  readonly store: Pick<Store, 'transact'>
  readonly accounts: Pick<Accounts, 'create'>
  /** A function, since the mode can change on reload. */
  readonly mode: () => Config['auth']['registration']
  /** Counts attempts, successful ones too. */
  readonly throttle: NetworkThrottle
}

export interface Registering {
  readonly user: string
  readonly password: string
  readonly invite?: string | undefined
  readonly address: string
}

export class Registration {
  readonly #deps: RegistrationDeps

  constructor(deps: RegistrationDeps) {
    this.#deps = deps
  }

  /** Rejects with a refusal. */
  async register({ user, password, invite, address }: Registering): Promise<UserRecord> {
    const { accounts, throttle } = this.#deps
    const mode = this.#deps.mode()
    if (mode === 'closed') throw new Refusal('forbidden', 'accounts are made by the operator of this broker')
    const retryAfter = await throttle.take(address)
    if (retryAfter > 0)
      throw new Refusal('rate_limited', 'too many accounts were asked for; try again later', { retryAfter })
    if (mode === 'open') return accounts.create(user, password)
    const shown = readSecret('invite', invite ?? '')
    if (!shown) throw notInvited()
    const counted = async (tx: Transaction): Promise<Op[]> => [await countedUse(tx, invite!)]
    return accounts.create(user, password, [], counted, `invitation ${shown.id}`)
  }

  /** @param expiresIn seconds; @param allow checks the right to it */
  async invite(
    by: string,
    uses: number,
    expiresIn: number,
    allow: Allow = () => {},
  ): Promise<{ invite: string; expiresAt: number }> {
    const [id, secret] = [newCredentialId(), newSecret()]
    const { value } = await this.#deps.store.transact(accountKey(by), async (tx) => {
      const { directory } = tx
      await allow(tx)
      const account = await requireSameAccount(directory, { user: by })
      const now = Date.now()
      const open = (await directory.credentials(by)).filter(({ kind }) => kind === 'invite')
      const over = open.filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
      if (open.length - over.length >= MAX_INVITES)
        throw new Refusal('conflict', `${by} has ${MAX_INVITES} open invitations`)
      const expiresAt = now + expiresIn * 1000
      const record: CredentialRecord = {
        ...{ user: by, id, kind: 'invite', hash: hashSecret(secret), previous: null, name: null, uses },
        ...{ accountId: versionOf(account).id, createdAt: now, usedAt: 0, expiresAt },
      }
      const old = over.map((gone) => directory.deleteCredentialOp(by, gone.id))
      return { ops: [...old, directory.credentialOp(record)], value: expiresAt }
    })
    return { invite: writeSecret('invite', { user: by, id, secret }), expiresAt: value }
  }
}

async function countedUse({ directory }: Transaction, invite: string): Promise<Op> {
  const record = (await findCredential(directory, 'invite', invite, Date.now()))?.record
  if (!record) throw notInvited()
  const uses = (record.uses ?? 1) - 1
  const { user, id } = record
  return uses === 0 ? directory.deleteCredentialOp(user, id) : directory.credentialOp({ ...record, uses })
}

function notInvited(): Refusal {
  return new Refusal('forbidden', 'this needs an invitation that is still good', { field: 'invite' })
}
