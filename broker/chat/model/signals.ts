import type { LogEntry } from '../../store/logs.js'
import type { QoS } from '../../store/qos.js'
import type { PlainMessage } from '../../store/queues.js'
import type { AnswerTo } from './actor.js'

/** What chat tells every node and nobody stores. The delivery side (broker.ts wires it) acts on it. */
export type Signal =
  /** A message of the moment, to whoever listens to its topic; `only`: if it is this user. */
  | { kind: 'ephemeral'; topic: string; payload: Buffer; qos: QoS; only?: string }
  /** To the asking session if it listens to its replies, else to the user's sessions that do. */
  | { kind: 'reply'; user: string; sessionId: string | null; payload: Buffer; answer: AnswerTo | null }
  /** `last`: what is yet to be heard of the room's events, though the membership is over. */
  | { kind: 'membership'; room: string; user: string; member: boolean; last?: Pick<LogEntry, 'seq' | 'payload'> }
  | { kind: 'channel'; channel: string }
  /** To those who may see it; `only`: if it is this user. */
  | { kind: 'presence'; user: string; payload: Buffer; only?: string }
  /** To those who know the user and may not see them any more; `only`: to this one, who could see them until now. */
  | { kind: 'unseen'; user: string; payload: Buffer; only?: string }
  /** How far `user` has come in a room, to those who may know. */
  | { kind: 'receipt'; room: string; user: string; payload: Buffer }
  /** A message on a plain topic; `queued` are the sessions that have it in their durable queue under `number`. */
  | { kind: 'plain'; message: PlainMessage; queued: readonly string[]; number: number }
  /** The roles of an account are others now. */
  | { kind: 'roles'; user: string }
  | Logout

/**
 * Sessions of the user end now: all of them, or those with this id, or those that logged in with this credential. `forget`: with all they
 * hold. `except`: the id of one that goes on.
 */
export interface Logout {
  readonly kind: 'logout'
  readonly user: string
  readonly forget: boolean
  readonly session?: string
  readonly login?: string
  readonly except?: string | null
}
