/** The messages that clients publish to a room, a user or a broadcast channel, and those they receive (DESIGN §2). */
import Type, { type Static } from 'typebox'
import { MAX_FILE_NAME } from './file-paths.js'
import { ATTACHMENT_VIEW, file, MAX_MIME } from './files.js'

/** Types a client may send. */
export const MESSAGE_TYPES = [
  'text',
  'custom',
  'edit',
  'delete',
  'reaction',
  'pin',
  'unpin',
  'location',
  'encrypted',
] as const
/** Types of messages that change another message of the same room, their target. */
export const CHANGE_TYPES: ReadonlySet<string> = new Set(['edit', 'delete', 'reaction', 'pin', 'unpin'])

/** In `mentions`: everyone in the room. */
export const MENTION_ROOM = '@room'

export const MAX_CID = 128
/** Levels of objects and arrays in a message. */
export const MAX_DEPTH = 100
/** Seconds: a year. */
const MAX_TTL = 31_536_000

const ttl = Type.Optional(
  Type.Integer({ minimum: 1, maximum: MAX_TTL, description: 'Lifetime in seconds, from its ts.' }),
)

const seq = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }))

const Attachment = Type.Object(
  {
    type: Type.String({ minLength: 1, maxLength: 64, description: 'image, audio, video, file or a kind of your own.' }),
    url: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2048, description: 'Where it is; either url or file is given.' }),
    ),
    file: Type.Optional({
      ...file,
      description: 'Id of an uploaded file, which those who may read the message can read.',
    }),
    name: Type.Optional(Type.String({ maxLength: MAX_FILE_NAME })),
    mime: Type.Optional(
      Type.String({ maxLength: MAX_MIME, description: 'Of a file the broker sets it, from its bytes.' }),
    ),
    size: Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes. Of a file the broker sets it.' })),
    ...ATTACHMENT_VIEW,
  },
  { title: 'Attachment', additionalProperties: true },
)

export const MessageInput = Type.Object(
  {
    cid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: MAX_CID,
        description: 'Chosen by the client: a retry with the same cid returns the first result.',
      }),
    ),
    type: Type.Optional(Type.String({ description: `One of ${MESSAGE_TYPES.join(', ')}; text when omitted.` })),
    text: Type.Optional(Type.String({ minLength: 1 })),
    attachments: Type.Optional(Type.Array(Attachment, { minItems: 1, maxItems: 32 })),
    data: Type.Optional(Type.Unknown({ description: 'Any JSON.' })),
    replyTo: seq('The message this one answers.'),
    thread: seq('The message that began the thread.'),
    mentions: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 129 }), { maxItems: 100 })),
    forward: Type.Optional(
      Type.Object(
        {
          room: Type.String({
            minLength: 1,
            maxLength: 300,
            description: 'A room id, dm:{a}:{b}, or @user, of which the sender is a member.',
          }),
          seq: Type.Integer({ minimum: 1, description: 'The message.' }),
        },
        {
          additionalProperties: false,
          description: 'The message that this one forwards, in place of content of its own.',
        },
      ),
    ),
    target: seq('The message an edit, delete, reaction or pin is about.'),
    ttl,
  },
  { additionalProperties: false },
)
export type MessageInput = Static<typeof MessageInput>

/** In the `data` of a reaction. Adding what is there, or removing what was removed, changes nothing. */
export const ReactionData = Type.Object(
  {
    emoji: Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'An emoji, or a name of your own such as :party:. One emoji is one reaction, with or without U+FE0F.',
    }),
    remove: Type.Optional(Type.Boolean({ description: 'True takes it back.' })),
  },
  { additionalProperties: false },
)
export type ReactionData = Static<typeof ReactionData>
/** The `data` of a location. */
export const LocationData = Type.Object(
  {
    lat: Type.Number({ minimum: -90, maximum: 90, description: 'Degrees of latitude (WGS 84).' }),
    lon: Type.Number({ minimum: -180, maximum: 180, description: 'Degrees of longitude (WGS 84).' }),
    accuracy: Type.Optional(Type.Number({ minimum: 0, maximum: 1e8, description: 'Accuracy in metres.' })),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'Name of the place.' })),
  },
  { additionalProperties: false },
)

/**
 * The `data` of an encrypted message, in either alphabet of RFC 4648; opaque to the broker. Its length is bounded by
 * `limits.payloadBytes`.
 */
export const ENCRYPTED = /^(?:[A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}$/

// What is seen by itself, with its marks and how it is to be shown; a flag with the letters of its region.
const SEEN = '(?![\\p{M}\\p{Z}\\p{Cc}\\p{Cf}\\p{Cs}\\p{Default_Ignorable_Code_Point}\\s\\u2800\\u{1d159}])[^]'
const MARKS = '(?:(?!\\p{Default_Ignorable_Code_Point})\\p{M}|[\\ufe0e\\ufe0f])*'
const SIGN = `(?:\\u{1f3f4}[\\u{e0020}-\\u{e007e}]+\\u{e007f}|${SEEN}${MARKS})`
/** An emoji sequence without spaces and invisible characters, except joiners. */
export const EMOJI = new RegExp(`^${SIGN}(?:[\\u200c\\u200d]?${SIGN})*$`, 'u')
/** Emoji accepted by earlier versions, which can still be removed. */
export const OLD_EMOJI = /^[^\p{Cc}\p{Cs}\s]+$/u

/** Added by the broker to a forwarded message. */
export const Forwarded = Type.Object(
  {
    from: Type.String({ description: 'Who said it, a user id.' }),
    ts: Type.Integer({ description: 'When. Unix ms.' }),
    room: Type.Optional(Type.String({ description: 'The room, if it is public or this one.' })),
    seq: Type.Optional(Type.Integer({ minimum: 1, description: 'Its number there.' })),
  },
  { additionalProperties: false, description: 'The origin of a forwarded message.' },
)
export type Forwarded = Static<typeof Forwarded>

export const ATTACHMENT_KEYS: ReadonlySet<string> = new Set(Object.keys(Attachment.properties))
export const MESSAGE_KEYS: ReadonlySet<string> = new Set(Object.keys(MessageInput.properties))

/** What everyone receives; `channel` instead of `room` on broadcast topics. */
export interface MessageOutput extends Omit<MessageInput, 'forward'> {
  /** UUIDv7. */
  id: string
  room: string
  seq: number
  /** Unix ms. */
  ts: number
  from: string
  /** Receiver of a direct message. */
  to?: string
  /** Replaces `forward`. */
  forwarded?: Forwarded
}

export const NotificationInput = Type.Object(
  {
    cid: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_CID })),
    title: Type.String({ minLength: 1, maxLength: 256 }),
    body: Type.String({ maxLength: 4096 }),
    data: Type.Optional(Type.Unknown()),
    ttl,
    priority: Type.Optional(
      Type.Enum(['low', 'normal', 'high'], { description: 'How urgent it is; normal when left out.' }),
    ),
    collapseKey: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'Replaces the previous notification with the same key, for users who have not received that yet.',
      }),
    ),
  },
  { additionalProperties: false },
)
export type NotificationInput = Static<typeof NotificationInput>

/** Seconds for which a typing notice is valid; clients repeat it before. */
export const TYPING_LASTS = 10

/** Published to `rooms/{room}/typing`; an empty payload means true. */
export const TypingInput = Type.Object({ typing: Type.Boolean() }, { additionalProperties: false })

/** Published to `rooms/{room}/receipts`: the user's read and delivery positions. Neither decreases. */
export const ReceiptInput = Type.Object(
  {
    read: seq('The last message that was read.'),
    delivered: seq('The last message that arrived.'),
    thread: seq('With read: only in this thread; others are not told.'),
    private: Type.Optional(Type.Boolean({ description: 'True: others are not told what was read.' })),
  },
  { additionalProperties: false },
)
export type ReceiptInput = Static<typeof ReceiptInput>

/** Published to one's own `users/{user}/presence`. */
export const PresenceInput = Type.Object(
  {
    status: Type.Optional(
      Type.Union([Type.String({ maxLength: 256 }), Type.Null()], {
        description:
          'In the user’s own words; null: none. With any of the three, the others are set, too: to null if left out.',
      }),
    ),
    statusEmoji: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()], {
        description: 'An emoji, or a name of your own such as :party:.',
      }),
    ),
    statusUntil: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
        description: 'When the status ends by itself, Unix ms; null: it does not.',
      }),
    ),
    away: Type.Optional(
      Type.Boolean({ description: 'Whether this session is; the user is away if all of their sessions are.' }),
    ),
  },
  { additionalProperties: false },
)
