/** What messages may hold: of the whole broker, and of a room, which can only narrow it. */
import Type, { type Static } from 'typebox'

/** Types or hosts of one list. */
const MAX_LISTED = 100

const choice = (description: string, options: { default?: 'allow' } = {}) =>
  Type.Enum(['allow', 'deny'], { description, ...options })
const senders = (description: string, options: { default?: 'allow' } = {}) =>
  Type.Enum(['allow', 'moderators', 'deny'], { description, ...options })
const listOf = (pattern: string, description: string, options: { default?: [] } = {}) =>
  Type.Array(Type.String({ pattern, maxLength: 255 }), { maxItems: MAX_LISTED, description, ...options })

const textLength = Type.Integer({ minimum: 1, maximum: 268_435_455, description: 'Maximum characters of a text.' })
const LINKS =
  'Who may send texts with links and addresses of pages: all who may write, moderators of the room, or nobody.'
const FILES = 'Who may send uploaded files, the same.'
const CUSTOM_DATA = 'Whether messages may have data, the type custom, and attachments with custom fields.'
const max = { minimum: 0, maximum: 32, description: 'Maximum attachments of a message; 0: none.' }
const bytes = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Maximum bytes of one attachment, which must then state its size.',
})
const TYPES = [
  '^[a-z0-9.+-]+/([a-z0-9.+-]+|\\*)$',
  'Media types that an attachment may state as mime, such as image/*; empty: any, or none.',
] as const
const HOSTS = [
  '^(\\*\\.)?[a-z0-9.-]+$',
  'Hosts of attachments (http or https): cdn.example.com, or *.example.com; empty: any.',
] as const

/** Of a room: what it says nothing of is as the broker has it. */
export const RoomPolicies = Type.Object(
  {
    textLength: Type.Optional(textLength),
    links: Type.Optional(senders(LINKS)),
    files: Type.Optional(senders(FILES)),
    customData: Type.Optional(choice(CUSTOM_DATA)),
    attachments: Type.Optional(
      Type.Object(
        {
          max: Type.Optional(Type.Integer(max)),
          bytes: Type.Optional(bytes),
          types: Type.Optional(listOf(...TYPES)),
          hosts: Type.Optional(listOf(...HOSTS)),
        },
        { additionalProperties: false, description: 'Rules for attachments, by what they state.' },
      ),
    ),
  },
  {
    title: 'RoomPolicies',
    additionalProperties: false,
    description: 'Rules for messages, in addition to those of the broker.',
  },
)
export type RoomPolicies = Static<typeof RoomPolicies>

const orNone = <S extends Type.TSchema>(schema: S, description: string) =>
  Type.Union([schema, Type.Null()], { default: null, description })

/** Of the broker, with defaults that deny nothing. */
export const Policies = Type.Object(
  {
    textLength: orNone(textLength, 'Maximum characters of a text; null: as many as limits.payloadBytes allows.'),
    links: senders(LINKS, { default: 'allow' }),
    files: senders(FILES, { default: 'allow' }),
    customData: choice(CUSTOM_DATA, { default: 'allow' }),
    attachments: Type.Object(
      {
        max: Type.Integer({ ...max, default: 32 }),
        bytes: orNone(bytes, 'Maximum bytes of one attachment, which must then state its size; null: any.'),
        types: listOf(...TYPES, { default: [] }),
        hosts: listOf(...HOSTS, { default: [] }),
      },
      { additionalProperties: false, default: {}, description: 'Rules for attachments, by what they state.' },
    ),
  },
  { additionalProperties: false, default: {}, description: 'Rules for messages; a room can restrict more.' },
)
export type Policies = Static<typeof Policies>
