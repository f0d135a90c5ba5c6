import type { PlainMessage } from '../../store/queues.js'

/** A message as a PUBLISH to a client shows it. */
export interface OutboundMessage extends Pick<PlainMessage, 'topic' | 'payload' | 'retain' | 'replaces' | 'extra'> {
  /** Subscription identifiers; absent: those of all filters that match the topic. */
  ids?: readonly number[]
}
