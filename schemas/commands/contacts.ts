/** Contacts: people who see each other's presence. */
import Type from 'typebox'
import { command, limit, more, NOTHING, object, time, user } from './parts.js'

const state = Type.Enum(['contact', 'asked', 'asking'], {
  description: 'contact: both want it. asked: the asker waits for the other. asking: the other waits for the asker.',
})

export const CONTACT_COMMANDS = {
  'contacts.request': command({
    summary:
      'Asks a user to be a contact; whoever asked the asker before is one at once. Contacts see each other’s presence.',
    params: object({ user }),
    result: object({ state }),
    rate: 'create',
    http: { method: 'POST', path: '/contacts' },
  }),
  'contacts.accept': command({
    summary: 'Takes a user who asked as a contact.',
    params: object({ user }),
    result: object({ state }),
    rate: 'write',
    http: { method: 'PUT', path: '/contacts/{user}' },
  }),
  'contacts.remove': command({
    summary: 'Ends a contact, takes back a request, or declines one.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/contacts/{user}' },
  }),
  'contacts.list': command({
    summary: 'The asker’s contacts, and requests both ways, by user id.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      contacts: Type.Array(
        object({ user: Type.String({ description: 'User id.' }), state, since: time('Since when.') }),
      ),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/contacts', page: { items: 'contacts', key: 'user' } },
  }),
} as const
