import type { LogEntry } from '../store/logs.js'

/** A membership began or ended. */
export interface MembershipChange {
  readonly room: string
  readonly user: string
  readonly member: boolean
  /** The last event of the room, which is still delivered although the membership is over. */
  readonly last?: Pick<LogEntry, 'seq' | 'payload'> | undefined
}
