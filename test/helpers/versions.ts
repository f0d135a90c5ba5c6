/** Differences between MQTT 3.1.1 and 5, for tests that run with both. */
import type { Opening } from './protocol.js'

export const VERSIONS = [4, 5] as const

/** A new persistent session. */
export function kept(version: 3 | 4 | 5): Opening {
  return version === 5 ? { clean: true, properties: { sessionExpiryInterval: 60 } } : { clean: false }
}

/** Resumes the session. */
export function back(version: 3 | 4 | 5): Opening {
  return { ...kept(version), clean: false }
}
