/** Permission checks for devices. Nothing is changed here. */
import { Refusal } from '../../../schemas/errors.js'
import type { DeviceMay, DeviceRecord, DeviceStore } from '../../store/devices.js'
import type { DirectoryStore } from '../../store/directory.js'
import { type Actor, isAdmin, requireUser } from '../model/actor.js'

export type DeviceAct = DeviceMay | 'own'

const RANK: Record<DeviceAct, number> = { read: 1, control: 2, own: 3 }

export class DeviceRules {
  readonly #devices: DeviceStore

  constructor(devices: DeviceStore) {
    this.#devices = devices
  }

  /** The same rules for a transaction: what they read of its directory is guarded. */
  with({ devices }: Pick<DirectoryStore, 'devices'>): DeviceRules {
    return new DeviceRules(devices)
  }

  /** What the user may do with the device; null: nothing. Reads memory only, because it is asked at every delivery. */
  may(user: string, device: string): DeviceAct | null {
    const record = this.#devices.get(device)
    if (!record) return null
    return record.owner === user ? 'own' : (this.#devices.shares.get(device, user)?.may ?? null)
  }

  allows(user: string, device: string, act: DeviceAct): boolean {
    const may = this.may(user, device)
    return may !== null && RANK[may] >= RANK[act]
  }

  /** The device, if the actor may do `act`. To users who may not read it, it does not exist. Admins may do all. @throws Refusal */
  require(actor: Actor, device: string, act: DeviceAct): DeviceRecord {
    const record = this.#devices.get(device)
    const may = isAdmin(actor) ? 'own' : this.may(requireUser(actor), device)
    if (!record || !may) throw new Refusal('not_found', `you have no device ${device}`, { field: 'device' })
    if (RANK[may] >= RANK[act]) return record
    throw new Refusal(
      'forbidden',
      act === 'own' ? `${device} belongs to ${record.owner}` : `you may read ${device} only`,
    )
  }
}
