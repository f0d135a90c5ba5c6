import { setImmediate } from 'node:timers/promises'
import type { TestBroker } from './broker.js'

/** Resolves when the broker has erased the data of a deleted user. */
export async function erased({ running }: TestBroker, user: string): Promise<void> {
  while (await running.store.accounts.removal(user)) await setImmediate()
}
