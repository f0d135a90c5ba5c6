/** Who answers for a name: a bot or a device acts for who owns it, and counts for them. */
import type { DeviceStore } from './devices.js'
import type { BotRecords } from './store.js'

/** From memory, all of it. */
export interface Ownership {
  readonly bots: Pick<BotRecords, 'get' | 'ofOwner'>
  readonly devices: Pick<DeviceStore, 'get' | 'ownedBy'>
}

/** Devices of old may belong to a bot, and bots to a device; no chain is longer. */
const MAX_OWNERS = 4

/** The person behind a name: the owner of a bot or a device, else the name itself. */
export function personBehind({ bots, devices }: Ownership, name: string): string {
  let person = name
  for (let i = 0; i < MAX_OWNERS; i++) {
    const owner = bots.get(person)?.owner ?? devices.get(person)?.owner
    if (owner === undefined) break
    person = owner
  }
  return person
}

/** A person, and all the names that act for them. */
export function namesOf({ bots, devices }: Ownership, person: string): ReadonlySet<string> {
  const names = new Set([person])
  // A set is walked to what is added meanwhile.
  for (const name of names) {
    for (const { bot } of bots.ofOwner(name)) names.add(bot)
    for (const device of devices.ownedBy(name).keys()) names.add(device)
  }
  return names
}
