import { ChatError } from '../base/chat-error.js'

/** Names of what platforms throw when there is no space: browsers, and Node. */
const FULL: ReadonlySet<string> = new Set(['QuotaExceededError', 'ENOSPC', 'EDQUOT'])

/** What went wrong below a store. A `ChatError` stays as it is. */
export function storageError(cause: unknown): ChatError {
  if (cause instanceof ChatError) return cause
  const why = cause instanceof Error ? cause.message : String(cause)
  return new ChatError('storage', `the device could not keep it: ${why}`, { cause })
}

/** Whether a store had no space left: then it takes more after some was deleted. */
export function isFull(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause)
    if (FULL.has(at.name) || FULL.has(String((at as { code?: unknown }).code))) return true
  return false
}
