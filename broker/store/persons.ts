/** Who answers for a name: a bot or a device acts for who owns it, and counts for them. */

import type { BotRecords } from './bots.js'
import type { DeviceStore } from './devices.js'

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

/**
 * The names that are counted together with this one, `name` among them: all of the person behind it. Who has more than the `most` a person may
 * make got them from admins, as a fleet of devices is: each of those counts for itself.
 */
export function namesCountedWith(ownership: Ownership, name: string, most: number): ReadonlySet<string> {
  const person = personBehind(ownership, name)
  return ownedDirectly(ownership, person) > most ? new Set([name]) : namesOf(ownership, person)
}

/** The name for all that are counted together with this one. */
export function accountOf(ownership: Ownership, name: string, most: number): string {
  const person = personBehind(ownership, name)
  if (person === name) return name
  return ownedDirectly(ownership, person) > most ? name : person
}

function ownedDirectly({ bots, devices }: Ownership, person: string): number {
  return bots.ofOwner(person).length + devices.ownedBy(person).size
}

export function isOwned({ bots, devices }: Ownership, name: string): boolean {
  return bots.get(name) !== undefined || devices.get(name) !== undefined
}
