/** Payload schemas of all topics: what clients publish and what they receive. */
import Type, { type TSchema } from 'typebox'
import { AnnouncementInput, announcedRoles } from '../announcement.js'
import { DeviceCommandInput, DeviceReceiptInput } from '../commands/devices.js'
import { object, seq, time, user } from '../commands/parts.js'
import { Receipt } from '../commands/receipts.js'
import { Room } from '../commands/rooms.js'
import { content, SentMessage, stamp } from '../commands/shown-message.js'
import { Presence } from '../commands/users.js'
import { ERRORS } from '../errors.js'
import { MessageInput, NotificationInput, PresenceInput, ReceiptInput, TYPING_LASTS, TypingInput } from '../message.js'
import { ROOM_LEAVES, type RoomLeaf, topics, USER_LEAVES, type UserLeaf } from '../topics.js'
import { RoomEvent, UserEvent } from './events.js'

/** One topic: what goes in (null: only the broker publishes), and what comes out. */
export interface TopicDocument {
  topic: string
  summary: string
  in: TSchema | null
  out: TSchema | null
}

export const MessageIn = Type.Object(MessageInput.properties, {
  title: 'MessageIn',
  additionalProperties: false,
  description: 'A message as it is published. Plain text is a message too; an object with none of these keys is data.',
})
const Announcement = Type.Object(
  { ...stamp, channel: Type.String(), roles: announcedRoles, ...content },
  { title: 'Announcement', description: 'A message of a broadcast channel.' },
)
const AnnouncementIn = Type.Object(AnnouncementInput.properties, {
  title: 'AnnouncementIn',
  additionalProperties: false,
})
const NotificationIn = Type.Object(NotificationInput.properties, {
  title: 'NotificationIn',
  additionalProperties: false,
})
const NotificationOut = Type.Object({ ...stamp, ...NotificationInput.properties }, { title: 'NotificationOut' })
const Text = Type.String({ title: 'Text', description: 'Bare text.' })
const Typing = object(
  {
    user: Type.Optional(user),
    typing: Type.Union([
      Type.Boolean({ description: `True is valid for ${TYPING_LASTS} s; then the broker sends false.` }),
      Type.Integer({ minimum: 0, description: 'In large rooms: how many, without user.' }),
    ]),
    ts: time('When.'),
  },
  { title: 'Typing' },
)
const { id: _id, direct, createdBy, createdAt, role, mine, head, peer, ...roomInfo } = Room.properties
const RoomInfo = object(roomInfo, { title: 'RoomInfo' })
const ReceiptIn = Type.Object(ReceiptInput.properties, { title: 'ReceiptIn', additionalProperties: false })
const ReceiptOut = object(
  {
    ...Receipt.properties,
    private: Type.Optional(Type.Boolean({ description: 'True: only the user’s own devices are told.' })),
    thread: Type.Optional(seq('read is in this thread; only the user’s own devices are told.')),
  },
  { title: 'ReceiptOut' },
)
const Signal = Type.Object(
  { from: user, ts: time('When.'), data: Type.Optional(Type.Unknown()), text: Type.Optional(Type.String()) },
  { title: 'Signal' },
)
const ErrorSchema = object(
  {
    code: Type.Enum(Object.keys(ERRORS)),
    message: Type.String(),
    field: Type.Optional(Type.String()),
    retryAfter: Type.Optional(Type.Number({ description: 'Seconds.' })),
  },
  { title: 'Error', description: 'Why a request or a message was refused.' },
)
export const Reply = Type.Object(
  {
    re: Type.Union([Type.String(), Type.Number(), Type.Null()], {
      description: 'id of the request, or cid of the message.',
    }),
    method: Type.String(),
    ok: Type.Boolean(),
    result: Type.Optional(Type.Unknown({ description: 'If ok is true.' })),
    error: Type.Optional(ErrorSchema),
    topic: Type.Optional(Type.String({ description: 'Of a refused message without cid.' })),
  },
  { title: 'Reply' },
)

const ROOMS: Record<RoomLeaf, Omit<TopicDocument, 'topic'>> = {
  messages: {
    summary: 'Messages of a room: numbered, stored, replayed after an absence.',
    in: MessageIn,
    out: SentMessage,
  },
  text: { summary: 'The same as bare text.', in: Text, out: Text },
  events: { summary: 'Who joined and left; changes of the room; one schema for each type.', in: null, out: RoomEvent },
  receipts: {
    summary: 'How far members have read; in large rooms only one’s own.',
    in: ReceiptIn,
    out: ReceiptOut,
  },
  typing: {
    summary: 'Who is typing, in large rooms how many; never stored.',
    in: TypingInput,
    out: Typing,
  },
  info: { summary: 'Properties of the room; retained.', in: null, out: RoomInfo },
}

const USERS: Record<UserLeaf, Omit<TopicDocument, 'topic'>> = {
  messages: { summary: 'Direct messages to a user, and the echo of one’s own.', in: MessageIn, out: SentMessage },
  events: { summary: 'Events of a user; one schema for each type.', in: null, out: UserEvent },
  notifications: { summary: 'Notifications; for the role notifier.', in: NotificationIn, out: NotificationOut },
  presence: { summary: 'Whether a user is online; retained. One’s own can be set.', in: PresenceInput, out: Presence },
  signals: { summary: 'Call signalling and the like; never stored.', in: Type.Unknown(), out: Signal },
  replies: { summary: 'Replies to requests and messages.', in: null, out: Reply },
}

export const TOPIC_DOCUMENTS: readonly TopicDocument[] = [
  ...ROOM_LEAVES.map((leaf) => ({ topic: topics.room('{room}', leaf), ...ROOMS[leaf] })),
  ...USER_LEAVES.map((leaf) => ({ topic: topics.user('{user}', leaf), ...USERS[leaf] })),
  {
    topic: topics.broadcast('{channel}'),
    summary: 'Announcements; for the role publisher.',
    in: AnnouncementIn,
    out: Announcement,
  },
  {
    topic: topics.device('{device}', 'commands'),
    summary: 'Commands for a device, delivered only to it, until they are done or expired.',
    in: object(DeviceCommandInput, { title: 'DeviceCommandIn' }),
    out: Type.Object({ ...stamp, ...DeviceCommandInput }, { title: 'DeviceCommandOut' }),
  },
  {
    topic: topics.device('{device}', 'receipts'),
    summary: 'The outcome of commands, from the device.',
    in: object(DeviceReceiptInput, { title: 'DeviceReceiptIn' }),
    out: null,
  },
]
