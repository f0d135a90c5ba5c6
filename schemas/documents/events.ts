/** Schemas of the events on event topics: one per `type`. */
import Type, { type TProperties } from 'typebox'
import { deviceId } from '../commands/devices.js'
import { NotificationSettings } from '../commands/notification-settings.js'
import { object, orNull, role, seq, time, user } from '../commands/parts.js'
import { PrivacySettings } from '../commands/privacy.js'

const id = Type.String({ description: 'UUIDv7 of the event.' })
const room = Type.String({ description: 'Room id.' })
const by = Type.String({ description: 'Who did it, a user id; system: the broker.' })
const until = orNull(time('When it ends; null: never.'))
const reason = orNull(Type.String({ description: 'The reason.' }))

const ofRoom = { id, room, seq: seq('Counts from 1 among the events of the room.'), ts: time('When it was.') }
const ofUser = { id, seq: seq('Counts from 1 among the events of the user.'), ts: time('When it was.') }

const roomEvent = (type: string, description: string, more: TProperties) =>
  object({ ...ofRoom, type: Type.Literal(type), ...more }, { description })
const userEvent = (type: string, description: string, more: TProperties) =>
  object({ ...ofUser, type: Type.Literal(type), ...more }, { description })

const about = { user, by }

export const RoomEvent = Type.Union(
  [
    roomEvent('created', 'The room was created.', { by }),
    roomEvent('updated', 'The room was changed.', {
      by,
      changed: Type.Array(Type.String(), { description: 'Which keys of the room; rooms.get has what they are now.' }),
    }),
    roomEvent('deleted', 'The room was deleted; the last of its events.', { by }),
    roomEvent('joined', 'A user joined. by: who admitted them.', { user, by: Type.Optional(by) }),
    roomEvent('left', 'A member left, or their account was removed.', { user }),
    roomEvent('requested', 'A user asked to join.', { user }),
    roomEvent('withdrawn', 'A user took back their request to join.', { user }),
    roomEvent('denied', 'A request to join was denied.', about),
    roomEvent('invited', 'A user was invited.', about),
    roomEvent('declined', 'A user declined an invitation.', { user }),
    roomEvent('removed', 'A member was removed.', about),
    roomEvent('role', 'A member got another role; by system: the ownership passed on.', { ...about, role }),
    roomEvent('banned', 'A user was banned.', { ...about, until, reason }),
    roomEvent('unbanned', 'A ban ended.', about),
    roomEvent('muted', 'A member was muted.', { ...about, until }),
    roomEvent('unmuted', 'A mute ended.', about),
  ],
  { title: 'RoomEvent', description: 'One thing that happened in a room; type says what.' },
)

export const UserEvent = Type.Union(
  [
    userEvent('invited', 'Into a room.', { room, by }),
    userEvent('added', 'The request to join a room was approved.', { room, by }),
    userEvent('denied', 'The request to join a room was denied.', { room, by }),
    userEvent('declined', 'The user declined an invitation.', { room, by }),
    userEvent('withdrawn', 'The user took back a request to join.', { room, by }),
    userEvent('left', 'The user left a room: for their other devices.', { room, by }),
    userEvent('removed', 'Removed from a room.', { room, by }),
    userEvent('deleted', 'A room the user was in, was invited to or asked to join was deleted.', { room, by }),
    userEvent('role', 'A new role in a room.', { room, by, role }),
    userEvent('banned', 'From a room.', { room, by, until, reason }),
    userEvent('unbanned', 'From a room, no more.', { room, by }),
    userEvent('muted', 'In a room.', { room, by, until }),
    userEvent('unmuted', 'In a room, no more.', { room, by }),
    userEvent('contact', 'Someone asks to be a contact, or accepted to be one.', { by }),
    userEvent('settings', 'The user changed their settings for a room.', {
      room,
      notifications: Type.Enum(['default', 'all', 'mentions', 'none']),
      mutedUntil: orNull(time('Until when nothing notifies; null: not muted.')),
      pinned: Type.Boolean(),
      hidden: Type.Boolean(),
      unreadFrom: orNull(seq('The first message marked as unread.')),
    }),
    userEvent('thread', 'The user follows a thread, or follows it no more.', {
      room,
      thread: seq('The message that began it.'),
      following: Type.Boolean(),
    }),
    userEvent('saved', 'The user saved a message or changed its note, or saves it no more.', {
      room,
      target: seq('The message.'),
      saved: Type.Boolean(),
    }),
    userEvent('privacy', 'The user changed their privacy settings.', PrivacySettings.properties),
    userEvent('notifications', 'The user changed what to be notified of.', NotificationSettings.properties),
    userEvent('accountData', 'The user set or removed a private value.', {
      name: Type.String({ description: 'Of the value: account.data.get has it.' }),
      version: orNull(Type.Integer({ description: 'Null: it was removed.' })),
    }),
    userEvent('acked', 'Notifications were acknowledged.', { notifications: Type.Array(seq('Number of one.')) }),
    userEvent('reported', 'A message or user was reported; for moderators of the room.', {
      room,
      report: Type.String({ description: 'Id of the report.' }),
      target: orNull(seq('The message; null: a user was reported.')),
    }),
    userEvent('device', 'The user’s access to a device from now on; null: none.', {
      device: deviceId,
      by,
      may: orNull(Type.Enum(['own', 'control', 'read'])),
    }),
    userEvent('deviceOffered', 'Someone offers a device to the user (devices.accept).', {
      device: deviceId,
      by,
    }),
    userEvent('deviceCommand', 'The outcome of a command for a device.', {
      device: deviceId,
      command: Type.String({ description: 'Id of the command.' }),
      name: Type.String({ description: 'The name of the command.' }),
      state: Type.Enum(['done', 'failed', 'expired']),
      result: Type.Optional(Type.Unknown({ description: 'Any JSON from the device.' })),
      error: Type.Optional(Type.String({ description: 'The error from the device.' })),
    }),
    userEvent('command', 'To a bot: someone used its slash command in a room.', {
      room,
      by,
      command: Type.String({ description: 'Its name.' }),
      args: Type.String({ description: 'The arguments.' }),
      message: Type.Object({}, { additionalProperties: true, description: 'The whole message.' }),
    }),
  ],
  { title: 'UserEvent', description: 'One thing that concerns a user; type says what.' },
)
