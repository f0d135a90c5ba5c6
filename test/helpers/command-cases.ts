/**
 * For every command a request that succeeds, one that is forbidden and one that is invalid; a test runs each over MQTT and HTTP. alice owns
 * `{room}`, a public room, bob is a member of it, dora is a reader, carol is not in it. helper is a bot of bob’s. pat has a password,
 * `pat-pw`, and logs in again for each case.
 */

import { ABUSE_CASES } from './abuse-cases.js'
import { ACCOUNT_ADMIN_CASES } from './account-admin-cases.js'
import { ACCOUNT_CASES } from './account-cases.js'
import { BOT_CASES } from './bot-cases.js'
import { DEVICE_CASES } from './device-cases.js'
import { FILE_CASES } from './file-cases.js'
import { NOTICE_CASES } from './notice-cases.js'
import { OIDC_CASES } from './oidc-cases.js'
import { PRIVACY_CASES } from './privacy-cases.js'
import { ROOM_CASES } from './room-cases.js'
import { SAVED_CASES } from './saved-cases.js'
import { SEARCH_CASES } from './search-cases.js'
import { THREAD_CASES } from './thread-cases.js'
import { WEBHOOK_CASES } from './webhook-cases.js'

export interface Ask {
  as: string
  params: Record<string, unknown>
}

export interface CommandCases {
  /** Requests that must succeed before it; `{link}` and `{notification}` stand for what one of them created. */
  before?: readonly (readonly [string, Ask])[]
  happy: Ask & { result: object }
  /** `anyone`: every user may run it, so it is only tested in another user's name. `open`: no login is needed. */
  forbidden: (Ask & { code: string }) | 'anyone' | 'open'
  /** `answer`: code and field of the refusal. */
  invalid: Ask & { answer: string }
}

/** The cases of a command. Throws with instructions if there are none. */
export function casesOf(name: string): CommandCases {
  const cases = COMMAND_CASES[name]
  if (!cases) throw new Error(`${name}: ${NO_CASES}`)
  return cases
}

export const NO_CASES =
  'no cases for this command: add an entry (happy, forbidden, invalid) to COMMAND_CASES, in test/helpers/command-cases.ts or in the file of its group beside it, such as room-cases.ts'

/** `{room}`: a new room for each case. `{token of bob}`: a token. */
export const COMMAND_CASES: Record<string, CommandCases> = {
  ...ROOM_CASES,
  ...WEBHOOK_CASES,
  ...NOTICE_CASES,
  ...DEVICE_CASES,
  ...PRIVACY_CASES,
  ...ACCOUNT_CASES,
  ...ACCOUNT_ADMIN_CASES,
  ...BOT_CASES,
  ...ABUSE_CASES,
  ...SEARCH_CASES,
  ...OIDC_CASES,
  ...FILE_CASES,
  ...THREAD_CASES,
  ...SAVED_CASES,
  'server.info': {
    happy: { as: 'bob', params: {}, result: { name: 'TopicTalk', login: { registration: 'open' } } },
    forbidden: 'open',
    invalid: { as: 'bob', params: { all: 'yes' }, answer: 'bad_request all' },
  },
  send: {
    happy: { as: 'bob', params: { room: '{room}', text: 'hi' }, result: { room: '{room}', seq: 1 } },
    forbidden: { as: 'dora', params: { room: '{room}', text: 'hi' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', text: 7 }, answer: 'bad_request text' },
  },
  typing: {
    happy: { as: 'bob', params: { room: '{room}' }, result: {} },
    forbidden: { as: 'dora', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', typing: 'perhaps' }, answer: 'bad_request typing' },
  },
  'users.setPresence': {
    happy: { as: 'dora', params: { status: 'busy' }, result: { user: 'dora', status: 'busy', statusUntil: null } },
    forbidden: 'anyone',
    invalid: { as: 'dora', params: { statusEmoji: 'none such' }, answer: 'bad_request statusEmoji' },
  },
  publish: {
    happy: { as: 'bob', params: { topic: 'devices/bob/state', payload: 'on', retain: true }, result: {} },
    forbidden: { as: 'bob', params: { topic: 'devices/alice/state', payload: 'on' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { topic: 'rooms/tea/messages', payload: 'hi' }, answer: 'bad_request topic' },
  },
  history: {
    happy: { as: 'bob', params: { room: '{room}', limit: 5 }, result: { messages: [], more: false } },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', limit: 'many' }, answer: 'bad_request limit' },
  },
  read: {
    happy: { as: 'bob', params: { room: '{room}', seq: 0 }, result: { read: 0, delivered: 0 } },
    forbidden: { as: 'carol', params: { room: '{room}', seq: 0 }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 1 }, answer: 'bad_request seq' },
  },
  receipts: {
    happy: {
      as: 'bob',
      params: { room: '{room}', seq: 1 },
      result: { receipts: [], read: 0, delivered: 0, more: false },
    },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', seq: 0 }, answer: 'bad_request seq' },
  },
  unread: {
    happy: { as: 'bob', params: { room: '{room}' }, result: { rooms: [{ room: '{room}', unread: 0 }], more: false } },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  sync: {
    happy: {
      as: 'carol',
      params: { rooms: { '{room}': { seq: 0 } } },
      result: { rooms: [], left: ['{room}'], more: false },
    },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { rooms: 7 }, answer: 'bad_request rooms' },
  },
  'rooms.create': {
    happy: {
      as: 'alice',
      params: { room: '{room}-b', name: 'B' },
      result: { id: '{room}-b', name: 'B', role: 'owner' },
    },
    forbidden: { as: 'carol', params: { room: '{room}-c' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}-d', acces: 'public' }, answer: 'bad_request acces' },
  },
  'rooms.update': {
    happy: { as: 'alice', params: { room: '{room}', topic: null, name: 'New' }, result: { name: 'New' } },
    forbidden: { as: 'bob', params: { room: '{room}', name: 'Mine' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', access: 'secret' }, answer: 'bad_request access' },
  },
  'rooms.delete': {
    happy: { as: 'alice', params: { room: '{room}' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', force: 'yes' }, answer: 'bad_request force' },
  },
  'rooms.join': {
    happy: { as: 'carol', params: { room: '{room}' }, result: { id: '{room}', role: 'member', members: 4 } },
    forbidden: { as: 'carol', params: { room: 'dm:alice:bob' }, code: 'not_found' },
    invalid: { as: 'carol', params: { room: '{room}', role: 'owner' }, answer: 'bad_request role' },
  },
  'rooms.leave': {
    happy: { as: 'bob', params: { room: '{room}' }, result: {} },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: 'a b' }, answer: 'bad_request room' },
  },
  'rooms.invite': {
    happy: { as: 'alice', params: { room: '{room}', user: 'carol' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}', user: 'carol' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}' }, answer: 'bad_request user' },
  },
  'rooms.remove': {
    happy: { as: 'alice', params: { room: '{room}', user: 'bob' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}', user: 'dora' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', user: 'bob', why: 'noise' }, answer: 'bad_request why' },
  },
  'rooms.members': {
    happy: { as: 'bob', params: { room: '{room}', limit: 1 }, result: { members: [{ user: 'alice' }], more: true } },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: '{room}', limit: 0 }, answer: 'bad_request limit' },
  },
  'rooms.list': {
    happy: { as: 'carol', params: { scope: 'public', after: '~', limit: 1 }, result: { rooms: [], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { scope: 'all' }, answer: 'bad_request scope' },
  },
  'auth.refresh': {
    happy: { as: 'bob', params: { token: '{token of bob}' }, result: { expiresAt: null, roles: [] } },
    forbidden: { as: 'bob', params: { token: '{token of carol}' }, code: 'unauthorized' },
    invalid: { as: 'bob', params: { token: 7 }, answer: 'bad_request token' },
  },
  'auth.register': {
    happy: { as: 'bob', params: { user: '{room}-x', password: 'secret' }, result: { user: '{room}-x' } },
    forbidden: 'open',
    invalid: { as: 'bob', params: { user: '{room}-y', password: 'short' }, answer: 'bad_request password' },
  },
  'auth.invite': {
    happy: { as: 'alice', params: { uses: 2 }, result: {} },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { uses: 0 }, answer: 'bad_request uses' },
  },
  'auth.login': {
    happy: { as: 'carol', params: { user: 'pat', password: 'pat-pw' }, result: { user: 'pat' } },
    forbidden: { as: 'carol', params: { user: 'pat', password: 'guess' }, code: 'unauthorized password' },
    invalid: { as: 'carol', params: { user: 'pat' }, answer: 'bad_request password' },
  },
  'auth.token': {
    happy: { as: 'carol', params: { refreshToken: '{refresh token of pat}' }, result: { user: 'pat' } },
    forbidden: { as: 'carol', params: { refreshToken: 'guess' }, code: 'unauthorized refreshToken' },
    invalid: { as: 'carol', params: { refreshToken: 7 }, answer: 'bad_request refreshToken' },
  },
  'auth.logout': {
    happy: { as: 'pat', params: {}, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { all: true }, answer: 'bad_request all' },
  },
  'auth.logoutEverywhere': {
    happy: { as: 'pat', params: {}, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'pat', params: { all: true }, answer: 'bad_request all' },
  },
  'auth.password': {
    happy: { as: 'pat', params: { old: 'pat-pw', new: 'pat-pw' }, result: { user: 'pat' } },
    forbidden: { as: 'pat', params: { old: 'guess', new: 'pat-pw' }, code: 'unauthorized old' },
    invalid: { as: 'pat', params: { old: 'pat-pw', new: 'short' }, answer: 'bad_request password' },
  },
  'sessions.list': {
    happy: { as: 'bob', params: { limit: 1 }, result: { sessions: [{ id: 'bob', connected: true }], more: false } },
    forbidden: { as: 'bob', params: { user: 'carol' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'sessions.end': {
    happy: { as: 'alice', params: { session: '{session of pat}', user: 'pat' }, result: {} },
    forbidden: { as: 'bob', params: { session: 'carol', user: 'carol' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { session: '{room}' }, answer: 'not_found session' },
  },
  'sessions.endOthers': {
    happy: { as: 'pat', params: {}, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { session: 'bob' }, answer: 'bad_request session' },
  },
  'users.profiles': {
    happy: {
      as: 'carol',
      params: { users: ['bob', 'nobody'] },
      result: { profiles: [{ user: 'bob' }], more: false },
    },
    forbidden: 'anyone',
    invalid: {
      as: 'bob',
      params: { users: Array.from({ length: 101 }, (_, i) => `u${i}`) },
      answer: 'bad_request users',
    },
  },
  'users.presence': {
    happy: {
      as: 'carol',
      params: { users: ['nobody'] },
      result: { presences: [{ user: 'nobody', state: 'offline' }] },
    },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { users: [''] }, answer: 'bad_request users' },
  },
  'users.get': {
    happy: { as: 'bob', params: { user: 'carol' }, result: { user: 'carol', name: null } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'nobody' }, answer: 'not_found user' },
  },
  'users.update': {
    happy: { as: 'bob', params: { name: 'Bob', fields: { a: 1 } }, result: { user: 'bob', name: 'Bob' } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'carol' }, answer: 'bad_request user' },
  },
  'users.search': {
    happy: { as: 'bob', params: { query: 'CAR' }, result: { users: [{ user: 'carol' }], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { query: '' }, answer: 'bad_request query' },
  },
  'blocks.add': {
    happy: { as: 'bob', params: { user: 'dora' }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'bob' }, answer: 'bad_request user' },
  },
  'blocks.remove': {
    happy: { as: 'bob', params: { user: 'dora' }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'dora', why: 'x' }, answer: 'bad_request why' },
  },
  'blocks.list': {
    happy: { as: 'dora', params: {}, result: { blocks: [], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'dora', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'contacts.request': {
    happy: { as: 'bob', params: { user: 'carol' }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { user: 'bob' }, answer: 'bad_request user' },
  },
  'contacts.accept': {
    happy: { as: 'carol', params: { user: 'bob' }, result: { state: 'contact' } },
    forbidden: { as: 'dora', params: { user: 'carol' }, code: 'not_found' },
    invalid: { as: 'carol', params: { user: 'bob', why: 'x' }, answer: 'bad_request why' },
  },
  'contacts.list': {
    happy: { as: 'carol', params: {}, result: { contacts: [{ user: 'bob', state: 'contact' }], more: false } },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'contacts.remove': {
    happy: { as: 'carol', params: { user: 'dora' }, result: {} },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { user: 'bob', why: 'x' }, answer: 'bad_request why' },
  },
}
