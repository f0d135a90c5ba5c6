/** Administration of webhooks. */
import Type from 'typebox'
import { WEBHOOK_ID, webhookFilters, webhookId, webhookSecret, webhookUrl } from '../webhooks.js'
import { command, limit, more, NOTHING, object, orNull, time, was } from './parts.js'

const { events, rooms, users, direct } = webhookFilters
const webhook = webhookId
const about = {
  url: webhookUrl,
  events,
  rooms: orNull(rooms),
  users: orNull(users),
  direct,
}
const Webhook = object(
  {
    webhook,
    id: was('webhook', webhook),
    ...about,
    source: Type.Enum(['config', 'command'], { description: 'Where it was made.' }),
    enabled: Type.Boolean({ description: 'False: events wait.' }),
    why: orNull(Type.String({ description: 'Why it was disabled, if the broker did it.' })),
    behind: Type.Integer({ minimum: 0, description: 'Number of logs with events that are not delivered yet.' }),
    dead: Type.Integer({ minimum: 0, description: 'Number of events that were given up (webhooks.deliveries).' }),
    lastSuccess: orNull(time('The last delivery.')),
    lastError: orNull(Type.String({ description: 'The error of the last failed attempt.' })),
    createdBy: Type.String({ description: 'User id.' }),
    createdAt: time('When.'),
  },
  { title: 'Webhook', description: 'A webhook; its secret is shown once, when it is made.' },
)
const Made = object(
  {
    ...Webhook.properties,
    secret: orNull(Type.String({ description: 'The key of the signatures. Null: it is not new.' })),
  },
  { title: 'MadeWebhook', description: 'A webhook with its new secret.' },
)
const delivery = Type.String({ description: 'The id of the event.' })
const Delivery = object(
  {
    delivery,
    id: was('delivery', delivery),
    type: Type.String({ description: 'The event.' }),
    at: time('The last attempt.'),
    attempts: Type.Integer({ minimum: 1, description: 'Number of attempts.' }),
    error: Type.String({ description: 'The error of the last attempt.' }),
  },
  { title: 'DeadLetter', description: 'An event that could not be told.' },
)

export const WEBHOOK_COMMANDS = {
  'webhooks.create': command({
    summary: 'Creates a webhook for events from now on. For admins.',
    params: object({
      webhook: Type.Optional(Type.String({ pattern: WEBHOOK_ID, description: 'Its id; left out: a generated one.' })),
      url: webhookUrl,
      events,
      rooms: Type.Optional(rooms),
      users: Type.Optional(users),
      direct: Type.Optional(direct),
      secret: Type.Optional(webhookSecret),
    }),
    result: Made,
    rate: 'create',
    audit: ['webhook', 'url', 'events'],
    http: { method: 'POST', path: '/webhooks', status: 201 },
  }),
  'webhooks.list': command({
    summary: 'All webhooks and their state, by id. For admins.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last webhook of the previous page.' })),
      limit: limit(100, 100),
    }),
    result: object({ webhooks: Type.Array(Webhook), more }),
    rate: 'read',
    http: { method: 'GET', path: '/webhooks', page: { items: 'webhooks', key: 'webhook' } },
  }),
  'webhooks.update': command({
    summary:
      'Changes a webhook; what is left out stays. For a day events are signed with the previous secret, too. A webhook of the configuration can only be enabled and disabled. For admins.',
    params: object({
      webhook,
      url: Type.Optional(webhookUrl),
      events: Type.Optional(events),
      rooms: Type.Optional(orNull(rooms)),
      users: Type.Optional(orNull(users)),
      direct: Type.Optional(Type.Boolean({ description: 'Messages of direct conversations too.' })),
      enabled: Type.Optional(Type.Boolean({ description: 'False: events wait until it is enabled again.' })),
      secret: Type.Optional(webhookSecret),
      rotate: Type.Optional(Type.Boolean({ description: 'True: makes a new secret.' })),
    }),
    result: Made,
    rate: 'write',
    audit: ['webhook', 'url', 'events', 'enabled', 'rotate'],
    http: { method: 'PATCH', path: '/webhooks/{webhook}' },
  }),
  'webhooks.delete': command({
    summary: 'Removes a webhook and its undelivered events. For admins.',
    params: object({ webhook }),
    result: NOTHING,
    rate: 'write',
    audit: ['webhook'],
    http: { method: 'DELETE', path: '/webhooks/{webhook}' },
  }),
  'webhooks.deliveries': command({
    summary: 'Events that were given up, ordered by id, and so by time. For admins.',
    params: object({
      webhook,
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last delivery of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({ deliveries: Type.Array(Delivery), more }),
    rate: 'read',
    http: { method: 'GET', path: '/webhooks/{webhook}/deliveries', page: { items: 'deliveries', key: 'delivery' } },
  }),
  'webhooks.retry': command({
    summary: 'Repeats events that were given up, once each: one of them, or all. For admins.',
    params: object({
      webhook,
      delivery: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'The id of the event.' })),
    }),
    result: object({ retrying: Type.Integer({ minimum: 0, description: 'How many are repeated.' }) }),
    rate: 'write',
    audit: ['webhook', 'delivery'],
    http: { method: 'POST', path: '/webhooks/{webhook}/retry' },
  }),
  'webhooks.test': command({
    summary: 'Posts an event webhook.test, once, and answers with the outcome. For admins.',
    params: object({ webhook }),
    result: object({
      ok: Type.Boolean({ description: 'It was taken.' }),
      status: orNull(Type.Integer({ description: 'HTTP status; null: no answer.' })),
      error: orNull(Type.String({ description: 'What went wrong.' })),
    }),
    rate: 'create',
    http: { method: 'POST', path: '/webhooks/{webhook}/test' },
  }),
} as const
