/** Transfers of devices: the owner offers a device, the other user accepts. A transfer by an admin takes effect at once. */
import { Refusal } from '../../../schemas/errors.js'
import type { DeviceOfferRecord, DeviceRecord } from '../../store/devices.js'
import type { DirectoryStore } from '../../store/directory.js'
import type { Op } from '../../store/op.js'
import { topicOfOwned } from '../../store/persons.js'
import type { Decision, Transaction } from '../../store/transaction.js'
import { type Actor, isAdmin, requireAccount, requireCurrent, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { announcing, type DevicesDeps, keyOfDevice, lockOf, requireFewer, requireRecipient } from './devices.js'

/** Maximum open offers to one user: of all owners, and of one. */
const MAX_OFFERS = 1000
const MAX_OFFERS_OF_ONE = 100

export class DeviceOffers {
  readonly #deps: DevicesDeps

  constructor(deps: DevicesDeps) {
    this.#deps = deps
  }

  /** `offered`: whether the offer waits to be accepted. Owners withdraw an offer by naming themselves. */
  async transfer(actor: Actor, device: string, user: string): Promise<{ offered: boolean }> {
    const { store, rules, sanctions } = this.#deps
    const decide = async (tx: Transaction): Promise<Decision<string>> => {
      const { directory } = tx
      const record = rules.with(directory).require(actor, device, 'own')
      await requireRecipient(directory, actor, user)
      await requireAccount(directory, actor.principal)
      if (user === record.owner) return { ops: withdrawOps(directory, device), value: 'withdrawn' }
      if (!isAdmin(actor)) return this.#offer(tx, actor, record, user)
      return { ...handOver(tx, record, user, requireUser(actor)), value: 'handed over' }
    }
    const { value: how } = await announcing(this.#deps, device, this.#concerned(device, user), () =>
      store.transact(lockOf(device), decide),
    )
    if (how === 'handed over') await sanctions.expel(user)
    return { offered: !isAdmin(actor) && how !== 'withdrawn' }
  }

  async #offer(
    tx: Transaction,
    actor: Actor,
    { device, owner }: DeviceRecord,
    user: string,
  ): Promise<Decision<string>> {
    const { devices } = tx.directory
    if (devices.offers.get(device, user)) return { value: 'offered' }
    tx.topic(`offers of devices to ${user}`)
    const waiting = [...this.#deps.store.directory.devices.offeredTo(user).values()]
    const mine = waiting.filter(({ by }) => by === owner)
    if (waiting.length >= MAX_OFFERS || mine.length >= MAX_OFFERS_OF_ONE)
      throw new Refusal('conflict', `${user} has too many offers to answer`, { field: 'user' })
    const counted = await this.#deps.askLimits.ops(tx, actor, user, `device ${device}`)
    const offer: DeviceOfferRecord = { device, user, by: owner, at: Date.now() }
    const drafts = [userEvent(user, { type: 'deviceOffered', device, by: owner })]
    return {
      drafts,
      ops: [...withdrawOps(tx.directory, device), devices.offers.putOp(offer), ...counted],
      value: 'offered',
    }
  }

  /** Accepts an offer. All earlier keys are revoked; the answer has a new one. */
  async accept(actor: Actor, device: string): Promise<{ record: DeviceRecord; key: string }> {
    const { keys, sanctions } = this.#deps
    const user = requireUser(actor)
    let record: DeviceRecord | null = null
    const take = async (tx: Transaction) => {
      const offer = requireOffer(tx.directory, user, device)
      requireFewer(this.#deps, actor)
      await requireCurrent(tx.directory, actor)
      const { mine, ...written } = handOver(tx, tx.directory.devices.get(device)!, user, offer.by)
      record = mine
      return written
    }
    const key = await announcing(this.#deps, device, this.#concerned(device, user), () =>
      keys.replace(device, keyOfDevice(actor), take),
    )
    await sanctions.expel(user)
    return { record: record!, key }
  }

  /** Who sees the device before or after `user` has it. */
  #concerned(device: string, user: string): string[] {
    const { devices } = this.#deps.store.directory
    const owner = devices.get(device)?.owner
    return [...new Set([user, ...(owner === undefined ? [] : [owner]), ...devices.shares.of(device).keys()])]
  }

  async decline(actor: Actor, device: string): Promise<void> {
    const user = requireUser(actor)
    await this.#deps.store.transact(lockOf(device), ({ directory }) => {
      requireOffer(directory, user, device)
      return { ops: [directory.devices.offers.deleteOp(device, user)], value: null }
    })
  }
}

/** @throws Refusal `not_found`. */
function requireOffer({ devices }: DirectoryStore, user: string, device: string): DeviceOfferRecord {
  const offer = devices.offers.get(device, user)
  if (offer && devices.get(device)?.owner === offer.by) return offer
  throw new Refusal('not_found', `nobody offers you a device ${device}`, { field: 'device' })
}

/** Changes the owner. All shares end. Afterwards the device has to leave rooms in which the new owner is banned (`Sanctions.expel`). */
function handOver(tx: Transaction, record: DeviceRecord, user: string, by: string) {
  const { device, owner } = record
  const { devices } = tx.directory
  tx.topic(topicOfOwned(owner))
  tx.topic(topicOfOwned(user))
  const mine = { ...record, owner: user }
  const ops = [...devices.shares.of(device).keys()].map((other) => devices.shares.deleteOp(device, other))
  const drafts = [
    userEvent(user, { type: 'device', device, by, may: 'own' }),
    userEvent(owner, { type: 'device', device, by: user, may: null }),
  ]
  return { mine, drafts, ops: [...ops, ...withdrawOps(tx.directory, device), devices.putOp(mine)] }
}

function withdrawOps({ devices: { offers } }: DirectoryStore, device: string): Op[] {
  return [...offers.of(device).keys()].map((user) => offers.deleteOp(device, user))
}
