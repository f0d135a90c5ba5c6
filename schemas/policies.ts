/** What messages may hold: of the whole broker, and of a room, which can only narrow it. */
import Type, { type Static } from 'typebox'

/** Types or hosts of one list. */
const MAX_LISTED = 100

const choice = (description: string, options: { default?: 'allow' } = {}) =>
  Type.Enum(['allow', 'deny'], { description, ...options })
const listOf = (pattern: string, description: string, options: { default?: [] } = {}) =>
  Type.Array(Type.String({ pattern, maxLength: 255 }), { maxItems: MAX_LISTED, description, ...options })

const textLength = Type.Integer({ minimum: 1, maximum: 268_435_455, description: 'Most characters of a text.' })
const LINKS = 'Whether a text may hold links and addresses of pages.'
const CUSTOM_DATA = 'Whether messages may hold data, be of type custom, and have attachments with fields of their own.'
const max = { minimum: 0, maximum: 32, description: 'Most attachments of a message; 0: none at all.' }
const bytes = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Most bytes of one attachment, which then has to state its size.',
})
const TYPES = [
  '^[a-z0-9.+-]+/([a-z0-9.+-]+|\\*)$',
  'Media types an attachment may state as mime, such as image/*; empty: any, or none.',
] as const
const HOSTS = [
  '^(\\*\\.)?[a-z0-9.-]+$',
  'Where attachments may lie, by http or https: cdn.example.com, or *.example.com; empty: anywhere.',
] as const

/** Of a room: what it says nothing of is as the broker has it. */
export const RoomPolicies = Type.Object(
  {
    textLength: Type.Optional(textLength),
    links: Type.Optional(choice(LINKS)),
    customData: Type.Optional(choice(CUSTOM_DATA)),
    attachments: Type.Optional(
      Type.Object(
        {
          max: Type.Optional(Type.Integer(max)),
          bytes: Type.Optional(bytes),
          types: Type.Optional(listOf(...TYPES)),
          hosts: Type.Optional(listOf(...HOSTS)),
        },
        { additionalProperties: false, description: 'What attachments may be, by what they state.' },
      ),
    ),
  },
  {
    title: 'RoomPolicies',
    additionalProperties: false,
    description: 'What messages may hold, beyond what the broker denies everywhere.',
  },
)
export type RoomPolicies = Static<typeof RoomPolicies>

const orNone = <S extends Type.TSchema>(schema: S, description: string) =>
  Type.Union([schema, Type.Null()], { default: null, description })

/** Of the broker, with defaults that deny nothing. */
export const Policies = Type.Object(
  {
    textLength: orNone(textLength, 'Most characters of a text; null: as many as limits.payloadBytes allows.'),
    links: choice(LINKS, { default: 'allow' }),
    customData: choice(CUSTOM_DATA, { default: 'allow' }),
    attachments: Type.Object(
      {
        max: Type.Integer({ ...max, default: 32 }),
        bytes: orNone(bytes, 'Most bytes of one attachment, which then has to state its size; null: any number.'),
        types: listOf(...TYPES, { default: [] }),
        hosts: listOf(...HOSTS, { default: [] }),
      },
      { additionalProperties: false, default: {}, description: 'What attachments may be, by what they state.' },
    ),
  },
  { additionalProperties: false, default: {}, description: 'What messages may hold; a room can deny more.' },
)
export type Policies = Static<typeof Policies>
