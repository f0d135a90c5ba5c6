/** API keys, bots, and slash commands. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, room, time, user, was } from './parts.js'

const whose = Type.Optional({
  ...user,
  description: 'The owner of the key: the caller if left out, or a bot of the caller.',
})
const name = Type.String({ minLength: 1, maxLength: 128, description: 'A name for it.' })
const expiresIn = Type.Optional(
  Type.Integer({ minimum: 60, maximum: 315_360_000, description: 'Seconds it is valid; left out: until revoked.' }),
)

const keyId = Type.String({ description: 'Identifies the key in keys.revoke.' })
const about = {
  keyId,
  id: was('keyId', keyId),
  name,
  createdAt: time('When it was created.'),
  expiresAt: orNull(time('When it expires; null: never.')),
}
const Key = object(
  { ...about, usedAt: orNull(time('When it was used last, to the minute; null: never.')) },
  { title: 'Key', description: 'An API key, without its secret.' },
)
const NewKey = object(
  { ...about, key: Type.String({ description: 'The key, shown only once: an MQTT password, or a Bearer token.' }) },
  { title: 'NewKey', description: 'An API key that was just made.' },
)

const Bot = object(
  { bot: Type.String({ description: 'User id of the bot.' }), createdAt: time('When it was created.') },
  { title: 'Bot' },
)

/** Name of a slash command, without the slash. */
export const SLASH_NAME = '^[a-z0-9][a-z0-9_-]{0,31}$'
const slash = {
  name: Type.String({ pattern: SLASH_NAME, description: 'Without the slash: lower-case letters, digits, _ and -.' }),
  description: Type.String({ maxLength: 256, description: 'What it does.' }),
  usage: Type.Optional(Type.String({ maxLength: 256, description: 'Its arguments, such as <service> [version].' })),
}
const MAX_SLASH_COMMANDS = 100

export const BOT_COMMANDS = {
  'keys.create': command({
    summary:
      'Creates an API key for the caller or a bot of the caller; admins for anyone. It has the roles the caller has now, and outlives changes of the password.',
    params: object({ name, user: whose, expiresIn }),
    result: NewKey,
    rate: 'create',
    http: { method: 'POST', path: '/keys', status: 201 },
  }),
  'keys.list': command({
    summary: 'The API keys of the caller or of a bot of the caller, without their secrets; for admins those of anyone.',
    params: object({ user: whose }),
    result: object({ keys: Type.Array(Key) }),
    rate: 'read',
    http: { method: 'GET', path: '/keys' },
  }),
  'keys.revoke': command({
    summary: 'Revokes an API key: connections that logged in with it are closed, their sessions and queues stay.',
    params: object({ keyId: Type.String({ minLength: 1, maxLength: 64, description: 'Its id.' }), user: whose }),
    result: NOTHING,
    rate: 'write',
    deprecated: { key: 'keyId' },
    http: { method: 'DELETE', path: '/keys/{keyId}' },
  }),
  'bots.create': command({
    summary: 'Creates a bot: a user with the role bot and no password, and its first API key.',
    params: object({ bot: user }),
    result: object({ bot: Type.String({ description: 'User id of the bot.' }), key: NewKey }),
    rate: 'create',
    http: { method: 'POST', path: '/bots', status: 201 },
  }),
  'bots.list': command({
    summary: 'The bots of the caller, by user id.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last bot of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({ bots: Type.Array(Bot), more }),
    rate: 'read',
    http: { method: 'GET', path: '/bots', page: { items: 'bots', key: 'bot' } },
  }),
  'bots.delete': command({
    summary: 'Removes a bot of the caller, with its keys, sessions and memberships; admins remove anyone’s.',
    params: object({ bot: user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/bots/{bot}' },
  }),
  'slash.set': command({
    summary: 'Replaces the slash commands that a bot takes in rooms where they are active. For the bot and its owner.',
    params: object({
      bot: Type.Optional({ ...user, description: 'A bot of the caller; left out: the caller is the bot.' }),
      commands: Type.Array(object(slash), { maxItems: MAX_SLASH_COMMANDS, description: 'Empty: the bot takes none.' }),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/slash-commands' },
  }),
  'slash.list': command({
    summary:
      'The slash commands that are active in a room for the caller, by name; of several bots with one name, the one that gets it. For members.',
    params: object({
      room,
      cursor: Type.Optional(Type.String({ maxLength: 300, description: 'From the previous page.' })),
      limit: limit(1000, 1000),
    }),
    result: object({
      commands: Type.Array(
        object({
          ...slash,
          bot: Type.String({ description: 'Who takes it.' }),
          owner: Type.String({ description: 'The owner of the bot.' }),
        }),
      ),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: where the next page begins.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/slash-commands', page: { items: 'commands' } },
  }),
  'slash.allow': command({
    summary:
      'Activates the slash commands of a bot that is a member of the room, or deactivates them. For owners and admins of the room.',
    params: object({
      room,
      bot: user,
      allow: Type.Optional(Type.Boolean({ default: true, description: 'false: deactivates them.' })),
    }),
    result: NOTHING,
    rate: 'write',
    audit: ['bot', 'allow'],
    http: { method: 'PUT', path: '/rooms/{room}/slash-commands/{bot}' },
  }),
} as const
