/** Contacts: people who see each other's presence. */
import Type, { type Static } from 'typebox'
import { command, limit, more, NOTHING, object, time, user } from './parts.js'

const state = Type.Enum(['contact', 'asked', 'asking'], {
  description:
    'contact: both agreed. asked: the caller has asked, and waits. asking: the other has asked, and waits for the caller.',
})

export const Contact = object(
  { user: Type.String({ description: 'User id.' }), state, since: time('Since when.') },
  { title: 'Contact', description: 'A contact, or a request to be one.' },
)
export type Contact = Static<typeof Contact>

export const CONTACT_COMMANDS = {
  'contacts.request': command({
    summary:
      'Asks a user to be a contact; a user who asked the caller before becomes one at once. Contacts see each other’s presence.',
    params: object({ user }),
    result: object({ state }),
    rate: 'create',
    http: { method: 'POST', path: '/contacts' },
  }),
  'contacts.accept': command({
    summary: 'Accepts the request of a user to be a contact.',
    params: object({ user }),
    result: object({ state }),
    rate: 'write',
    http: { method: 'PUT', path: '/contacts/{user}' },
  }),
  'contacts.remove': command({
    summary: 'Ends a contact, withdraws a request, or declines one.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/contacts/{user}' },
  }),
  'contacts.list': command({
    summary: 'The caller’s contacts, and requests in both directions, by user id.',
    params: object({
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({
      contacts: Type.Array(Contact),
      more,
    }),
    rate: 'read',
    http: { method: 'GET', path: '/contacts', page: { items: 'contacts', key: 'user' } },
  }),
} as const
