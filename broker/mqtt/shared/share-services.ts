import type { SubscriberServices } from '../../following/services.js'

export interface ShareServices extends SubscriberServices {
  /** Whether a message could be delivered to some login of a user who is not connected. */
  readonly couldReceive: (user: string, clientId: string, topic: string) => boolean
  /** Among nodes: whether members wait for the group at another one. */
  readonly isWanted: (group: string) => boolean
}
