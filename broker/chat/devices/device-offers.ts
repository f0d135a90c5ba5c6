/** Transfers of devices: the owner offers a device, the other user accepts. A transfer by an admin takes effect at once. */
import { Refusal } from '../../../schemas/errors.js'
import { commit } from '../../store/commit.js'
import type { DeviceOfferRecord, DeviceRecord } from '../../store/devices.js'
import type { Op } from '../../store/op.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'
import { userEvent } from '../model/events.js'
import { type DevicesDeps, lockOf, newKey, requireRecipient, revokeKeys } from './devices.js'

/** Maximum open offers to one user: of all owners, and of one. */
const MAX_OFFERS = 1000
const MAX_OFFERS_OF_ONE = 100

export class DeviceOffers {
  readonly #deps: DevicesDeps

  constructor(deps: DevicesDeps) {
    this.#deps = deps
  }

  get #devices() {
    return this.#deps.store.directory.devices
  }

  /** `offered`: whether the offer waits to be accepted. Owners withdraw an offer by naming themselves. */
  transfer(actor: Actor, device: string, user: string): Promise<{ offered: boolean }> {
    const { locks, rules } = this.#deps
    return locks.runExclusive(lockOf(device), async () => {
      const record = rules.require(actor, device, 'own')
      await requireRecipient(this.#deps, actor, user)
      if (user === record.owner) {
        await commit(this.#deps.store, { ops: this.#withdrawOps(device) })
        return { offered: false }
      }
      if (isAdmin(actor)) await this.#handOver(record, user, requireUser(actor))
      else await this.#offer(actor, record, user)
      return { offered: !isAdmin(actor) }
    })
  }

  async #offer(actor: Actor, { device, owner }: DeviceRecord, user: string): Promise<void> {
    const { offers } = this.#devices
    if (offers.get(device, user)) return
    const waiting = [...this.#devices.offeredTo(user).values()]
    const mine = waiting.filter(({ by }) => by === owner)
    if (waiting.length >= MAX_OFFERS || mine.length >= MAX_OFFERS_OF_ONE)
      throw new Refusal('conflict', `${user} has too many offers to answer`, { field: 'user' })
    this.#deps.askLimits.require(actor, user, `device ${device}`)
    const offer: DeviceOfferRecord = { device, user, by: owner, at: Date.now() }
    const drafts = [userEvent(user, { type: 'deviceOffered', device, by: owner })]
    await commit(this.#deps.store, { drafts, ops: [...this.#withdrawOps(device), offers.putOp(offer)] })
  }

  /** Accepts an offer. All earlier keys are revoked; the answer has a new one. */
  accept(actor: Actor, device: string): Promise<{ record: DeviceRecord; key: string }> {
    const { locks, options } = this.#deps
    const user = requireUser(actor)
    // The number of devices per owner is checked under the owner's lock.
    return locks.runExclusive(`devices of ${user}`, () =>
      locks.runExclusive(lockOf(device), async () => {
        const offer = this.#requireOffer(user, device)
        if (!isAdmin(actor) && this.#devices.ownedBy(user).size >= options.perUser)
          throw new Refusal('conflict', `you have ${options.perUser} devices (devices.perUser); remove one first`)
        await revokeKeys(this.#deps, device)
        const record = await this.#handOver(this.#devices.get(device)!, user, offer.by)
        return { record, key: await newKey(this.#deps, actor, device) }
      }),
    )
  }

  decline(actor: Actor, device: string): Promise<void> {
    const { locks, store } = this.#deps
    const user = requireUser(actor)
    return locks.runExclusive(lockOf(device), async () => {
      this.#requireOffer(user, device)
      await commit(store, { ops: [this.#devices.offers.deleteOp(device, user)] })
    })
  }

  #requireOffer(user: string, device: string): DeviceOfferRecord {
    const offer = this.#devices.offers.get(device, user)
    if (offer && this.#devices.get(device)?.owner === offer.by) return offer
    throw new Refusal('not_found', `nobody offers you a device ${device}`, { field: 'device' })
  }

  /** Changes the owner. All shares end, and the device leaves rooms in which the new owner is banned. */
  async #handOver(record: DeviceRecord, user: string, by: string): Promise<DeviceRecord> {
    const { store, sanctions } = this.#deps
    const { device, owner } = record
    const { shares } = this.#devices
    const mine = { ...record, owner: user }
    const ops = [...shares.of(device).keys()].map((other) => shares.deleteOp(device, other))
    ops.push(...this.#withdrawOps(device), this.#devices.putOp(mine))
    const drafts = [
      userEvent(user, { type: 'device', device, by, may: 'own' }),
      userEvent(owner, { type: 'device', device, by: user, may: null }),
    ]
    await commit(store, { drafts, ops })
    await sanctions.expel(user)
    return mine
  }

  #withdrawOps(device: string): Op[] {
    const { offers } = this.#devices
    return [...offers.of(device).keys()].map((user) => offers.deleteOp(device, user))
  }
}
