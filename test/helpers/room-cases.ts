/** Cases of the commands about members of rooms and their rights. */
import type { CommandCases } from './command-cases.js'

const asking = [
  ['rooms.update', { as: 'alice', params: { room: '{room}', access: 'request' } }],
  ['rooms.request', { as: 'carol', params: { room: '{room}', message: 'please' } }],
] satisfies CommandCases['before']

/** A case with a room and a user, for moderators. */
function about(user: string, result: object, before: CommandCases['before'] = []): CommandCases {
  return {
    before,
    happy: { as: 'alice', params: { room: '{room}', user }, result },
    forbidden: { as: 'bob', params: { room: '{room}', user: 'dora' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', user, why: 'x' }, answer: 'bad_request why' },
  }
}

/** A case that lists, for moderators. */
function listing(result: object, before: CommandCases['before'] = []): CommandCases {
  return {
    before,
    happy: { as: 'alice', params: { room: '{room}' }, result },
    forbidden: { as: 'bob', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: 'a b' }, answer: 'bad_request room' },
  }
}

const banned: CommandCases['before'] = [
  ['rooms.ban', { as: 'alice', params: { room: '{room}', user: 'bob', for: 60 } }],
]
const muted: CommandCases['before'] = [
  ['rooms.mute', { as: 'alice', params: { room: '{room}', user: 'bob', for: 60 } }],
]
const linked: CommandCases['before'] = [['rooms.links.create', { as: 'alice', params: { room: '{room}', uses: 1 } }]]

const INVITED: CommandCases['before'] = [['rooms.invite', { as: 'alice', params: { room: '{room}', user: 'carol' } }]]

export const ROOM_CASES: Record<string, CommandCases> = {
  'rooms.invited': {
    before: INVITED,
    happy: {
      as: 'carol',
      params: {},
      result: { more: false },
    },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'rooms.decline': {
    before: INVITED,
    happy: { as: 'carol', params: { room: '{room}' }, result: {} },
    forbidden: { as: 'dora', params: { room: '{room}' }, code: 'not_found' },
    invalid: { as: 'carol', params: { room: '{room}', why: 'x' }, answer: 'bad_request why' },
  },
  'rooms.requested': {
    before: asking,
    happy: { as: 'carol', params: {}, result: { more: false } },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'rooms.withdraw': {
    before: asking,
    happy: { as: 'carol', params: { room: '{room}' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}' }, code: 'not_found' },
    invalid: { as: 'carol', params: { room: '{room}', why: 'x' }, answer: 'bad_request why' },
  },
  'rooms.events': {
    before: INVITED,
    happy: {
      as: 'dora',
      params: { room: '{room}', limit: 1 },
      result: { events: [{ room: '{room}', type: 'invited', user: 'carol', by: 'alice' }], more: true },
    },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', limit: 0 }, answer: 'bad_request limit' },
  },
  'rooms.setRole': {
    happy: {
      as: 'alice',
      params: { room: '{room}', user: 'bob', role: 'moderator' },
      result: { user: 'bob', role: 'moderator' },
    },
    forbidden: { as: 'bob', params: { room: '{room}', user: 'dora', role: 'member' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', user: 'bob', role: 'king' }, answer: 'bad_request role' },
  },
  'rooms.transfer': about('bob', { user: 'bob', role: 'owner' }),
  'rooms.ban': about('bob', { user: 'bob', by: 'alice', until: null, reason: null }),
  'rooms.unban': {
    ...about('bob', {}, banned),
    forbidden: { as: 'dora', params: { room: '{room}', user: 'bob' }, code: 'forbidden' },
  },
  'rooms.bans': listing({ bans: [{ user: 'dora' }], more: false }, [
    ['rooms.ban', { as: 'alice', params: { room: '{room}', user: 'dora' } }],
  ]),
  'rooms.mute': about('bob', { user: 'bob', by: 'alice', until: null }),
  'rooms.unmute': about('bob', {}, muted),
  'rooms.mutes': listing({ mutes: [{ user: 'bob' }], more: false }, muted),
  'rooms.settings': {
    happy: {
      as: 'bob',
      params: { room: '{room}', pinned: true },
      result: { notifications: 'default', mutedUntil: null, pinned: true, hidden: false },
    },
    forbidden: { as: 'carol', params: { room: '{room}', pinned: true }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', notifications: 'some' }, answer: 'bad_request notifications' },
  },
  'rooms.links.create': {
    happy: { as: 'alice', params: { room: '{room}', uses: 3 }, result: { by: 'alice', uses: 3, expiresAt: null } },
    forbidden: { as: 'bob', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', uses: 0 }, answer: 'bad_request uses' },
  },
  'rooms.links.list': listing({ links: [{ uses: 1 }] }, linked),
  'rooms.links.revoke': {
    before: linked,
    happy: { as: 'alice', params: { room: '{room}', link: '{link}' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}', link: '{link}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', link: 'x'.repeat(65) }, answer: 'bad_request link' },
  },
  'rooms.request': {
    before: [asking[0]!],
    happy: { as: 'carol', params: { room: '{room}', message: 'please' }, result: {} },
    forbidden: { as: 'carol', params: { room: 'dm:alice:bob' }, code: 'not_found' },
    invalid: { as: 'carol', params: { room: '{room}', message: 7 }, answer: 'bad_request message' },
  },
  'rooms.requests': listing({ requests: [{ user: 'carol', message: 'please' }], more: false }, asking),
  'rooms.approve': about('carol', { user: 'carol', role: 'member' }, asking),
  'rooms.deny': about('carol', {}, asking),
}
