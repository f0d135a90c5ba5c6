import type { PresenceRecord } from './presence.js'

/** What sessions depend on, and a commit has changed: told on the node that made it and on all others alike. */
export type RecordChange =
  /** A membership began or ended. Both in a row: the user left and joined anew. */
  | { readonly kind: 'membership'; readonly room: string; readonly user: string; readonly member: boolean }
  /** A room was removed; `members`: whose membership ended with it. */
  | { readonly kind: 'roomEnded'; readonly room: string; readonly members: readonly string[] }
  /** A room was made, or is described otherwise. */
  | { readonly kind: 'room'; readonly room: string }
  | { readonly kind: 'channel'; readonly channel: string }
  /** An account changed or was removed, or a credential of it was: what was issued to the user may be void, and the roles others. */
  | { readonly kind: 'account'; readonly user: string }
  /** What was stored of an MQTT session was removed, or of a share group, by its id. */
  | { readonly kind: 'sessionRemoved'; readonly session: string }
  /** Another node serves an MQTT session, or none, or one waits for it. */
  | { readonly kind: 'owner'; readonly session: string }
  /** A job has another owner, or none; null: it is another node that takes jobs, or one less. */
  | { readonly kind: 'job'; readonly job: string | null }
  /** A webhook was made, changed or removed. */
  | { readonly kind: 'webhook'; readonly webhook: string }
  /** Dead letters of a webhook are to be tried again. */
  | { readonly kind: 'retry'; readonly webhook: string }
  /** What is shown of a user's presence was set, or is of other devices: `devices` as stored, before and after. */
  | PresenceChange
  /** A command to a device was stored that has yet to end. */
  | { readonly kind: 'openCommand'; readonly device: string }
  /** Memory was loaded anew: any account may have changed, and any session may have been removed or have another owner. */
  | { readonly kind: 'reloaded' }

export interface PresenceChange {
  readonly kind: 'presence'
  readonly record: PresenceRecord
  readonly isSet: boolean
  readonly devices: readonly [before: number, after: number]
}

/** Must not throw. */
export type RecordListener = (change: RecordChange) => void
