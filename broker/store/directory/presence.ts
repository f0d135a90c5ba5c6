import { clear, del, type Op, put, wipe } from '../op.js'
import type { DeviceCount, PresenceRecord, PresenceStore } from '../presence.js'
import { keyOf, partsOf } from '../tables.js'
import { type MemoryTable, parse, SingleTable, type Value } from './memory-table.js'
import type { Reads } from './reads.js'
import type { TableSlot, TableSlots } from './table-slots.js'

export class PresenceTable implements PresenceStore {
  readonly #records: TableSlot<SingleTable<PresenceRecord>>
  readonly #devices: TableSlot<DeviceCounts>
  readonly #reads: Reads | null

  /** @param reads Records what is read */
  constructor(slots: TableSlots, reads: Reads | null) {
    this.#records = slots.of('presence', () => new SingleTable((value) => parse<PresenceRecord>(value)))
    this.#devices = slots.of('userDevices', () => new DeviceCounts())
    this.#reads = reads
  }

  get(user: string): PresenceRecord | undefined {
    this.#reads?.record('presence', keyOf(user))
    return this.#records.now.records.get(user)
  }

  all(): Iterable<PresenceRecord> {
    return this.#records.now.records.values()
  }

  devices(user: string): ReadonlyMap<number, DeviceCount> {
    this.#reads?.owner('userDevices', user)
    return this.#devices.now.byUser.get(user) ?? NONE
  }

  nodes(): Iterable<number> {
    return this.#devices.now.byNode.keys()
  }

  usersOn(node: number): Iterable<string> {
    return this.#devices.now.byNode.get(node) ?? []
  }

  putOp(record: PresenceRecord): Op {
    return put('presence', keyOf(record.user), JSON.stringify(record))
  }

  devicesOp(user: string, node: number, { devices, away }: DeviceCount): Op {
    return put('userDevices', keyOf(user, String(node)), `${devices} ${away}`)
  }

  deleteDevicesOp(user: string, node: number): Op {
    return del('userDevices', keyOf(user, String(node)))
  }

  deleteOps(user: string): Op[] {
    return [wipe('presence', keyOf(user)), clear('userDevices', user)]
  }
}

const NONE: ReadonlyMap<number, DeviceCount> = new Map()

class DeviceCounts implements MemoryTable {
  readonly byUser = new Map<string, Map<number, DeviceCount>>()
  readonly byNode = new Map<number, Set<string>>()

  apply(key: string, value: Value | null): void {
    const [user, node] = partsOf(key) as [string, string]
    if (value === null) this.#delete(user, Number(node))
    else this.#set(user, Number(node), readCount(String(value)))
  }

  clear(user: string): void {
    for (const node of [...(this.byUser.get(user)?.keys() ?? [])]) this.#delete(user, node)
  }

  #set(user: string, node: number, count: DeviceCount): void {
    let counts = this.byUser.get(user)
    if (!counts) this.byUser.set(user, (counts = new Map()))
    counts.set(node, count)
    let users = this.byNode.get(node)
    if (!users) this.byNode.set(node, (users = new Set()))
    users.add(user)
  }

  #delete(user: string, node: number): void {
    const counts = this.byUser.get(user)
    if (counts?.delete(node) && counts.size === 0) this.byUser.delete(user)
    const users = this.byNode.get(node)
    if (users?.delete(user) && users.size === 0) this.byNode.delete(node)
  }
}

/** Counts of before have no number of those that are away. */
function readCount(value: string): DeviceCount {
  const [devices, away = 0] = value.split(' ').map(Number)
  return { devices: devices!, away }
}
