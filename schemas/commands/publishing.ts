/** What MQTT clients publish without a reply, for others: typing, one's own presence, plain topics. */
import Type from 'typebox'
import { PresenceInput } from '../message.js'
import { command, NOTHING, object, room } from './parts.js'
import { Presence } from './users.js'

export const PUBLISHING_COMMANDS = {
  typing: command({
    summary:
      'Tells a room, or the other user of a direct conversation, that the caller is typing, for 10 seconds, or no more. For members who may write.',
    params: object({
      room,
      typing: Type.Optional(Type.Boolean({ default: true, description: 'False: no more.' })),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'POST', path: '/rooms/{room}/typing' },
  }),
  'users.setPresence': command({
    summary:
      'Sets the caller’s status, and whether the session that asks is away, over HTTP the caller’s event streams; answers with the presence as it is shown then.',
    params: object({ ...PresenceInput.properties }),
    result: Presence,
    rate: 'write',
    http: { method: 'PATCH', path: '/presence' },
  }),
  publish: command({
    summary:
      'Publishes on a plain topic or one of a device, as an MQTT client does. For whom acl.rules allow, and devices on their own topics.',
    params: object({
      topic: Type.String({ minLength: 1, maxLength: 65535, description: 'The topic.' }),
      payload: Type.Optional(Type.String({ description: 'The payload as text; left out: empty.' })),
      base64: Type.Optional(
        Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'In its place: the payload in base64.' }),
      ),
      qos: Type.Optional(
        Type.Enum([0, 1, 2], { default: 1, description: 'Of the message; subscribers get it at theirs at most.' }),
      ),
      retain: Type.Optional(
        Type.Boolean({ default: false, description: 'Kept for later subscribers; with an empty payload: no more.' }),
      ),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'POST', path: '/publish' },
  }),
} as const
