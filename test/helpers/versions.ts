/** What 3.1.1 and 5 spell differently, for tests that hold both to the same. */
import type { Opening } from './protocol.js'

export const VERSIONS = [4, 5] as const

/** A new session that outlives its connection. */
export function kept(version: 3 | 4 | 5): Opening {
  return version === 5 ? { clean: true, properties: { sessionExpiryInterval: 60 } } : { clean: false }
}

/** The session of before, kept on. */
export function back(version: 3 | 4 | 5): Opening {
  return { ...kept(version), clean: false }
}
