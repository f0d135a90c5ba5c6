/** Users: profiles, and blocking. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, time, user } from './parts.js'

const text = (maxLength: number, description: string) => orNull(Type.String({ maxLength, description }))

/** Most bytes of all custom fields together, as JSON. */
export const MAX_FIELDS_BYTES = 4096

const fields = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
  Type.Union([Type.String({ maxLength: 1024 }), Type.Number(), Type.Boolean(), Type.Null()]),
  {
    additionalProperties: false,
    maxProperties: 32,
    description: `Other data of an application; at most ${MAX_FIELDS_BYTES} bytes.`,
  },
)

const after = Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' }))

const Profile = object(
  {
    user: Type.String({ description: 'User id.' }),
    name: text(128, 'Name to show.'),
    avatar: text(2048, 'URL of a picture.'),
    fields,
    updatedAt: orNull(time('When it was changed last; null: never.')),
  },
  { title: 'Profile', description: 'How a user shows itself.' },
)

export const USER_COMMANDS = {
  'users.get': command({
    summary: 'The profile of a user. For everyone who is logged in.',
    params: object({ user }),
    result: Profile,
    rate: 'read',
    http: { method: 'GET', path: '/users/{user}' },
  }),
  'users.update': command({
    summary: 'Changes the caller’s profile. What is left out stays; a field that is null is removed.',
    params: object({
      name: Type.Optional(text(128, 'Name to show.')),
      avatar: Type.Optional(text(2048, 'URL of a picture.')),
      fields: Type.Optional(fields),
    }),
    result: Profile,
    rate: 'write',
    http: { method: 'PATCH', path: '/profile' },
  }),
  'users.search': command({
    summary: 'Users whose id begins with a text, case-insensitive. For everyone who is logged in.',
    params: object({
      query: Type.String({ minLength: 1, maxLength: 128, description: 'What the id begins with.' }),
      after,
      limit: limit(20, 100),
    }),
    result: object({ users: Type.Array(Profile), more }),
    rate: 'read',
    deprecated: { prefix: 'query' },
    http: { method: 'GET', path: '/users', page: { items: 'users', key: 'user' } },
  }),
  'blocks.add': command({
    summary:
      'Blocks a user, who can send the caller no direct messages, signals or invitations, and does not see the caller’s presence. A repeated block changes nothing.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/blocks/{user}' },
  }),
  'blocks.remove': command({
    summary: 'Ends a block.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/blocks/{user}' },
  }),
  'blocks.list': command({
    summary: 'The users the caller blocks, by user id.',
    params: object({ after, limit: limit(100, 1000) }),
    result: object({
      blocks: Type.Array(object({ user: Type.String({ description: 'User id.' }), since: time('Since when.') })),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/blocks', page: { items: 'blocks', key: 'user' } },
  }),
} as const
