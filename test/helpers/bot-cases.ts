/** Cases of the commands about API keys and bots. */
import type { CommandCases } from './command-cases.js'

const bot = 'bot-{room}'
const made = [['bots.create', { as: 'alice', params: { bot } }]] satisfies CommandCases['before']

export const BOT_CASES: Record<string, CommandCases> = {
  'keys.create': {
    happy: { as: 'bob', params: { name: 'laptop', expiresIn: 3600 }, result: { name: 'laptop' } },
    forbidden: { as: 'carol', params: { name: 'laptop', user: 'bob' }, code: 'forbidden user' },
    invalid: { as: 'bob', params: { name: 'laptop', expiresIn: 1 }, answer: 'bad_request expiresIn' },
  },
  'keys.list': {
    happy: { as: 'bob', params: {}, result: { keys: [] } },
    forbidden: { as: 'carol', params: { user: 'bob' }, code: 'forbidden user' },
    invalid: { as: 'bob', params: { user: '' }, answer: 'bad_request user' },
  },
  'keys.revoke': {
    before: [['keys.create', { as: 'bob', params: { name: 'old' } }]],
    happy: { as: 'bob', params: { keyId: '{key}' }, result: {} },
    forbidden: { as: 'carol', params: { keyId: '{key}', user: 'bob' }, code: 'forbidden user' },
    invalid: { as: 'bob', params: { keyId: 'none' }, answer: 'not_found keyId' },
  },
  'bots.create': {
    happy: { as: 'bob', params: { bot }, result: { bot, key: { name: 'first' } } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { bot: 'a b' }, answer: 'bad_request bot' },
  },
  'bots.list': {
    before: made,
    happy: { as: 'alice', params: {}, result: { bots: [] } },
    forbidden: 'anyone',
    invalid: { as: 'alice', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'bots.delete': {
    before: made,
    happy: { as: 'alice', params: { bot }, result: {} },
    forbidden: { as: 'bob', params: { bot }, code: 'not_found bot' },
    invalid: { as: 'alice', params: { bot: '' }, answer: 'bad_request bot' },
  },
  'slash.set': {
    before: made,
    happy: { as: 'alice', params: { bot, commands: [{ name: 'deploy', description: 'Deploys.' }] }, result: {} },
    forbidden: { as: 'bob', params: { commands: [] }, code: 'forbidden bot' },
    invalid: {
      as: 'alice',
      params: { bot, commands: [{ name: 'De ploy', description: '' }] },
      answer: 'bad_request commands.0.name',
    },
  },
  'slash.allow': {
    before: [['rooms.join', { as: 'helper', params: { room: '{room}' } }]],
    happy: { as: 'alice', params: { room: '{room}', bot: 'helper' }, result: {} },
    forbidden: { as: 'bob', params: { room: '{room}', bot: 'helper' }, code: 'forbidden' },
    invalid: { as: 'alice', params: { room: '{room}', bot: 'bob' }, answer: 'bad_request bot' },
  },
  'slash.list': {
    happy: { as: 'bob', params: { room: '{room}' }, result: { commands: [] } },
    forbidden: { as: 'carol', params: { room: '{room}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { room: 'a b' }, answer: 'bad_request room' },
  },
}
