import { setImmediate } from 'node:timers/promises'
import type { TestBroker } from './broker.js'

/** Resolves when the broker has erased what a removed user left. */
export async function erased({ running }: TestBroker, user: string): Promise<void> {
  while (await running.store.accounts.removal(user)) await setImmediate()
}
