/** Cases of the commands by which admins manage accounts. */
import type { CommandCases } from './command-cases.js'

const made: CommandCases['before'] = [['accounts.create', { as: 'alice', params: { user: '{room}-a' } }]]
const suspended: CommandCases['before'] = [
  ...made,
  ['accounts.suspend', { as: 'alice', params: { user: '{room}-a', reason: 'spam' } }],
]
const user = '{room}-a'

export const ACCOUNT_ADMIN_CASES: Record<string, CommandCases> = {
  'accounts.create': {
    happy: {
      as: 'alice',
      params: { user, password: 'secret', roles: ['notifier'] },
      result: { user, roles: ['notifier'], password: true, suspended: null },
    },
    forbidden: { as: 'bob', params: { user }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user, roles: ['x y'] }, answer: 'bad_request roles.0' },
  },
  'accounts.get': {
    before: made,
    happy: { as: 'alice', params: { user }, result: { user, roles: [], password: false } },
    forbidden: { as: 'bob', params: { user }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user: '{room}-b' }, answer: 'not_found user' },
  },
  'accounts.list': {
    before: made,
    happy: { as: 'alice', params: { query: '{room}-', limit: 1 }, result: { accounts: [{ user }], more: false } },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'accounts.setRoles': {
    before: made,
    happy: { as: 'alice', params: { user, roles: ['publisher'] }, result: { user, roles: ['publisher'] } },
    forbidden: { as: 'bob', params: { user, roles: ['admin'] }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user }, answer: 'bad_request roles' },
  },
  'accounts.suspend': {
    before: made,
    happy: {
      as: 'alice',
      params: { user, reason: 'spam' },
      result: { user, suspended: { by: 'alice', reason: 'spam' } },
    },
    forbidden: { as: 'bob', params: { user }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user: 'alice' }, answer: 'bad_request user' },
  },
  'accounts.resume': {
    before: suspended,
    happy: { as: 'alice', params: { user }, result: { user, suspended: null } },
    forbidden: { as: 'bob', params: { user }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user: '{room}-b' }, answer: 'not_found user' },
  },
  'accounts.delete': {
    before: suspended,
    happy: { as: 'alice', params: { user }, result: {} },
    forbidden: { as: 'bob', params: { user }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user: 'alice' }, answer: 'bad_request user' },
  },
}
