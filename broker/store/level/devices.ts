/** Devices and their records. All in memory, except finished commands. */
import type {
  BridgeRecord,
  CommandState,
  DeviceCommandRecord,
  DeviceOfferRecord,
  DeviceRecord,
  DeviceShareRecord,
  DeviceStore,
} from '../devices.js'
import type { Op } from '../op.js'
import type { Database } from './database.js'
import { keys, ranges } from './keys.js'
import { del, put, wipe } from './operation.js'
import { LevelRecords } from './records.js'

const OPEN: ReadonlySet<CommandState> = new Set(['pending', 'delivered'])

const deviceOf = ({ device }: { device: string }): string => device
const idOf = ({ id }: { id: string }): string => id

export class LevelDevices implements DeviceStore {
  readonly shares: LevelRecords<DeviceShareRecord>
  readonly offers: LevelRecords<DeviceOfferRecord>
  readonly bridges: LevelRecords<BridgeRecord>
  readonly open: LevelRecords<DeviceCommandRecord>
  readonly #database: Database
  /** By device, each under the empty name; by owner in `#owned`. */
  readonly #devices: LevelRecords<DeviceRecord>
  #owned = new Map<string, Map<string, DeviceRecord>>()

  constructor(database: Database) {
    this.#database = database
    this.#devices = new LevelRecords<DeviceRecord>(database, 'D', { ownerOf: deviceOf, nameOf: () => '' })
    this.shares = new LevelRecords<DeviceShareRecord>(database, 'S', { ownerOf: deviceOf, nameOf: ({ user }) => user })
    this.offers = new LevelRecords<DeviceOfferRecord>(database, 'O', { ownerOf: deviceOf, nameOf: ({ user }) => user })
    this.bridges = new LevelRecords<BridgeRecord>(database, 'B', { ownerOf: deviceOf, nameOf: idOf })
    this.open = new LevelRecords<DeviceCommandRecord>(database, 'C', { ownerOf: deviceOf, nameOf: idOf })
  }

  /** Reads everything; the function returned replaces what is in memory. */
  async load(): Promise<() => void> {
    const applies = await Promise.all(
      [this.#devices, this.shares, this.offers, this.bridges, this.open].map((one) => one.load()),
    )
    return () => {
      for (const apply of applies) apply()
      this.#owned = new Map()
      for (const record of this.#devices.all()) this.#own(record)
    }
  }

  get(device: string): DeviceRecord | undefined {
    return this.#devices.get(device, '')
  }

  all(): Iterable<DeviceRecord> {
    return this.#devices.all()
  }

  ownedBy(owner: string): ReadonlyMap<string, DeviceRecord> {
    return this.#owned.get(owner) ?? new Map()
  }

  putOp(record: DeviceRecord): Op {
    const kept = { ...record }
    return this.#withOwner(this.#devices.putOp(kept), kept.device, kept)
  }

  async deleteOps(id: string): Promise<Op[]> {
    const ops = [...this.sharedWith(id).keys()].map((device) => this.shares.deleteOp(device, id))
    ops.push(...[...this.offeredTo(id).keys()].map((device) => this.offers.deleteOp(device, id)))
    if (!this.get(id)) return ops
    for (const records of [this.shares, this.offers, this.bridges, this.open])
      for (const name of records.of(id).keys()) ops.push(records.deleteOp(id, name))
    for await (const page of this.#database.keyPages(ranges.ofRoom('F', id))) for (const key of page) ops.push(del(key))
    ops.push(this.#withOwner(this.#devices.deleteOp(id, ''), id, null))
    return ops
  }

  sharedWith(user: string): ReadonlyMap<string, DeviceShareRecord> {
    return this.shares.named(user)
  }

  offeredTo(user: string): ReadonlyMap<string, DeviceOfferRecord> {
    return this.offers.named(user)
  }

  allOpen(): Iterable<DeviceCommandRecord> {
    return this.open.all()
  }

  commandOps(record: DeviceCommandRecord): Op[] {
    if (OPEN.has(record.state)) return [this.open.putOp(record)]
    const { device, id } = record
    return [this.open.deleteOp(device, id), put(keys.ofRoom('F', device, id), JSON.stringify(record))]
  }

  async finished(device: string, id: string): Promise<DeviceCommandRecord | null> {
    const value = await this.#database.get(keys.ofRoom('F', device, id))
    return value ? JSON.parse(value.toString()) : null
  }

  async finishedBefore(device: string, before: string, limit: number): Promise<DeviceCommandRecord[]> {
    const { gte } = ranges.ofRoom('F', device)
    const found = await this.#database.some({ gte, lt: keys.ofRoom('F', device, before) }, limit, true)
    return found.map(([, value]) => JSON.parse(value.toString()))
  }

  forgetOp(device: string, id: string): Op {
    return wipe(keys.ofRoom('F', device, id), Date.now())
  }

  /** Extends an op: once applied, the device belongs to the record's owner, or to nobody. */
  #withOwner(op: Op, device: string, record: DeviceRecord | null): Op {
    const { applied } = op
    return {
      ...op,
      applied: () => {
        const before = this.get(device)
        if (before) this.#disown(before)
        applied?.()
        if (record) this.#own(record)
      },
    }
  }

  #own(record: DeviceRecord): void {
    const mine = this.#owned.get(record.owner)
    if (mine) mine.set(record.device, record)
    else this.#owned.set(record.owner, new Map([[record.device, record]]))
  }

  #disown({ owner, device }: DeviceRecord): void {
    const mine = this.#owned.get(owner)
    if (mine?.delete(device) && mine.size === 0) this.#owned.delete(owner)
  }
}
