/** Announcements to everyone, or to those who have a role. */
import Type from 'typebox'
import { AnnouncementInput } from '../announcement.js'
import { command, limit, more, NOTHING, object, seq, time } from './parts.js'

const channel = Type.String({ minLength: 1, maxLength: 64, description: 'A channel of announcements.' })

const Announcement = Type.Object(
  { seq: seq('Number in the channel.') },
  {
    title: 'LoggedAnnouncement',
    additionalProperties: true,
    description:
      'An announcement as it was delivered; or {seq, gone} with the reason why it is withheld: blocked means that it is for other roles.',
  },
)

export const ANNOUNCEMENT_COMMANDS = {
  broadcast: command({
    summary:
      'Sends an announcement to all users, or to those with one of some roles. For the role publisher and admins.',
    params: object({
      channel,
      retain: Type.Optional(
        Type.Boolean({ description: 'Later subscribers get it too, until the next retained one or broadcast.clear.' }),
      ),
      ...AnnouncementInput.properties,
    }),
    result: object({
      id: Type.String({ description: 'UUIDv7 of the announcement.' }),
      channel: Type.String({ description: 'Where it is.' }),
      seq: seq('Its number in the channel.'),
      ts: time('When the broker accepted it.'),
    }),
    rate: 'write',
    http: { method: 'POST', path: '/broadcast/{channel}/messages', status: 201 },
  }),
  'broadcast.clear': command({
    summary: 'Removes the retained announcement of a channel. For the role publisher and admins.',
    params: object({ channel }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/broadcast/{channel}/retained' },
  }),
  'broadcast.history': command({
    summary: 'A page of a channel’s announcements, ascending: the newest ones, those before a seq, or those after one.',
    params: object({
      channel,
      before: Type.Optional(seq('Only announcements below this seq.')),
      after: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Only announcements above this seq, from there on.' }),
      ),
      limit: limit(50, 1000),
    }),
    result: object({ messages: Type.Array(Announcement), more }),
    rate: 'read',
    http: { method: 'GET', path: '/broadcast/{channel}/messages', page: { items: 'messages', key: 'seq', back: true } },
  }),
  'broadcast.channels': command({
    summary: 'The channels with an announcement for the caller, by name.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 64, description: 'The last channel of the previous page.' })),
      limit: limit(50, 100),
    }),
    result: object({
      channels: Type.Array(
        object({
          channel: Type.String({ description: 'Its name.' }),
          last: seq('Number of the newest announcement for the caller.'),
          ts: time('When the broker accepted that.'),
        }),
      ),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/broadcast', page: { items: 'channels', key: 'channel' } },
  }),
} as const
