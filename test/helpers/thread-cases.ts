/** Threads, versions of messages and reactions. */
import type { CommandCases } from './command-cases.js'

const SAID = ['send', { as: 'bob', params: { room: '{room}', text: 'hi' } }] as const
const REPLIED = ['send', { as: 'alice', params: { room: '{room}', text: 'oh', thread: 1 } }] as const
const REACTED = [
  'send',
  { as: 'alice', params: { room: '{room}', type: 'reaction', target: 1, data: { emoji: '👍' } } },
] as const
const EDITED = ['send', { as: 'bob', params: { room: '{room}', type: 'edit', target: 1, text: 'ho' } }] as const

export const THREAD_CASES: Record<string, CommandCases> = {
  edits: {
    before: [SAID, EDITED],
    happy: {
      as: 'dora',
      params: { room: '{room}', seq: 1 },
      result: {
        versions: [
          { seq: 1, text: 'hi' },
          { seq: 2, text: 'ho' },
        ],
        more: false,
      },
    },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 'one' }, answer: 'bad_request seq' },
  },
  reactions: {
    before: [SAID, REACTED],
    happy: {
      as: 'dora',
      params: { room: '{room}', seq: 1 },
      result: { reactions: [{ user: 'alice', emoji: ['👍'] }], more: false },
    },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 1, limit: 0 }, answer: 'bad_request limit' },
  },
  'threads.list': {
    before: [SAID, REPLIED],
    happy: {
      as: 'dora',
      params: { room: '{room}' },
      result: {
        threads: [{ message: { seq: 1, replies: { count: 1, lastSeq: 2, users: ['alice'] } }, following: false }],
        more: false,
      },
    },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', limit: 0 }, answer: 'bad_request limit' },
  },
  'threads.followed': {
    happy: { as: 'carol', params: {}, result: { threads: [], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'threads.follow': {
    before: [SAID],
    happy: { as: 'dora', params: { room: '{room}', thread: 1 }, result: {} },
    forbidden: { as: 'carol', params: { room: '{room}', thread: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', thread: 'one' }, answer: 'bad_request thread' },
  },
  'threads.unfollow': {
    happy: { as: 'dora', params: { room: '{room}', thread: 1 }, result: {} },
    forbidden: { as: 'carol', params: { room: '{room}', thread: 1 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', thread: 0 }, answer: 'bad_request thread' },
  },
}
