/** Cases of the search command. */
import type { CommandCases } from './command-cases.js'

export const SEARCH_CASES: Record<string, CommandCases> = {
  search: {
    before: [['send', { as: 'alice', params: { room: '{room}', text: 'a needle' } }]],
    happy: {
      as: 'bob',
      params: { query: 'needle', room: '{room}', limit: 1 },
      result: { results: [{ message: { room: '{room}', text: 'a needle' } }], more: false, pending: 0 },
    },
    forbidden: { as: 'carol', params: { query: 'needle', room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { query: '"needle' }, answer: 'bad_request query' },
  },
}
