/** Devices of users: register, share, remove; device-offers.ts transfers them. */
import type { Config } from '../../../schemas/config.js'
import { Refusal } from '../../../schemas/errors.js'
import type { Accounts } from '../../auth/accounts.js'
import type { Keys, NewKey } from '../../auth/keys.js'
import type { DeviceMay, DeviceRecord } from '../../store/devices.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Ownership } from '../../store/persons.js'
import type { Store } from '../../store/store.js'
import type { RecordReader, Transaction } from '../../store/transaction.js'
import { type Actor, isAdmin, requireAccount, requireCurrent, requireUser } from '../model/actor.js'
import { limitedLife } from '../model/api-key-limits.js'
import type { AskLimits } from '../model/ask-limits.js'
import { requireNotBlocked } from '../model/blocks.js'
import { userEvent } from '../model/events.js'
import { addOwned, type RemoveFunction } from '../model/owned-accounts.js'
import { requireReachable } from '../model/privacy.js'
import type { Presence } from '../presence/presence.js'
import type { Sanctions } from '../rooms/sanctions.js'
import type { DeviceRules } from './device-rules.js'

/** Maximum number of users with whom a device is shared. */
const MAX_SHARES = 100

export interface DevicesDeps {
  readonly store: Store
  readonly rules: DeviceRules
  readonly accounts: Pick<Accounts, 'create'>
  readonly keys: Pick<Keys, 'create' | 'replace'>
  readonly remove: RemoveFunction
  readonly askLimits: AskLimits
  readonly sanctions: Pick<Sanctions, 'expel'>
  readonly presence: Pick<Presence, 'updateVisibility'>
  readonly options: Config['devices']
  readonly registeredBy: () => Config['devices']['register']
}

export class Devices {
  readonly #deps: DevicesDeps

  constructor(deps: DevicesDeps) {
    this.#deps = deps
  }

  /** Registers a device, and creates its key. */
  async register(actor: Actor, device: string, name: string | null): Promise<{ record: DeviceRecord; key: string }> {
    const { store, accounts, keys } = this.#deps
    const owner = requireUser(actor)
    this.#requireMayRegister(store.directory, actor)
    requireFewer(this.#deps, actor)
    const record: DeviceRecord = { device, owner, name, createdAt: Date.now() }
    await addOwned(accounts, 'device', device, actor, ({ directory }) => {
      this.#requireMayRegister(directory, actor)
      requireFewer(this.#deps, actor)
      return directory.devices.putOp(record)
    })
    const { key } = await keys.create(device, keyOfDevice(actor), this.#requireOwn(actor, device))
    return { record, key }
  }

  /** @throws Refusal `forbidden`. */
  #requireMayRegister({ devices, bots }: Ownership, actor: Actor): void {
    if (isAdmin(actor)) return
    if (this.#deps.registeredBy() === 'admin')
      throw new Refusal('forbidden', 'devices are made by admins here (devices.register, auth.registration)')
    const { user } = actor.principal
    if (devices.get(user) || bots.get(user)) throw new Refusal('forbidden', 'a device or a bot makes no devices')
  }

  /** Replaces all keys of the device by a new one. */
  async key(actor: Actor, device: string): Promise<string> {
    const requireOwn = this.#requireOwn(actor, device)
    return this.#deps.keys.replace(device, keyOfDevice(actor), async (tx) => {
      requireOwn(tx)
      await requireCurrent(tx.directory, actor)
      return {}
    })
  }

  /** Deletes the device with all it published, so that the next device of that name inherits nothing. */
  async remove(actor: Actor, device: string): Promise<void> {
    await this.#deps.remove(device, this.#requireOwn(actor, device))
  }

  /** Whose it is is checked again when it changes. */
  #requireOwn(actor: Actor, device: string): (tx: RecordReader) => void {
    return ({ directory }) => void this.#deps.rules.with(directory).require(actor, device, 'own')
  }

  async share(actor: Actor, device: string, user: string, may: DeviceMay): Promise<void> {
    const { store, rules, askLimits } = this.#deps
    const by = requireUser(actor)
    const decide = async (tx: Transaction) => {
      const { directory } = tx
      const { shares } = directory.devices
      const record = rules.with(directory).require(actor, device, 'own')
      await requireRecipient(directory, actor, user)
      if (user === record.owner) throw new Refusal('bad_request', `${device} is ${user}'s own`, { field: 'user' })
      const known = shares.get(device, user)
      if (known?.may === may) return { value: null }
      if (!known) requireFewShares(tx, store, device)
      await requireAccount(directory, actor.principal)
      const counted = await askLimits.ops(tx, actor, user, `device ${device}`)
      const drafts = [userEvent(user, { type: 'device', device, by, may })]
      return { drafts, ops: [shares.putOp({ device, user, may, at: Date.now() }), ...counted], value: null }
    }
    await announcing(this.#deps, device, [user], () => store.transact(lockOf(device), decide))
  }

  /** Takes effect at once, because every delivery is checked. */
  async unshare(actor: Actor, device: string, user: string): Promise<void> {
    const { store, rules } = this.#deps
    const by = requireUser(actor)
    const decide = ({ directory }: Transaction) => {
      const { shares } = directory.devices
      rules.with(directory).require(actor, device, by === user ? 'read' : 'own')
      if (!shares.get(device, user))
        throw new Refusal('not_found', `${device} is not shared with ${user}`, { field: 'user' })
      const drafts = [userEvent(user, { type: 'device', device, by, may: null })]
      return { drafts, ops: [shares.deleteOp(device, user)], value: null }
    }
    await announcing(this.#deps, device, [user], () => store.transact(lockOf(device), decide))
  }
}

/**
 * The recipient of a share or transfer must be an existing user, not a device, who can be invited by the actor. Admins are only stopped by
 * a block. @throws Refusal
 */
export async function requireRecipient(directory: DirectoryStore, actor: Actor, user: string): Promise<void> {
  if (!(await directory.user(user))) throw new Refusal('not_found', `there is no user ${user}`, { field: 'user' })
  if (directory.devices.get(user)) throw new Refusal('bad_request', `${user} is a device itself`, { field: 'user' })
  const [by, why] = [requireUser(actor), `you may share nothing with ${user}`]
  if (isAdmin(actor)) requireNotBlocked(directory, user, by, why)
  else requireReachable(directory, user, by, 'invites', why)
}

/** For transactions that name the topic of what the actor owns. @throws Refusal `conflict` if the actor has as many devices as allowed. */
export function requireFewer({ store, options: { perUser } }: DevicesDeps, actor: Actor): void {
  if (!isAdmin(actor) && store.directory.devices.ownedBy(requireUser(actor)).size >= perUser)
    throw new Refusal('conflict', `you have ${perUser} devices (devices.perUser); remove one first`)
}

export function keyOfDevice(actor: Actor): NewKey {
  return { name: 'device', roles: null, expiresIn: limitedLife(actor, null) }
}

/** Runs `work`, and tells each of these users the presence of the device if they may see it now, or takes it back if they may no more. */
export function announcing<T>(
  { presence }: Pick<DevicesDeps, 'presence'>,
  device: string,
  users: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const [user, ...others] = users
  if (user === undefined) return work()
  return presence.updateVisibility(device, user, () => announcing({ presence }, device, others, work))
}

/** Decisions on one device are made one after another. */
export function lockOf(device: string): string {
  return `device ${device}`
}

/** @throws Refusal `conflict`. */
function requireFewShares(tx: Transaction, { directory }: Store, device: string): void {
  tx.limit({ table: 'deviceShare', owner: device, most: MAX_SHARES })
  if (directory.devices.shares.of(device).size >= MAX_SHARES)
    throw new Refusal('conflict', `${device} is shared with ${MAX_SHARES} users already`)
}
