/** Accounts, as those who run the broker see to them. `users.*` is what others see of a user. */
import Type from 'typebox'
import { ROLE } from '../announcement.js'
import { USER_NAMES } from '../ids.js'
import { command, limit, more, NOTHING, object, orNull, password, time, user } from './parts.js'

/** Most roles of one account. */
const MAX_ROLES = 64

const roles = Type.Array(
  Type.String({ pattern: ROLE.source, description: 'A role, such as admin or notifier.', examples: ['notifier'] }),
  {
    maxItems: MAX_ROLES,
    description: 'All roles of the account.',
  },
)
const reason = Type.String({ maxLength: 500, description: 'Why, for the audit log and for other admins.' })

const Account = object(
  {
    user: Type.String({ description: 'User id.' }),
    roles: Type.Array(Type.String()),
    password: Type.Boolean({
      description: 'It has a password; false: it is known by tokens, keys or certificates only.',
    }),
    createdAt: time('When it was made.'),
    suspended: orNull(
      object({
        since: time('Since when.'),
        by: Type.String({ description: 'Who did it; system: on the command line.' }),
        reason: orNull(Type.String()),
      }),
    ),
  },
  { title: 'Account', description: 'An account, as admins see it.' },
)

export const ACCOUNT_ADMIN_COMMANDS = {
  'accounts.create': command({
    summary: 'Makes an account, whatever auth.registration says. For admins.',
    params: object({
      user: { ...user, description: `What to be called: ${USER_NAMES}.` },
      password: Type.Optional({
        ...password('At least 6 bytes.'),
        description: 'At least 6 bytes; left out: who it is logs in by tokens, keys or certificates only.',
      }),
      roles: Type.Optional(roles),
    }),
    result: Account,
    rate: 'create',
    audit: ['roles'],
    http: { method: 'POST', path: '/accounts', status: 201, location: '/accounts/{user}' },
  }),
  'accounts.get': command({
    summary: 'One account. For admins.',
    params: object({ user }),
    result: Account,
    rate: 'read',
    http: { method: 'GET', path: '/accounts/{user}' },
  }),
  'accounts.list': command({
    summary: 'Accounts by user id, whatever its case. For admins.',
    params: object({
      query: Type.Optional(Type.String({ maxLength: 128, description: 'What the id begins with.' })),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the page before.' })),
      limit: limit(100, 1000),
    }),
    result: object({ accounts: Type.Array(Account), more }),
    rate: 'read',
    http: { method: 'GET', path: '/accounts', page: { items: 'accounts', key: 'user' } },
  }),
  'accounts.setRoles': command({
    summary:
      'Gives an account these roles in place of those it had; live sessions and streams have them at once, unless a token of theirs says otherwise. For admins.',
    params: object({ user, roles }),
    result: Account,
    rate: 'write',
    audit: ['roles'],
    http: { method: 'PUT', path: '/accounts/{user}/roles' },
  }),
  'accounts.suspend': command({
    summary:
      'Nobody logs in as the user, or as their bots and devices, until accounts.resume; who is logged in is cut off. What they have stays. For admins.',
    params: object({ user, reason: Type.Optional(reason) }),
    result: Account,
    rate: 'write',
    audit: ['reason'],
    http: { method: 'PUT', path: '/accounts/{user}/suspension' },
  }),
  'accounts.resume': command({
    summary: 'Takes a suspension back. For admins.',
    params: object({ user }),
    result: Account,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/accounts/{user}/suspension' },
  }),
  'accounts.delete': command({
    summary: 'Removes an account with all its user left, as topictalk user remove does. For admins.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/accounts/{user}' },
  }),
} as const
