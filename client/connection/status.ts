import type { ChatError } from '../base/chat-error.js'

/** What heals by itself, and is tried again. `busy`: the broker asked for patience. */
export type RetryReason = 'network' | 'server' | 'busy'

/**
 * - `expired`: the login ended, and there was no new one.
 * - `revoked`: it was ended by a person or an admin.
 * - `logout`: by this client.
 * - `refused`: there never was one.
 */
export type SignOutReason = 'expired' | 'revoked' | 'logout' | 'refused'

export type Status =
  | { readonly state: 'idle' }
  /** `attempt`: from 1 on, since the last connection that was stable. */
  | { readonly state: 'connecting'; readonly attempt: number }
  /** Connected; what was missed is being fetched. */
  | { readonly state: 'syncing'; readonly roomsDone: number }
  /** `since`: Unix ms. */
  | { readonly state: 'online'; readonly since: number }
  /** `retryAt`: Unix ms. */
  | { readonly state: 'waiting'; readonly why: RetryReason; readonly retryAt: number; readonly error: ChatError }
  /** A person has to act. */
  | { readonly state: 'signedOut'; readonly why: SignOutReason; readonly error: ChatError }
  | { readonly state: 'closed' }
