/**
 * Cases of the commands about the user's own account. `{code of pat}` is the present code of pat's authenticator app; codes of the next
 * step are valid too.
 */
import type { CommandCases } from './command-cases.js'

const begun: CommandCases['before'] = [['auth.totp.begin', { as: 'pat', params: { password: 'pat-pw' } }]]
const confirmed: CommandCases['before'] = [
  ...begun,
  ['auth.totp.confirm', { as: 'pat', params: { code: '{code of pat}' } }],
]

export const ACCOUNT_CASES: Record<string, CommandCases> = {
  'auth.reset': {
    happy: { as: 'alice', params: { user: 'pat', expiresIn: 60 }, result: {} },
    forbidden: { as: 'bob', params: { user: 'pat' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { user: 'nobody' }, answer: 'not_found user' },
  },
  'account.data.get': {
    before: [['account.data.set', { as: 'pat', params: { name: 'theme', value: 'dark' } }]],
    happy: { as: 'pat', params: { name: 'theme' }, result: { name: 'theme', value: 'dark' } },
    forbidden: { as: 'bob', params: { name: 'theme' }, code: 'not_found' },
    invalid: { as: 'pat', params: { name: 'a key' }, answer: 'bad_request name' },
  },
  'account.data.set': {
    happy: { as: 'pat', params: { name: 'draft.dm:a:b', value: { text: 'hi' } }, result: { name: 'draft.dm:a:b' } },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { name: 'theme', value: 1, ifVersion: -1 }, answer: 'bad_request ifVersion' },
  },
  'account.data.delete': {
    before: [['account.data.set', { as: 'pat', params: { name: 'old', value: 1 } }]],
    happy: { as: 'pat', params: { name: 'old' }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { name: 'a key' }, answer: 'bad_request name' },
  },
  'account.data.list': {
    before: [['account.data.set', { as: 'pat', params: { name: 'a', value: 1 } }]],
    happy: { as: 'pat', params: { limit: 1, values: false }, result: { entries: [{ name: 'a' }] } },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'account.delete': {
    happy: { as: 'pat', params: { user: 'pat', password: 'pat-pw' }, result: {} },
    forbidden: { as: 'bob', params: { user: 'pat', password: 'pat-pw' }, code: 'forbidden user' },
    invalid: { as: 'pat', params: { user: 'pat' }, answer: 'unauthorized password' },
  },
  'account.export': {
    happy: { as: 'bob', params: {}, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'pat' }, answer: 'bad_request user' },
  },
  'auth.resetPassword': {
    before: [['auth.reset', { as: 'alice', params: { user: 'pat' } }]],
    happy: { as: 'carol', params: { token: '{reset token}', password: 'pat-pw' }, result: {} },
    forbidden: { as: 'carol', params: { token: 'guess', password: 'pat-pw' }, code: 'unauthorized token' },
    invalid: { as: 'carol', params: { token: '{reset token}', password: 'short' }, answer: 'bad_request password' },
  },
  'auth.totp.begin': {
    happy: { as: 'pat', params: { password: 'pat-pw' }, result: {} },
    forbidden: { as: 'pat', params: { password: 'guess' }, code: 'unauthorized password' },
    invalid: { as: 'pat', params: {}, answer: 'bad_request password' },
  },
  'auth.totp.confirm': {
    before: begun,
    happy: { as: 'pat', params: { code: '{code of pat}' }, result: {} },
    forbidden: { as: 'pat', params: { code: '00000000' }, code: 'unauthorized code' },
    invalid: { as: 'pat', params: { code: 7 }, answer: 'bad_request code' },
  },
  'auth.totp.remove': {
    before: confirmed,
    happy: { as: 'pat', params: { password: 'pat-pw', code: '{next code of pat}' }, result: {} },
    forbidden: { as: 'pat', params: { password: 'guess', code: '{next code of pat}' }, code: 'unauthorized password' },
    invalid: { as: 'pat', params: { password: 'pat-pw' }, answer: 'bad_request code' },
  },
  'auth.totp.status': {
    happy: { as: 'bob', params: {}, result: { enabled: false, since: null, recoveryCodes: 0 } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'pat' }, answer: 'bad_request user' },
  },
}
