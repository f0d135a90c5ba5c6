/** Where the broker tells what happens: for admins. */
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
    why: orNull(Type.String({ description: 'Why it is not enabled, where nobody asked for that.' })),
    behind: Type.Integer({ minimum: 0, description: 'Logs with events it has yet to be told.' }),
    dead: Type.Integer({ minimum: 0, description: 'Events that were given up (webhooks.deliveries).' }),
    lastSuccess: orNull(time('The last event that arrived since the broker started.')),
    lastError: orNull(Type.String({ description: 'What the last failed attempt since then met.' })),
    createdBy: Type.String({ description: 'User id.' }),
    createdAt: time('When.'),
  },
  { title: 'Webhook', description: 'A webhook; its secret is shown once, when it is made.' },
)
const Made = object(
  {
    ...Webhook.properties,
    secret: orNull(Type.String({ description: 'What events are signed with. Null: it is not new.' })),
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
    attempts: Type.Integer({ minimum: 1, description: 'How often it was tried.' }),
    error: Type.String({ description: 'What the last attempt met.' }),
  },
  { title: 'DeadLetter', description: 'An event that could not be told.' },
)

export const WEBHOOK_COMMANDS = {
  'webhooks.create': command({
    summary: 'Makes a webhook, told of what happens from now on. For admins.',
    params: object({
      webhook: Type.Optional(Type.String({ pattern: WEBHOOK_ID, description: 'What to call it; left out: made up.' })),
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
    summary: 'All webhooks and how they do, by id. For admins.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last webhook of the page before.' })),
      limit: limit(100, 100),
    }),
    result: object({ webhooks: Type.Array(Webhook), more }),
    rate: 'read',
    http: { method: 'GET', path: '/webhooks', page: { items: 'webhooks', key: 'webhook' } },
  }),
  'webhooks.update': command({
    summary:
      'Changes a webhook; what is left out stays. The secret before signs beside a new one for a day. One of the configuration can only be switched on and off. For admins.',
    params: object({
      webhook,
      url: Type.Optional(webhookUrl),
      events: Type.Optional(events),
      rooms: Type.Optional(orNull(rooms)),
      users: Type.Optional(orNull(users)),
      direct: Type.Optional(Type.Boolean({ description: 'Messages of direct conversations too.' })),
      enabled: Type.Optional(Type.Boolean({ description: 'False: events wait until it is true again.' })),
      secret: Type.Optional(webhookSecret),
      rotate: Type.Optional(Type.Boolean({ description: 'True: makes a new secret.' })),
    }),
    result: Made,
    rate: 'write',
    audit: ['webhook', 'url', 'events', 'enabled', 'rotate'],
    http: { method: 'PATCH', path: '/webhooks/{webhook}' },
  }),
  'webhooks.delete': command({
    summary: 'Removes a webhook with all it has not been told. For admins.',
    params: object({ webhook }),
    result: NOTHING,
    rate: 'write',
    audit: ['webhook'],
    http: { method: 'DELETE', path: '/webhooks/{webhook}' },
  }),
  'webhooks.deliveries': command({
    summary: 'Events that were given up, by id, which is by time. For admins.',
    params: object({
      webhook,
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last delivery of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({ deliveries: Type.Array(Delivery), more }),
    rate: 'read',
    http: { method: 'GET', path: '/webhooks/{webhook}/deliveries', page: { items: 'deliveries', key: 'delivery' } },
  }),
  'webhooks.retry': command({
    summary: 'Tries events that were given up again, once each: one of them, or all. For admins.',
    params: object({
      webhook,
      delivery: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'The id of the event.' })),
    }),
    result: object({ retrying: Type.Integer({ minimum: 0, description: 'How many are tried now.' }) }),
    rate: 'write',
    audit: ['webhook', 'delivery'],
    http: { method: 'POST', path: '/webhooks/{webhook}/retry' },
  }),
  'webhooks.test': command({
    summary: 'Posts an event webhook.test, once, and says what came of it. For admins.',
    params: object({ webhook }),
    result: object({
      ok: Type.Boolean({ description: 'It was taken.' }),
      status: orNull(Type.Integer({ description: 'HTTP status; null: there was no answer.' })),
      error: orNull(Type.String({ description: 'What went wrong.' })),
    }),
    rate: 'create',
    http: { method: 'POST', path: '/webhooks/{webhook}/test' },
  }),
} as const
