/** What webhooks are told, and what they are made of: for the configuration, the commands and the documents alike. */
import Type from 'typebox'

/** Each event with when it is told. `data` of the event is what members received, unless said otherwise. */
export const WEBHOOK_EVENTS = {
  'message.sent': 'a message to a room (or, if enabled, a direct conversation)',
  'message.edited': 'a message was edited',
  'message.deleted': 'a message was deleted',
  'message.reaction': 'a reaction was added or removed',
  'message.pinned': 'a message was pinned',
  'message.unpinned': 'a message was unpinned',
  'room.created': 'a room was created',
  'room.updated': 'a room was changed',
  'room.deleted': 'a room was deleted',
  'member.joined': 'someone joined, or was admitted (`by`)',
  'member.left': 'someone left',
  'member.invited': 'someone was invited',
  'member.removed': 'someone was removed',
  'member.requested': 'someone asked to join',
  'member.denied': 'a request to join was denied',
  'member.role': 'a member got another role',
  'member.banned': 'someone was banned',
  'member.unbanned': 'a ban was ended',
  'member.muted': 'a member was muted',
  'member.unmuted': 'a mute was ended',
  'user.registered': 'an account was created',
  'user.removed': 'an account was removed',
  'notification.sent': 'a notification to a user (`data.user`)',
  'broadcast.sent': 'an announcement',
} as const
export type WebhookEvent = keyof typeof WEBHOOK_EVENTS

/** Sent by `webhooks.test` only, whatever the filter. */
export const TEST_EVENT = 'webhook.test'

export const MAX_WEBHOOKS = 100

export const WEBHOOK_ID = '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$'
/** `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks has it. */
const WEBHOOK_SECRET = '^whsec_[A-Za-z0-9+/]{32,86}={0,2}$'
const EVENT = '^(\\*|[a-z]+\\.(\\*|[a-z]+))$'

/** Whether a filter such as `*`, `message.*` or `message.sent` includes an event. */
export function takesEvent(filter: string, event: string): boolean {
  if (filter === '*' || filter === event) return true
  return filter.endsWith('.*') && event.startsWith(filter.slice(0, -1))
}

/** Filters that match no existing event. */
export function unknownEvents(filters: readonly string[]): string[] {
  const all = Object.keys(WEBHOOK_EVENTS)
  return filters.filter((filter) => !all.some((event) => takesEvent(filter, event)))
}

export const webhookId = Type.String({ pattern: WEBHOOK_ID, examples: ['crm'], description: 'The id of a webhook.' })
export const webhookUrl = Type.String({
  pattern: '^https?://',
  maxLength: 2048,
  examples: ['https://crm.example.com/hooks'],
  description: 'Where events are posted to.',
})
export const webhookSecret = Type.String({
  pattern: WEBHOOK_SECRET,
  secret: true,
  description: 'The key of the signatures: whsec_ and 24 to 64 bytes in base64.',
})
export const webhookFilters = {
  events: Type.Array(Type.String({ pattern: EVENT, maxLength: 64 }), {
    minItems: 1,
    maxItems: 64,
    examples: [['message.*', 'member.joined']],
    description: 'Which events: names, message.* for all of a kind, or *.',
  }),
  rooms: Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
    minItems: 1,
    maxItems: 1000,
    description: 'Only events of these rooms.',
  }),
  users: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
    minItems: 1,
    maxItems: 1000,
    description: 'Only events by these users, or about them.',
  }),
  direct: Type.Boolean({ default: false, description: 'Messages of direct conversations too.' }),
}
