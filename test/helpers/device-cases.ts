/** Cases of the device commands. bob owns `d-{room}`, which carol may read. */
import type { CommandCases } from './command-cases.js'

const device = 'd-{room}'
const registered = [['devices.register', { as: 'bob', params: { device } }]] satisfies CommandCases['before']
const shared = [
  ...registered,
  ['devices.share', { as: 'bob', params: { device, user: 'carol', may: 'read' } }],
] satisfies CommandCases['before']

const offered = [
  ...registered,
  ['devices.transfer', { as: 'bob', params: { device, user: 'dora' } }],
] satisfies CommandCases['before']

/** A case for the owner of the device. */
function owned(params: object, result: object): CommandCases {
  return {
    before: shared,
    happy: { as: 'bob', params: { device, ...params }, result },
    forbidden: { as: 'carol', params: { device, ...params }, code: 'forbidden' },
    invalid: { as: 'bob', params: { device, ...params, why: 'x' }, answer: 'bad_request why' },
  }
}

export const DEVICE_CASES: Record<string, CommandCases> = {
  'devices.register': {
    happy: { as: 'bob', params: { device, name: 'Lamp' }, result: { device: { device, owner: 'bob', may: 'own' } } },
    forbidden: 'anyone',
    invalid: { as: 'bob', params: { device: 'a/b' }, answer: 'bad_request device' },
  },
  'devices.list': {
    before: shared,
    happy: { as: 'carol', params: { limit: 1 }, result: { devices: [{ owner: 'bob', may: 'read' }] } },
    forbidden: 'anyone',
    invalid: { as: 'carol', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'devices.get': {
    before: shared,
    happy: { as: 'bob', params: { device }, result: { shares: [{ user: 'carol', may: 'read' }], bridges: [] } },
    forbidden: { as: 'dora', params: { device }, code: 'not_found' },
    invalid: { as: 'bob', params: { device: '' }, answer: 'bad_request device' },
  },
  'devices.key': owned({}, { device }),
  'devices.remove': owned({}, {}),
  'devices.transfer': owned({ user: 'dora' }, { offered: true }),
  'devices.offers': {
    before: offered,
    happy: { as: 'dora', params: { limit: 1000 }, result: { more: false } },
    forbidden: 'anyone',
    invalid: { as: 'dora', params: { limit: 0 }, answer: 'bad_request limit' },
  },
  'devices.accept': {
    before: offered,
    happy: { as: 'dora', params: { device }, result: { device: { device, owner: 'dora', may: 'own' } } },
    forbidden: { as: 'carol', params: { device }, code: 'not_found' },
    invalid: { as: 'dora', params: { device: '' }, answer: 'bad_request device' },
  },
  'devices.decline': {
    before: offered,
    happy: { as: 'dora', params: { device }, result: {} },
    forbidden: { as: 'carol', params: { device }, code: 'not_found' },
    invalid: { as: 'dora', params: { device: '' }, answer: 'bad_request device' },
  },
  'devices.share': owned({ user: 'dora', may: 'control' }, {}),
  'devices.unshare': {
    before: shared,
    happy: { as: 'carol', params: { device, user: 'carol' }, result: {} },
    forbidden: { as: 'dora', params: { device, user: 'carol' }, code: 'not_found' },
    invalid: { as: 'bob', params: { device, user: 'dora' }, answer: 'not_found user' },
  },
  'devices.command': owned({ name: 'on', params: { level: 3 }, ttl: 60 }, { name: 'on', state: 'pending', by: 'bob' }),
  'devices.commands': {
    before: [...shared, ['devices.command', { as: 'bob', params: { device, name: 'on' } }]],
    happy: { as: 'carol', params: { device }, result: { commands: [{ name: 'on', state: 'pending' }], more: false } },
    forbidden: { as: 'dora', params: { device }, code: 'not_found' },
    invalid: { as: 'carol', params: { device, limit: 0 }, answer: 'bad_request limit' },
  },
  'devices.bridge': {
    ...owned({ filter: 'alarms/#', room: '{room}' }, { filter: 'alarms/#', room: '{room}', template: null }),
    before: [...shared, ['rooms.setRole', { as: 'alice', params: { room: '{room}', user: 'bob', role: 'admin' } }]],
  },
  'devices.unbridge': {
    before: [
      ...shared,
      ['rooms.setRole', { as: 'alice', params: { room: '{room}', user: 'bob', role: 'admin' } }],
      ['devices.bridge', { as: 'bob', params: { device, filter: '#', room: '{room}' } }],
    ],
    happy: { as: 'bob', params: { device, bridge: '{bridge}' }, result: {} },
    forbidden: { as: 'carol', params: { device, bridge: '{bridge}' }, code: 'forbidden' },
    invalid: { as: 'bob', params: { device, bridge: 'none' }, answer: 'not_found bridge' },
  },
}
