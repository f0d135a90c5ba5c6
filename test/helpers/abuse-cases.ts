/** The cases of the commands that keep order beyond one room. */
import type { CommandCases } from './command-cases.js'

const filters = [{ match: 'words', patterns: ['unspeakable'], action: 'mask' }]

export const ABUSE_CASES: Record<string, CommandCases> = {
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
