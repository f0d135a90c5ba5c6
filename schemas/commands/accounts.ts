/** Administration of accounts. `users.*` is what other users see. */
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
const reason = Type.String({ maxLength: 500, description: 'The reason, for the audit log and for other admins.' })

const Account = object(
  {
    user: Type.String({ description: 'User id.' }),
    roles: Type.Array(Type.String()),
    password: Type.Boolean({
      description: 'Whether it has a password; false: it logs in by tokens, keys or certificates only.',
    }),
    createdAt: time('When it was created.'),
    suspended: orNull(
      object({
        since: time('Since when.'),
        by: Type.String({ description: 'Who did it; system: the command line.' }),
        reason: orNull(Type.String()),
      }),
    ),
  },
  { title: 'Account', description: 'An account, as admins see it.' },
)

export const ACCOUNT_ADMIN_COMMANDS = {
  'accounts.create': command({
    summary: 'Creates an account, whatever auth.registration is. For admins.',
    params: object({
      user: { ...user, description: `The user id: ${USER_NAMES}.` },
      password: Type.Optional({
        ...password('At least 6 bytes.'),
        description: 'At least 6 bytes; left out: the account logs in by tokens, keys or certificates only.',
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
    summary: 'Accounts ordered by user id, case-insensitive. For admins.',
    params: object({
      query: Type.Optional(Type.String({ maxLength: 128, description: 'What the id begins with.' })),
      after: Type.Optional(Type.String({ maxLength: 128, description: 'The last user of the previous page.' })),
      limit: limit(100, 1000),
    }),
    result: object({ accounts: Type.Array(Account), more }),
    rate: 'read',
    http: { method: 'GET', path: '/accounts', page: { items: 'accounts', key: 'user' } },
  }),
  'accounts.setRoles': command({
    summary:
      'Replaces the roles of an account; live sessions and streams have the new ones at once, unless their token names roles. For admins.',
    params: object({ user, roles }),
    result: Account,
    rate: 'write',
    audit: ['roles'],
    http: { method: 'PUT', path: '/accounts/{user}/roles' },
  }),
  'accounts.suspend': command({
    summary:
      'Prevents logins of the user and of their bots and devices until accounts.resume, and closes their connections. All data stays. For admins.',
    params: object({ user, reason: Type.Optional(reason) }),
    result: Account,
    rate: 'write',
    audit: ['reason'],
    http: { method: 'PUT', path: '/accounts/{user}/suspension' },
  }),
  'accounts.resume': command({
    summary: 'Ends a suspension. For admins.',
    params: object({ user }),
    result: Account,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/accounts/{user}/suspension' },
  }),
  'accounts.delete': command({
    summary: 'Removes an account with everything its user wrote, as topictalk user remove does. For admins.',
    params: object({ user }),
    result: NOTHING,
    rate: 'write',
    audit: true,
    http: { method: 'DELETE', path: '/accounts/{user}' },
  }),
} as const
