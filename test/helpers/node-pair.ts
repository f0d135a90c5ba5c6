/** A store, and the same store as another node has it that has not heard of the last changes: for tests of what races between nodes. */
import type { Test } from 'tap'
import type { Actor } from '../../broker/chat/model/actor.js'
import { commit } from '../../broker/store/commit.js'
import type { Store } from '../../broker/store/store.js'
import { memoryStore } from './memory-store.js'
import { secondMemory } from './two-memories.js'

/** With accounts of these users. */
export async function openStore(t: Test, users: readonly string[] = []): Promise<Store> {
  const store = await memoryStore(t)
  const accounts = users.map((id) => ({ id, roles: [], passwordHash: null, createdAt: 1 }))
  await commit(store, { ops: accounts.flatMap((record) => store.directory.userOps(record)) })
  return store
}

/** The outcome of `second` on a node that hears only during it of what `first` did: what it resolves with, or the code of its refusal. */
export async function raced(
  store: Store,
  first: (store: Store) => Promise<unknown>,
  second: (late: Store) => Promise<unknown>,
): Promise<unknown> {
  const late = await secondMemory(store)
  late.hold()
  await first(store)
  const outcome = second(late.store).catch((error) => error.code ?? String(error))
  setImmediate(late.release)
  return outcome
}

/** The same, where the first node acts when the second has read all it decides on. */
export async function overtaken(
  store: Store,
  first: (store: Store) => Promise<unknown>,
  second: (late: Store) => Promise<unknown>,
): Promise<unknown> {
  const late = await secondMemory(store)
  late.hold()
  let acts = 0
  const decided = async (): Promise<void> => {
    if (++acts > 1) return
    await first(store)
    setImmediate(late.release)
  }
  const { transact, submit } = late.store
  late.store.transact = (key, decide) =>
    transact(key, async (tx) => {
      const decision = await decide(tx)
      await decided()
      return decision
    })
  late.store.submit = (key, decide) =>
    submit(key, async (tx) => {
      const submission = await decide(tx)
      await decided()
      return submission
    })
  const outcome = await second(late.store).catch((error) => error.code ?? String(error))
  return acts > 0 ? outcome : `${outcome}, before the first acted`
}

export function actorOf(user: string, ...roles: string[]): Actor {
  const principal = { user, roles: new Set(roles), anonymous: false, expiresAt: null, issuedAt: 0 }
  return { principal: principal as unknown as Actor['principal'], clientId: '', sessionId: null, silent: true }
}
