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

/** Users of one request for profiles or presence. */
export const MAX_PROFILES = 100

const users = Type.Array(user, { minItems: 1, maxItems: MAX_PROFILES, description: 'User ids.' })

export const Profile = object(
  {
    user: Type.String({ description: 'User id.' }),
    name: text(128, 'Name to show.'),
    avatar: text(2048, 'URL of a picture.'),
    fields,
    updatedAt: orNull(time('When it was changed last; null: never.')),
  },
  { title: 'Profile', description: 'How a user shows itself.' },
)

export const Presence = object(
  {
    user: Type.String({ description: 'User id.' }),
    state: Type.Enum(['online', 'away', 'offline'], {
      description:
        'away: online, and all of their sessions say that they are away. offline: also for those who may not see the presence.',
    }),
    status: orNull(Type.String({ description: 'In the user’s own words; null: none.' })),
    statusEmoji: orNull(Type.String({ description: 'Beside the status; null: none.' })),
    statusUntil: orNull(time('When the status ends by itself; null: it does not.')),
    lastSeen: orNull(time('When last seen; while online, when this was sent; null: never.')),
    devices: Type.Integer({ minimum: 0, description: 'Number of connected sessions; at least 1 while online.' }),
    profileAt: orNull(time('When the profile was changed last: users.get has it; null: never.')),
  },
  { title: 'Presence' },
)

export const USER_COMMANDS = {
  'users.get': command({
    summary: 'The profile of a user. For everyone who is logged in.',
    params: object({ user }),
    result: Profile,
    rate: 'read',
    http: { method: 'GET', path: '/users/{user}' },
  }),
  'users.profiles': command({
    summary:
      'The profiles of several users, by user id; users who do not exist are left out. For everyone who is logged in.',
    params: object({
      users,
      since: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Only profiles that were changed after that, Unix ms.' }),
      ),
      after,
    }),
    result: object({ profiles: Type.Array(Profile), more }),
    rate: 'read',
    http: { method: 'GET', path: '/profiles', page: { items: 'profiles', key: 'user' } },
  }),
  'users.presence': command({
    summary:
      'The presence of several users, by user id. Of those whose presence the caller may not see, and of users who do not exist, it is that of a user who was never online.',
    params: object({ users }),
    result: object({ presences: Type.Array(Presence) }),
    rate: 'read',
    http: { method: 'GET', path: '/presence' },
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
    summary:
      'Users whose id begins with a text, or in whose name each word of it begins a word, by user id. Case and accents do not matter in names. For everyone who is logged in.',
    params: object({
      query: Type.String({
        minLength: 1,
        maxLength: 128,
        description:
          'What the id begins with, or words of the name; of many users so named the first 1,000 by these words.',
      }),
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
