/**
 * Memory may be behind where other nodes write to the same store. What it grants may be a second old; what it refuses is decided once more when
 * it is up to date, so that whoever is told that something is done can rely on it on every node.
 */
import { ERRORS, Refusal } from '../../../schemas/errors.js'
import type { Store } from '../../store/store.js'
import type { Actor } from './actor.js'

type Catching = Pick<Store, 'catchUp'>

/** Memory is up to date, and so is what the actor may do by it. Null: they cannot be behind. @throws Refusal `unavailable` */
export function caughtUp(store: Catching, actor: Actor): Promise<void> | null {
  return store.catchUp()?.then(() => rechecked(actor)) ?? null
}

/** A recheck that fails is reported by whoever began it. */
async function rechecked(actor: Actor): Promise<void> {
  await actor.rechecking?.catch(() => {})
}

/**
 * Decides once more what was refused with `error`, so `decide` must do nothing before it refuses that may not be done twice. Null: the refusal stands.
 * For the way of a message: without a refusal it costs nothing.
 */
export function decideAgain<T>(
  store: Catching,
  actor: Actor,
  error: unknown,
  decide: () => T | Promise<T>,
): Promise<T> | null {
  if (!(error instanceof Refusal) || ERRORS[error.code].transient) return null
  return caughtUp(store, actor)?.then(decide) ?? null
}

/** The same for decisions that are rare. */
export async function decideUpToDate<T>(store: Catching, actor: Actor, decide: () => T | Promise<T>): Promise<T> {
  try {
    return await decide()
  } catch (error) {
    const again = decideAgain(store, actor, error, decide)
    if (!again) throw error
    return again
  }
}
