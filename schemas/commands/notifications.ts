/** Sending notifications, reading and acknowledging one's own, and querying the state of sent ones. */
import Type from 'typebox'
import { NotificationInput } from '../message.js'
import { command, limit, more, object, orNull, seq, time, user } from './parts.js'

/** Most users one request notifies, and most notifications it acknowledges by id. */
const MAX_NOTIFIED = 100

const id = Type.String({ minLength: 1, maxLength: 64, description: 'UUIDv7 of the notification.' })
const acked = orNull(time('When the user acknowledged it; null: not yet.'))
const delivered = orNull(time('When it reached a device of the user; null: not yet.'))

const Notification = Type.Object(
  { id, seq: seq('Number among those of the user.'), acked, delivered },
  { title: 'LoggedNotification', additionalProperties: true, description: 'A notification as it was delivered.' },
)

const Notified = object(
  { user, id, seq: seq('Number among those of the user.'), ts: time('When the broker accepted it.') },
  { title: 'Notified' },
)
const NotNotified = object({ user, code: Type.String(), message: Type.String() }, { title: 'NotNotified' })

export const NOTIFICATION_COMMANDS = {
  notify: command({
    summary: 'Sends a notification to a user, or to several. For the role notifier and admins.',
    params: object({
      user: Type.Optional(user),
      users: Type.Optional(
        Type.Array(user, {
          minItems: 1,
          maxItems: MAX_NOTIFIED,
          description: 'In place of user: each of them gets one.',
        }),
      ),
      ...NotificationInput.properties,
    }),
    result: object({
      sent: Type.Array(Notified),
      refused: Type.Array(NotNotified, { description: 'With users: those who did not get it, and why.' }),
    }),
    rate: 'write',
    http: { method: 'POST', path: '/notifications', status: 201 },
  }),
  'notifications.list': command({
    summary: 'A page of the caller’s notifications, ascending: the newest ones, or those before a seq.',
    params: object({
      before: Type.Optional(seq('Only notifications below this seq.')),
      unacked: Type.Optional(Type.Boolean({ description: 'Only those not acknowledged yet.' })),
      limit: limit(50, 200),
    }),
    result: object({
      notifications: Type.Array(Notification),
      unacked: Type.Integer({ minimum: 0, description: 'How many are not acknowledged yet, over all pages.' }),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/notifications', page: { items: 'notifications', key: 'seq', back: true } },
  }),
  'notifications.ack': command({
    summary: 'Acknowledges notifications, for all devices of the caller: some by id, or all up to a seq.',
    params: object({
      ids: Type.Optional(Type.Array(id, { minItems: 1, maxItems: MAX_NOTIFIED })),
      upTo: Type.Optional(seq('The last one.')),
    }),
    result: object({
      acked: Type.Array(seq('Number of one that had not been acknowledged.')),
      unacked: Type.Integer({ minimum: 0, description: 'How many are still unacknowledged.' }),
      unknown: Type.Optional(
        Type.Array(Type.String(), { description: 'The ids that do not exist, or are not kept any more.' }),
      ),
    }),
    rate: 'write',
    http: { method: 'POST', path: '/notifications/acks' },
  }),
  'notifications.status': command({
    summary: 'The state of a notification. For its sender, and admins.',
    params: object({ user, notification: id }),
    result: object({
      id,
      seq: seq('Number among those of the user.'),
      ts: time('When the broker accepted it.'),
      delivered,
      acked,
      gone: orNull(Type.Enum(['expired', 'replaced'], { description: 'Why it can be read no more.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/users/{user}/notifications/{notification}' },
  }),
} as const
