import type { QoS } from '../../store/qos.js'
import type { PlainMessage } from '../../store/queues.js'
import type { AnswerTo } from './actor.js'
import type { SessionEnding } from './session-endings.js'

/**
 * Signals that chat sends to every node, that nobody stores, and that may be lost. The delivery side acts on them (wired in broker.ts). What must
 * not be lost is derived from what is stored (`Store.watch`).
 */
export type Signal =
  /** An ephemeral message, for the subscribers of its topic; `only`: for this user alone. */
  | { kind: 'ephemeral'; topic: string; payload: Buffer; qos: QoS; only?: string }
  /** A user types in a room, or stops. */
  | { kind: 'typing'; room: string; user: string; typing: boolean }
  /** A reply: to the asking session if it subscribes to its replies, else to the user's sessions that do. `sessionId` null: to these at once. */
  | { kind: 'reply'; user: string; sessionId: string | null; payload: Buffer; answer: AnswerTo | null }
  /** New presence of a user, for those who may see it; `only`: for this user alone. */
  | { kind: 'presence'; user: string; payload: Buffer; only?: string }
  /** Presence for users who may not see it any more; `only`: for this one, who could see it until now. */
  | { kind: 'presenceHidden'; user: string; payload: Buffer; only?: string }
  /** New receipts of `user` in a room, for members who may see them. */
  | { kind: 'receipt'; room: string; user: string; read: number; delivered: number; payload: Buffer }
  /** A session that another node may serve is to end there. */
  | { kind: 'sessionEnding'; ending: SessionEnding }
  /** A message on a plain topic; `queued`: the sessions that have it in their durable queue under `number`. */
  | { kind: 'plain'; message: PlainMessage; queued: readonly string[]; number: number }
