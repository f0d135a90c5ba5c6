/** The cases of privacy, of what a room is, and of what is to be read again. */
import type { CommandCases } from './command-cases.js'

const OPEN = { messages: 'everyone', presence: 'everyone', readReceipts: 'everyone', invites: 'everyone' }

export const PRIVACY_CASES: Record<string, CommandCases> = {
  'privacy.get': {
    happy: { as: 'dora', params: {}, result: OPEN },
    forbidden: 'anyone',
    invalid: { as: 'dora', params: { user: 'bob' }, answer: 'bad_request user' },
  },
  'privacy.update': {
    happy: { as: 'pat', params: { presence: 'nobody' }, result: { ...OPEN, presence: 'nobody' } },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { presence: 'friends' }, answer: 'bad_request presence' },
  },
}
