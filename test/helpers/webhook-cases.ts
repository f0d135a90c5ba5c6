/** Cases of the commands about webhooks, which are for admins, such as alice. No server listens at their URLs. */
import type { CommandCases } from './command-cases.js'

const NOWHERE = 'http://127.0.0.1:9/'
const webhook = 'w-{room}'

const made = [
  ['webhooks.create', { as: 'alice', params: { webhook, url: NOWHERE, events: ['room.deleted'] } }],
] satisfies CommandCases['before']

/** A case with a webhook. */
function about(params: object, result: object): CommandCases {
  return {
    before: made,
    happy: { as: 'alice', params: { webhook, ...params }, result },
    forbidden: { as: 'bob', params: { webhook, ...params }, code: 'forbidden' },
    invalid: { as: 'alice', params: { webhook: 'no', ...params }, answer: 'not_found webhook' },
  }
}

export const WEBHOOK_CASES: Record<string, CommandCases> = {
  'webhooks.create': {
    happy: {
      as: 'alice',
      params: { webhook, url: NOWHERE, events: ['user.*'], users: ['bob'] },
      result: { id: webhook, events: ['user.*'], users: ['bob'], rooms: null, direct: false, enabled: true },
    },
    forbidden: { as: 'bob', params: { url: NOWHERE, events: ['*'] }, code: 'forbidden' },
    invalid: { as: 'alice', params: { url: NOWHERE, events: ['users.*'] }, answer: 'bad_request events' },
  },
  'webhooks.list': {
    before: made,
    happy: { as: 'alice', params: {}, result: { webhooks: [{ url: NOWHERE, source: 'command' }] } },
    forbidden: { as: 'bob', params: {}, code: 'forbidden' },
    invalid: { as: 'alice', params: { all: 'yes' }, answer: 'bad_request all' },
  },
  'webhooks.update': about({ enabled: false }, { id: webhook, enabled: false, secret: null }),
  'webhooks.delete': about({}, {}),
  'webhooks.deliveries': about({}, { deliveries: [], more: false }),
  'webhooks.retry': about({}, { retrying: 0 }),
  'webhooks.test': about({}, { ok: false, status: null }),
}
