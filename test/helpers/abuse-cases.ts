/** The cases of the commands that keep order beyond one room. */
import type { CommandCases } from './command-cases.js'

const filters = [{ match: 'words', patterns: ['unspeakable'], action: 'mask' }]

export const ABUSE_CASES: Record<string, CommandCases> = {
  'audit.list': {
    before: [['rooms.mute', { as: 'alice', params: { room: '{room}', user: 'bob' } }]],
    happy: {
      as: 'alice',
      params: { room: '{room}', action: 'rooms.mute' },
      result: { entries: [{ actor: 'alice', action: 'rooms.mute', user: 'bob', room: '{room}', result: 'ok' }] },
    },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { before: 0 }, answer: 'bad_request before' },
  },
  'filters.list': {
    happy: { as: 'alice', params: {}, result: { filters: [], configured: [] } },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}' }, answer: 'bad_request room' },
  },
  'filters.set': {
    happy: { as: 'alice', params: { filters }, result: { filters, configured: [] } },
    forbidden: { as: 'bob', params: { filters: [] }, code: 'forbidden' },
    invalid: {
      as: 'alice',
      params: { filters: [{ match: 'regex', patterns: ['('], action: 'mask' }] },
      answer: 'bad_request filters.0.patterns.0',
    },
  },
}
