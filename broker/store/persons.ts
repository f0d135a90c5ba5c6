/** Ownership: a bot or a device acts for its owner, and counts against the owner's limits. */

import type { BotRecords } from './bots.js'
import type { DeviceStore } from './devices.js'

/** All of it in memory. */
export interface Ownership {
  readonly bots: Pick<BotRecords, 'get' | 'ofOwner'>
  readonly devices: Pick<DeviceStore, 'get' | 'ownedBy'>
}

/** Bots and devices created by earlier versions may be owned by one another; no chain is longer than this. */
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

/** A person with all their bots and devices. */
export function namesOf({ bots, devices }: Ownership, person: string): ReadonlySet<string> {
  const names = new Set([person])
  // Iteration of a Set includes values added during it.
  for (const name of names) {
    for (const { bot } of bots.ofOwner(name)) names.add(bot)
    for (const device of devices.ownedBy(name).keys()) names.add(device)
  }
  return names
}

/**
 * The names counted together with this one, itself included: all of the same person. A person with more than `most`
 * bots and devices (the limit for making them oneself) was given them by admins, such as a fleet of devices: then each
 * of those counts for itself.
 */
export function namesCountedWith(ownership: Ownership, name: string, most: number): ReadonlySet<string> {
  const person = personBehind(ownership, name)
  return ownedDirectly(ownership, person) > most ? new Set([name]) : namesOf(ownership, person)
}

/** The name under which this one is counted: that of the person, or its own. */
export function accountOf(ownership: Ownership, name: string, most: number): string {
  const person = personBehind(ownership, name)
  if (person === name) return name
  return ownedDirectly(ownership, person) > most ? name : person
}

function ownedDirectly({ bots, devices }: Ownership, person: string): number {
  return bots.ofOwner(person).length + devices.ownedBy(person).size
}

/**
 * All bots and devices of an owner, as a topic of transactions: named with `topic` where one of them is made, given away or deleted, and with
 * `readTopic` where a decision only depends on which there are.
 */
export function topicOfOwned(owner: string): string {
  return `owned by ${owner}`
}

export function isOwned({ bots, devices }: Ownership, name: string): boolean {
  return bots.get(name) !== undefined || devices.get(name) !== undefined
}
