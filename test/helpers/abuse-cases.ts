/** Cases of the moderation commands that apply to the whole broker. */
import type { CommandCases } from './command-cases.js'

const filters = [{ match: 'words', patterns: ['unspeakable'], action: 'mask' }]

const said = ['send', { as: 'bob', params: { room: '{room}', text: 'rude' } }] as const
const reported = ['reports.create', { as: 'alice', params: { room: '{room}', seq: 1, reason: 'spam' } }] as const

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
  'reports.create': {
    before: [said],
    happy: {
      as: 'alice',
      params: { room: '{room}', seq: 1, reason: 'spam' },
      result: { room: '{room}', seq: 1, user: 'bob', by: 'alice', status: 'open' },
    },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 1, reason: 'spam' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', seq: 1, reason: 'boring' }, answer: 'bad_request reason' },
  },
  'reports.list': {
    before: [said, reported],
    happy: {
      as: 'alice',
      params: { room: '{room}' },
      result: { reports: [{ user: 'bob', message: { text: 'rude', seq: 1 } }], more: false },
    },
    forbidden: { as: 'bob', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { status: 'new' }, answer: 'bad_request status' },
  },
  'reports.resolve': {
    before: [said, reported],
    happy: { as: 'alice', params: { report: '{report}', action: 'delete' }, result: { status: 'resolved' } },
    forbidden: { as: 'bob', params: { report: '{report}', action: 'dismiss' }, code: 'not_found' },
    invalid: { as: 'alice', params: { report: '{report}', action: 'burn' }, answer: 'bad_request action' },
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
