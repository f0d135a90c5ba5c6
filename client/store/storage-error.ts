import { ChatError } from '../base/chat-error.js'

/** Names of what browsers throw when there is no space, by their age. */
const FULL: ReadonlySet<string> = new Set(['QuotaExceededError', 'NS_ERROR_DOM_QUOTA_REACHED'])
/** What LevelDB says then, in the words of the system. */
const FULL_LEVEL = /no space left|disk quota exceeded/i

/** What went wrong below a store. A `ChatError` stays as it is. */
export function storageError(cause: unknown): ChatError {
  if (cause instanceof ChatError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ChatError('storage', `the device could not keep it: ${why}`, { cause })
}

/** Whether a store had no space left: then it takes more after some was deleted. */
export function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (FULL.has(at.name) || FULL_LEVEL.test(at.message)) return true
  return false
}
