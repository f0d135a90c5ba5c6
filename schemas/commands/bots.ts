/** API keys for services, bots, and the commands that bots take. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, orNull, room, time, user, was } from './parts.js'

const whose = Type.Optional({
  ...user,
  description: 'Whose: the asker’s own if left out, or that of a bot of one’s own.',
})
const name = Type.String({ minLength: 1, maxLength: 128, description: 'What its owner calls it.' })
const expiresIn = Type.Optional(
  Type.Integer({ minimum: 60, maximum: 315_360_000, description: 'Seconds it is good for; left out: until revoked.' }),
)

const keyId = Type.String({ description: 'To revoke it by.' })
const about = {
  keyId,
  id: was('keyId', keyId),
  name,
  createdAt: time('When it was made.'),
  expiresAt: orNull(time('When it ends; null: not by itself.')),
}
const Key = object(
  { ...about, usedAt: orNull(time('When it was used last, to the minute; null: never.')) },
  { title: 'Key', description: 'An API key, without its secret.' },
)
const NewKey = object(
  { ...about, key: Type.String({ description: 'The key, shown this once: an MQTT password, or a Bearer token.' }) },
  { title: 'NewKey', description: 'An API key that was just made.' },
)

const Bot = object(
  { bot: Type.String({ description: 'User id of the bot.' }), createdAt: time('When it was made.') },
  { title: 'Bot' },
)

/** What a bot may call a command; the slash in front of it is not part of the name. */
export const SLASH_NAME = '^[a-z0-9][a-z0-9_-]{0,31}$'
const slash = {
  name: Type.String({ pattern: SLASH_NAME, description: 'Without the slash: small letters, digits, _ and -.' }),
  description: Type.String({ maxLength: 256, description: 'What it does.' }),
  usage: Type.Optional(
    Type.String({ maxLength: 256, description: 'What may follow it, such as <service> [version].' }),
  ),
}
const MAX_SLASH_COMMANDS = 100

export const BOT_COMMANDS = {
  'keys.create': command({
    summary:
      'Makes an API key for oneself, or for a bot of one’s own; admins for anyone. It is good for what the asker may now, whatever the password becomes.',
    params: object({ name, user: whose, expiresIn }),
    result: NewKey,
    rate: 'create',
    http: { method: 'POST', path: '/keys', status: 201 },
  }),
  'keys.list': command({
    summary: 'The API keys of oneself, or of a bot of one’s own, without their secrets; for admins those of anyone.',
    params: object({ user: whose }),
    result: object({ keys: Type.Array(Key) }),
    rate: 'read',
    http: { method: 'GET', path: '/keys' },
  }),
  'keys.revoke': command({
    summary: 'Ends an API key: connections that logged in with it are cut, what their sessions hold stays.',
    params: object({ keyId: Type.String({ minLength: 1, maxLength: 64, description: 'Its id.' }), user: whose }),
    result: NOTHING,
    rate: 'write',
    deprecated: { key: 'keyId' },
    http: { method: 'DELETE', path: '/keys/{keyId}' },
  }),
  'bots.create': command({
    summary: 'Makes a bot: a user with the role bot and no password, and its first API key.',
    params: object({ bot: user }),
    result: object({ bot: Type.String({ description: 'User id of the bot.' }), key: NewKey }),
    rate: 'create',
    http: { method: 'POST', path: '/bots', status: 201 },
  }),
  'bots.list': command({
    summary: 'The bots of the asker, by user id.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last bot of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({ bots: Type.Array(Bot), more }),
    rate: 'read',
    http: { method: 'GET', path: '/bots', page: { items: 'bots', key: 'bot' } },
  }),
  'bots.delete': command({
    summary: 'Removes a bot of one’s own, with its keys, its sessions and its memberships; admins remove anyone’s.',
    params: object({ bot: user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/bots/{bot}' },
  }),
  'slash.set': command({
    summary:
      'Says which commands a bot takes in rooms where they count, in place of those it took before. For the bot and its owner.',
    params: object({
      bot: Type.Optional({ ...user, description: 'A bot of one’s own; left out: the asker is the bot.' }),
      commands: Type.Array(object(slash), { maxItems: MAX_SLASH_COMMANDS, description: 'Empty: it takes none.' }),
    }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/slash-commands' },
  }),
  'slash.list': command({
    summary:
      'The commands that count in a room for the asker, by name; of one name the bot that gets it first. For members.',
    params: object({
      room,
      cursor: Type.Optional(Type.String({ maxLength: 300, description: 'From the page before.' })),
      limit: limit(1000, 1000),
    }),
    result: object({
      commands: Type.Array(
        object({
          ...slash,
          bot: Type.String({ description: 'Who takes it.' }),
          owner: Type.String({ description: 'Whose bot that is.' }),
        }),
      ),
      more,
      cursor: Type.Optional(Type.String({ description: 'With more: to go on with.' })),
    }),
    rate: 'read',
    http: { method: 'GET', path: '/rooms/{room}/slash-commands', page: { items: 'commands' } },
  }),
  'slash.allow': command({
    summary:
      'Lets the commands of a bot that is a member count in a room, or not any more. For owners and admins of the room.',
    params: object({
      room,
      bot: user,
      allow: Type.Optional(Type.Boolean({ default: true, description: 'false: they count no more.' })),
    }),
    result: NOTHING,
    rate: 'write',
    audit: ['bot', 'allow'],
    http: { method: 'PUT', path: '/rooms/{room}/slash-commands/{bot}' },
  }),
} as const
