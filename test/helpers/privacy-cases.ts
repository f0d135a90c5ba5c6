/** Cases of the commands about privacy, room settings and marking as unread. */
import type { CommandCases } from './command-cases.js'

const OPEN = { messages: 'everyone', presence: 'everyone', readReceipts: 'everyone', invites: 'everyone' }

export const PRIVACY_CASES: Record<string, CommandCases> = {
  'rooms.get': {
    happy: {
      as: 'carol',
      params: { room: '{room}' },
      result: { id: '{room}', members: 3, thinned: [], role: null, mine: null, head: null },
    },
    forbidden: { as: 'carol', params: { room: 'dm:alice:bob' }, code: 'not_found' },
    invalid: { as: 'carol', params: { room: 'a b' }, answer: 'bad_request room' },
  },
  markUnread: {
    before: [['send', { as: 'alice', params: { room: '{room}', text: 'hi' } }]],
    happy: { as: 'bob', params: { room: '{room}', seq: 1 }, result: { room: '{room}', read: 0, unread: 1, head: 1 } },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 2 }, answer: 'bad_request seq' },
  },
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
