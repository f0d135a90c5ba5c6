/** Cases of the commands about notifications and announcements. */
import type { CommandCases } from './command-cases.js'

const notified: CommandCases['before'] = [
  ['notify', { as: 'alice', params: { user: 'bob', title: 'Build', body: 'failed' } }],
]

export const NOTICE_CASES: Record<string, CommandCases> = {
  notify: {
    happy: {
      as: 'alice',
      params: { users: ['bob', 'nobody'], title: 'Build', body: 'failed', priority: 'high' },
      result: { sent: [{ user: 'bob' }], refused: [{ user: 'nobody', code: 'not_found' }] },
    },
    forbidden: { as: 'bob', params: { user: 'bob', title: 'x', body: '' }, code: 'forbidden' },
    invalid: {
      as: 'alice',
      params: { user: 'bob', title: 'x', body: '', priority: 'now' },
      answer: 'bad_request priority',
    },
  },
  'notifications.list': {
    before: notified,
    happy: { as: 'bob', params: { limit: 1 }, result: { notifications: [{ title: 'Build' }] } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'notifications.ack': {
    before: notified,
    happy: { as: 'bob', params: { ids: ['{notification}'] }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: {}, answer: 'bad_request ids' },
  },
  'notifications.settings.get': {
    happy: { as: 'dora', params: {}, result: { rooms: 'all', direct: 'all', keywords: [] } },
    forbidden: 'anyone',
    invalid: { as: 'dora', params: { room: 'tea' }, answer: 'bad_request room' },
  },
  'notifications.settings.update': {
    happy: {
      as: 'pat',
      params: { rooms: 'mentions', keywords: ['release'] },
      result: { rooms: 'mentions', direct: 'all', keywords: ['release'] },
    },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { rooms: 'some' }, answer: 'bad_request rooms' },
  },
  'notifications.status': {
    before: notified,
    happy: {
      as: 'alice',
      params: { user: 'bob', notification: '{notification}' },
      result: { acked: null, gone: null },
    },
    forbidden: { as: 'carol', params: { user: 'bob', notification: '{notification}' }, code: 'not_found' },
    invalid: {
      as: 'alice',
      params: { user: 'bob', notification: '{notification}', why: 'x' },
      answer: 'bad_request why',
    },
  },
  broadcast: {
    happy: { as: 'alice', params: { channel: 'news', text: 'hi', roles: ['staff'] }, result: { channel: 'news' } },
    forbidden: { as: 'bob', params: { channel: 'news', text: 'hi' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { channel: 'news', text: 'hi', roles: [] }, answer: 'bad_request roles' },
  },
  'broadcast.clear': {
    happy: { as: 'alice', params: { channel: 'news' }, result: {} },
    forbidden: { as: 'bob', params: { channel: 'news' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { channel: 'a b' }, answer: 'bad_request channel' },
  },
  'broadcast.history': {
    before: [['broadcast', { as: 'alice', params: { channel: '{room}', text: 'hi' } }]],
    happy: { as: 'bob', params: { channel: '{room}' }, result: { messages: [{ seq: 1, text: 'hi' }], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { channel: '{room}', limit: 0 }, answer: 'bad_request limit' },
  },
  'broadcast.channels': {
    before: [['broadcast', { as: 'alice', params: { channel: 'all', text: 'hi' } }]],
    happy: { as: 'bob', params: { limit: 1 }, result: { channels: [{ channel: 'all' }] } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
}
