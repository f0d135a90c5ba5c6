/** What the broker tells on the topics of events: one schema for each type, told apart by `type`. */
import Type, { type TProperties } from 'typebox'
import { deviceId } from '../commands/devices.js'
import { object, orNull, role, seq, time, user } from '../commands/parts.js'
import { PrivacySettings } from '../commands/privacy.js'

const id = Type.String({ description: 'UUIDv7 of the event.' })
const room = Type.String({ description: 'Room id.' })
const by = Type.String({ description: 'Who did it, a user id; system: the broker.' })
const until = orNull(time('When it is over; null: never.'))
const reason = orNull(Type.String({ description: 'Why, in words.' }))

const ofRoom = { id, room, seq: seq('Counts from 1 among the events of the room.'), ts: time('When it was.') }
const ofUser = { id, seq: seq('Counts from 1 among the events of the user.'), ts: time('When it was.') }

const roomEvent = (type: string, description: string, more: TProperties) =>
  object({ ...ofRoom, type: Type.Literal(type), ...more }, { description })
const userEvent = (type: string, description: string, more: TProperties) =>
  object({ ...ofUser, type: Type.Literal(type), ...more }, { description })

const about = { user, by }

export const RoomEvent = Type.Union(
  [
    roomEvent('created', 'The room was made.', { by }),
    roomEvent('updated', 'Something about the room was changed: ask rooms.get.', { by }),
    roomEvent('deleted', 'The room is no more; the last of its events.', { by }),
    roomEvent('joined', 'A member more. by: who let them in.', { user, by: Type.Optional(by) }),
    roomEvent('left', 'A member less, by their own will or with their account.', { user }),
    roomEvent('requested', 'A user asks to join.', { user }),
    roomEvent('denied', 'A user who asked was not let in.', about),
    roomEvent('invited', 'A user was invited.', about),
    roomEvent('removed', 'A member was taken out.', about),
    roomEvent('role', 'A member has another role; by system: the room was handed on.', { ...about, role }),
    roomEvent('banned', 'A user is out, and stays so.', { ...about, until, reason }),
    roomEvent('unbanned', 'A user may come back.', about),
    roomEvent('muted', 'A member may not write.', { ...about, until }),
    roomEvent('unmuted', 'A member may write again.', about),
  ],
  { title: 'RoomEvent', description: 'One thing that happened in a room; type says what.' },
)

export const UserEvent = Type.Union(
  [
    userEvent('invited', 'Into a room.', { room, by }),
    userEvent('added', 'Let into a room that was asked for.', { room, by }),
    userEvent('denied', 'Not let into a room that was asked for.', { room, by }),
    userEvent('removed', 'Taken out of a room.', { room, by }),
    userEvent('deleted', 'A room the user was in, was invited to or asked to join is no more.', { room, by }),
    userEvent('role', 'Another role in a room.', { room, by, role }),
    userEvent('banned', 'From a room.', { room, by, until, reason }),
    userEvent('unbanned', 'From a room, no more.', { room, by }),
    userEvent('muted', 'In a room.', { room, by, until }),
    userEvent('unmuted', 'In a room, no more.', { room, by }),
    userEvent('contact', 'Someone wants to be a contact, or accepted to be one.', { by }),
    userEvent('settings', 'How the user wants to see a room, changed by themselves.', {
      room,
      notifications: Type.Enum(['all', 'mentions', 'none']),
      pinned: Type.Boolean(),
      hidden: Type.Boolean(),
      unreadFrom: orNull(seq('The first message marked as unread.')),
    }),
    userEvent('privacy', 'What others may, changed by the user themselves.', PrivacySettings.properties),
    userEvent('acked', 'Notifications were acknowledged.', { notifications: Type.Array(seq('Number of one.')) }),
    userEvent('reported', 'Something in a room was reported; for who moderates it.', {
      room,
      report: Type.String({ description: 'Id of the report.' }),
      target: orNull(seq('The message; null: a user.')),
    }),
    userEvent('device', 'What the user may do with a device from now on; null: nothing.', {
      device: deviceId,
      by,
      may: orNull(Type.Enum(['own', 'control', 'read'])),
    }),
    userEvent('deviceOffered', 'Someone wants the user to take a device over (devices.accept).', {
      device: deviceId,
      by,
    }),
    userEvent('deviceCommand', 'What became of a command for a device.', {
      device: deviceId,
      command: Type.String({ description: 'Id of the command.' }),
      name: Type.String({ description: 'What was asked.' }),
      state: Type.Enum(['done', 'failed', 'expired']),
      result: Type.Optional(Type.Unknown({ description: 'Any JSON of the device.' })),
      error: Type.Optional(Type.String({ description: 'Why it failed.' })),
    }),
    userEvent('command', 'To a bot: someone gave a command in a room.', {
      room,
      by,
      command: Type.String({ description: 'Its name.' }),
      args: Type.String({ description: 'What came behind it.' }),
      message: Type.Object({}, { additionalProperties: true, description: 'All that was sent.' }),
    }),
  ],
  { title: 'UserEvent', description: 'One thing that concerns a user; type says what.' },
)
