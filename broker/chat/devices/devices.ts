/** Devices of users: register, share, remove; device-offers.ts transfers them. Acts on one device run under its lock. */
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Accounts } from '../../auth/accounts.js'
import type { Keys } from '../../auth/keys.js'
import { commit } from '../../store/commit.js'
import type { DeviceMay, DeviceRecord } from '../../store/devices.js'
import type { Store } from '../../store/store.js'
import type { KeyedMutex } from '../../util/keyed-mutex.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { limitedLife } from '../model/api-key-limits.js'
import type { AskLimits } from '../model/ask-limits.js'
import { requireNotBlocked } from '../model/blocks.js'
import { userEvent } from '../model/events.js'
import { addOwned } from '../model/owned-accounts.js'
import { requireReachable } from '../model/privacy.js'
import type { Sanctions } from '../rooms/sanctions.js'
import type { DeviceRules } from './device-rules.js'

/** Maximum number of users with whom a device is shared. */
const MAX_SHARES = 100

export interface DevicesDeps {
  readonly store: Store
  readonly locks: KeyedMutex
  readonly rules: DeviceRules
  readonly accounts: Pick<Accounts, 'create'>
  readonly keys: Pick<Keys, 'create' | 'list' | 'revoke'>
  /** Deletes an account and all its data. */
  readonly remove: (user: string) => Promise<unknown>
  readonly askLimits: AskLimits
  readonly sanctions: Pick<Sanctions, 'expel'>
  readonly options: Config['devices']
  /** A function, because the setting may change. */
  readonly registration: () => Config['auth']['registration']
}

export class Devices {
  readonly #deps: DevicesDeps

  constructor(deps: DevicesDeps) {
    this.#deps = deps
  }

  /** Registers a device, and creates its key. */
  register(actor: Actor, device: string, name: string | null): Promise<{ record: DeviceRecord; key: string }> {
    const { store, locks, accounts } = this.#deps
    const owner = requireUser(actor)
    this.#requireMayRegister(actor)
    return locks.runExclusive(`devices of ${owner}`, async () => {
      const { devices } = store.directory
      const { perUser } = this.#deps.options
      if (!isAdmin(actor) && devices.ownedBy(owner).size >= perUser)
        throw new Refusal('conflict', `you have ${perUser} devices (devices.perUser); remove one first`)
      const record: DeviceRecord = { device, owner, name, createdAt: Date.now() }
      await addOwned(accounts, 'device', device, actor, () => devices.putOp(record))
      return { record, key: await newKey(this.#deps, actor, device) }
    })
  }

  /** Where users cannot register accounts, they cannot register devices either. @throws Refusal `forbidden`. */
  #requireMayRegister(actor: Actor): void {
    const { options, registration, store } = this.#deps
    if (isAdmin(actor)) return
    if (options.register === 'admin' || registration() !== 'open')
      throw new Refusal('forbidden', 'devices are made by admins here (devices.register, auth.registration)')
    const { devices, bots } = store.directory
    const { user } = actor.principal
    if (devices.get(user) || bots.get(user)) throw new Refusal('forbidden', 'a device or a bot makes no devices')
  }

  /** Replaces all keys of the device by a new one. */
  key(actor: Actor, device: string): Promise<string> {
    return this.#asOwner(actor, device, async () => {
      await revokeKeys(this.#deps, device)
      return newKey(this.#deps, actor, device)
    })
  }

  /** Deletes the device with all it published, so that the next device of that name inherits nothing. */
  remove(actor: Actor, device: string): Promise<void> {
    return this.#asOwner(actor, device, async () => {
      await this.#deps.remove(device)
    })
  }

  share(actor: Actor, device: string, user: string, may: DeviceMay): Promise<void> {
    const { store } = this.#deps
    const { shares } = store.directory.devices
    return this.#asOwner(actor, device, async (record) => {
      await requireRecipient(this.#deps, actor, user)
      if (user === record.owner) throw new Refusal('bad_request', `${device} is ${user}'s own`, { field: 'user' })
      const known = shares.get(device, user)
      if (known?.may === may) return
      if (!known && shares.of(device).size >= MAX_SHARES)
        throw new Refusal('conflict', `${device} is shared with ${MAX_SHARES} users already`)
      this.#deps.askLimits.require(actor, user, `device ${device}`)
      const by = requireUser(actor)
      const drafts = [userEvent(user, { type: 'device', device, by, may })]
      await commit(store, { drafts, ops: [shares.putOp({ device, user, may, at: Date.now() })] })
    })
  }

  /** Takes effect at once, because every delivery is checked. */
  unshare(actor: Actor, device: string, user: string): Promise<void> {
    const { store, locks, rules } = this.#deps
    const { shares } = store.directory.devices
    return locks.runExclusive(lockOf(device), async () => {
      const by = requireUser(actor)
      rules.require(actor, device, by === user ? 'read' : 'own')
      if (!shares.get(device, user))
        throw new Refusal('not_found', `${device} is not shared with ${user}`, { field: 'user' })
      const drafts = [userEvent(user, { type: 'device', device, by, may: null })]
      await commit(store, { drafts, ops: [shares.deleteOp(device, user)] })
    })
  }

  #asOwner<T>(actor: Actor, device: string, act: (record: DeviceRecord) => Promise<T>): Promise<T> {
    const { locks, rules } = this.#deps
    return locks.runExclusive(lockOf(device), async () => act(rules.require(actor, device, 'own')))
  }
}

/**
 * The recipient of a share or transfer must be an existing user, not a device, who can be invited by the actor. Admins are only stopped by
 * a block. @throws Refusal
 */
export async function requireRecipient({ store }: DevicesDeps, actor: Actor, user: string): Promise<void> {
  const { directory } = store
  if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
  if (directory.devices.get(user)) throw new Refusal('bad_request', `${user} is a device itself`, { field: 'user' })
  const [by, why] = [requireUser(actor), `you may share nothing with ${user}`]
  if (isAdmin(actor)) requireNotBlocked(directory, user, by, why)
  else requireReachable(directory, user, by, 'invites', why)
}

export async function newKey({ keys }: DevicesDeps, actor: Actor, device: string): Promise<string> {
  const made = { name: 'device', roles: null, expiresIn: limitedLife(actor, null) }
  return (await keys.create(device, made)).key
}

/** Revokes all keys of the device, which ends its connections. */
export async function revokeKeys({ keys }: DevicesDeps, device: string): Promise<void> {
  for (const { id } of await keys.list(device)) await keys.revoke(device, id)
}

/** Key of the lock for acts on one device. */
export function lockOf(device: string): string {
  return `device ${device}`
}
