/** Saved messages, and the inbox of mentions. */
import type { CommandCases } from './command-cases.js'

const SAID = ['send', { as: 'bob', params: { room: '{room}', text: 'hi' } }] as const
const SAVED = ['saved.add', { as: 'dora', params: { room: '{room}', seq: 1, note: 'later' } }] as const
const MENTIONED = ['send', { as: 'alice', params: { room: '{room}', text: 'hi', mentions: ['@dora'] } }] as const

export const SAVED_CASES: Record<string, CommandCases> = {
  'mentions.list': {
    before: [MENTIONED],
    happy: {
      as: 'dora',
      params: { limit: 1 },
      result: { mentions: [{ room: '{room}', read: false, message: { seq: 1, mentions: ['@dora'] } }] },
    },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { cursor: 'x' }, answer: 'bad_request cursor' },
  },
  'saved.add': {
    before: [SAID],
    happy: {
      as: 'dora',
      params: { room: '{room}', seq: 1, note: 'later' },
      result: { room: '{room}', seq: 1, note: 'later' },
    },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 'one' }, answer: 'bad_request seq' },
  },
  'saved.remove': {
    before: [SAID, SAVED],
    happy: { as: 'dora', params: { room: '{room}', seq: 1 }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { room: '{room}', seq: 0 }, answer: 'bad_request seq' },
  },
  'saved.list': {
    before: [SAID, SAVED],
    happy: {
      as: 'dora',
      params: { room: '{room}' },
      result: { saved: [{ room: '{room}', seq: 1, note: 'later', message: { text: 'hi' } }], more: false },
    },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
}
