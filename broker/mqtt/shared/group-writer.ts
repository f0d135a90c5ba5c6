import type { SubscriberSaver } from '../../following/services.js'
import type { Subscriber } from '../../following/subscriber.js'

/** Saves the state of groups, and reports sessions that end. */
export interface GroupWriter {
  onDiscard: (sessionId: string) => void
  onClose: () => void | Promise<void>
  saver(group: Subscriber): SubscriberSaver
  flush(isWhole?: (one: Subscriber) => boolean): Promise<void>
  /** Saves nothing more of it. */
  forget(group: Subscriber): void
}
