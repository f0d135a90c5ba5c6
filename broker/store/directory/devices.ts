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
import { clear, type Op, put, wipe } from '../op.js'
import { keyOf, ownerOf, type Tables } from '../tables.js'
import { type MemoryTable, parse, type Value } from './memory-table.js'
import { NestedMap } from './nested-map.js'
import { readRange, readRecord } from './on-demand.js'
import { OwnedTable } from './owned-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

const OPEN: ReadonlySet<CommandState> = new Set(['pending', 'delivered'])

const ofUser = ({ device, user }: { device: string; user: string }): string => keyOf(device, user)
const ofId = ({ device, id }: { device: string; id: string }): string => keyOf(device, id)

/** Devices, also by their owner. */
class DeviceTable implements MemoryTable {
  readonly records = new Map<string, DeviceRecord>()
  readonly owned = new NestedMap<DeviceRecord>()

  apply(key: string, value: Value | null): void {
    const before = this.records.get(ownerOf(key))
    if (before) this.owned.delete(before.owner, before.device)
    if (value === null) return void this.records.delete(ownerOf(key))
    const record = parse<DeviceRecord>(value)
    this.records.set(record.device, record)
    this.owned.set(record.owner, record.device, record)
  }

  clear(device: string): void {
    const record = this.records.get(device)
    if (!record) return
    this.records.delete(device)
    this.owned.delete(record.owner, device)
  }
}

export class Devices implements DeviceStore {
  readonly shares: OwnedTable<DeviceShareRecord>
  readonly offers: OwnedTable<DeviceOfferRecord>
  readonly bridges: OwnedTable<BridgeRecord>
  readonly open: OwnedTable<DeviceCommandRecord>
  readonly #tables: Tables
  readonly #reads: Reads | null
  readonly #devices: TableSlot<DeviceTable>

  /** @param reads Records what is read */
  constructor(tables: Tables, slots: TableSlots, reads: Reads | null) {
    this.#reads = reads
    this.#tables = tables
    this.#devices = slots.of('device', () => new DeviceTable())
    this.shares = new OwnedTable<DeviceShareRecord>(slots, 'deviceShare', ofUser, reads)
    this.offers = new OwnedTable<DeviceOfferRecord>(slots, 'deviceOffer', ofUser, reads)
    this.bridges = new OwnedTable<BridgeRecord>(slots, 'bridge', ofId, reads)
    this.open = new OwnedTable<DeviceCommandRecord>(slots, 'openCommand', ofId, reads)
  }

  get(device: string): DeviceRecord | undefined {
    this.#reads?.record('device', keyOf(device, ''))
    return this.#devices.now.records.get(device)
  }

  all(): Iterable<DeviceRecord> {
    return this.#devices.now.records.values()
  }

  ownedBy(owner: string): ReadonlyMap<string, DeviceRecord> {
    return this.#devices.now.owned.of(owner)
  }

  putOp(record: DeviceRecord): Op {
    return put('device', keyOf(record.device, ''), JSON.stringify(record))
  }

  deleteOps(id: string): Op[] {
    return [
      ...[...this.sharedWith(id).keys()].map((device) => this.shares.deleteOp(device, id)),
      ...[...this.offeredTo(id).keys()].map((device) => this.offers.deleteOp(device, id)),
      clear('deviceShare', id),
      clear('deviceOffer', id),
      clear('bridge', id),
      clear('openCommand', id),
      clear('finishedCommand', id),
      clear('device', id),
    ]
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
    return [this.open.deleteOp(device, id), put('finishedCommand', keyOf(device, id), JSON.stringify(record))]
  }

  finished(device: string, id: string): Promise<DeviceCommandRecord | null> {
    return readRecord(this.#tables, 'finishedCommand', keyOf(device, id))
  }

  finishedBefore(device: string, before: string, limit: number): Promise<DeviceCommandRecord[]> {
    const range = { owner: device, before: keyOf(device, before), limit, reverse: true }
    return readRange(this.#tables, 'finishedCommand', range)
  }

  forgetOp(device: string, id: string): Op {
    return wipe('finishedCommand', keyOf(device, id))
  }
}
