/** Devices: users that belong to a user, what they are asked to do, and the rooms they report to. */
import Type from 'typebox'
import { DeviceBridge } from './bridges.js'
import { command, limit, more, NOTHING, object, orNull, time, user } from './parts.js'

/** Seconds: the longest a command waits for its device. */
const MAX_COMMAND_TTL = 2_592_000
export const COMMAND_TTL = 3600

const device = Type.String({ minLength: 1, maxLength: 128, description: 'User id of the device.' })
/** The same as the broker tells it. */
export const deviceId = Type.String({ description: 'User id of the device.' })
const name = Type.Union([Type.String({ maxLength: 128 }), Type.Null()], { description: 'Name to show.' })
const may = Type.Enum(['read', 'control'], {
  description: 'read: subscribe to what it publishes. control: command it, too.',
})
const id = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })
const key = Type.String({ description: 'Its API key, shown this once: an MQTT password, or a Bearer token.' })

const Device = object(
  {
    device: deviceId,
    owner: Type.String({ description: 'Whose it is.' }),
    name,
    createdAt: time('When it was registered.'),
    may: Type.Enum(['read', 'control', 'own'], { description: 'What the asker may.' }),
  },
  { title: 'Device' },
)
/** A device with a key that it had not before. */
const withKey = object({ device: Device, key })
const Share = object(
  { user: Type.String({ description: 'User id.' }), may, at: time('Since when.') },
  { title: 'DeviceShare' },
)

const Offer = object(
  {
    device: deviceId,
    name,
    by: Type.String({ description: 'Whose it is.' }),
    at: time('Since when.'),
  },
  { title: 'DeviceOffer' },
)

/** What is published on `devices/{device}/commands` by those who may, or asked for with `devices.command`. */
export const DeviceCommandInput = {
  name: Type.String({ minLength: 1, maxLength: 128, description: 'What it is to do.' }),
  params: Type.Optional(Type.Unknown({ description: 'Any JSON.' })),
  ttl: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_COMMAND_TTL,
      default: COMMAND_TTL,
      description: 'Seconds within which it is to be done.',
    }),
  ),
  cid: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: 'A retry with the same cid is the same command.' }),
  ),
}

/** What a device publishes on `devices/{device}/receipts`. */
export const DeviceReceiptInput = {
  id: id('Of the command.'),
  ok: Type.Boolean({ description: 'Whether it was done.' }),
  result: Type.Optional(Type.Unknown({ description: 'Any JSON.' })),
  error: Type.Optional(Type.String({ maxLength: 1024, description: 'Why it was not done.' })),
}

const Command = object(
  {
    id: Type.String({ description: 'UUIDv7 of the command.' }),
    device,
    name: DeviceCommandInput.name,
    params: DeviceCommandInput.params,
    by: Type.String({ description: 'Who asked for it.' }),
    at: time('When.'),
    expiresAt: time('Until when it is to be done.'),
    state: Type.Enum(['pending', 'delivered', 'done', 'failed', 'expired']),
    deliveredAt: orNull(time('When the device acknowledged it; null: not, or not yet.')),
    finishedAt: orNull(time('When it was done, failed or expired; null: not yet.')),
    result: DeviceReceiptInput.result,
    error: DeviceReceiptInput.error,
  },
  { title: 'DeviceCommand', description: 'Something asked of a device, and what became of it.' },
)
const after = Type.Optional(Type.String({ maxLength: 128, description: 'The last device of the page before.' }))

export const DEVICE_COMMANDS = {
  'devices.register': command({
    summary: 'Makes a device of the asker’s own: a user with the role device, and its API key.',
    params: object({ device, name: Type.Optional(name) }),
    result: withKey,
    rate: 'create',
    http: { method: 'POST', path: '/devices', status: 201 },
  }),
  'devices.list': command({
    summary: 'The devices that are the asker’s, or shared with the asker, by user id.',
    params: object({ after, limit: limit(100, 1000) }),
    result: object({ devices: Type.Array(Device), more }),
    rate: 'read',
    http: { method: 'GET', path: '/devices', page: { items: 'devices', key: 'device' } },
  }),
  'devices.get': command({
    summary:
      'A device: whose it is, and for its owner with whom it is shared and where it reports to. For those who may read it.',
    params: object({ device }),
    result: object({ ...Device.properties, shares: Type.Array(Share), bridges: Type.Array(DeviceBridge) }),
    rate: 'read',
    http: { method: 'GET', path: '/devices/{device}' },
  }),
  'devices.key': command({
    summary: 'Another API key for a device; those it had so far end, with its connections. For its owner.',
    params: object({ device }),
    result: object({ device: deviceId, key }),
    rate: 'create',
    http: { method: 'POST', path: '/devices/{device}/keys', status: 201 },
  }),
  'devices.remove': command({
    summary: 'Removes a device with all it has: keys, memberships, commands, retained state. For its owner.',
    params: object({ device }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/devices/{device}' },
  }),
  'devices.transfer': command({
    summary:
      'Offers a device to someone, who becomes its owner with devices.accept; to name oneself takes it back. For its owner. Of admins it needs no acceptance.',
    params: object({ device, user }),
    result: object({
      offered: Type.Boolean({ description: 'It waits to be accepted; false: it is done.' }),
    }),
    rate: 'write',
    http: { method: 'PUT', path: '/devices/{device}/owner' },
  }),
  'devices.offers': command({
    summary: 'The devices that others offer the asker, by user id.',
    params: object({ after, limit: limit(100, 1000) }),
    result: object({ offers: Type.Array(Offer), more }),
    rate: 'read',
    http: { method: 'GET', path: '/device-offers', page: { items: 'offers', key: 'device' } },
  }),
  'devices.accept': command({
    summary:
      'Takes a device that is offered: it is the asker’s, nobody shares it, its keys of before are void, and the answer is a new one.',
    params: object({ device }),
    result: withKey,
    rate: 'create',
    http: { method: 'POST', path: '/device-offers/{device}', status: 201 },
  }),
  'devices.decline': command({
    summary: 'Takes no device that is offered.',
    params: object({ device }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/device-offers/{device}' },
  }),
  'devices.share': command({
    summary: 'Lets another user read or control a device, in place of what they might before. For its owner.',
    params: object({ device, user, may }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/devices/{device}/shares/{user}' },
  }),
  'devices.unshare': command({
    summary: 'Takes back what a user might with a device, at once. For its owner, and for that user.',
    params: object({ device, user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/devices/{device}/shares/{user}' },
  }),
  'devices.command': command({
    summary:
      'Asks a device to do something; what becomes of it is an event of the asker. For those who may control it.',
    params: object({ device, ...DeviceCommandInput }),
    result: Command,
    rate: 'write',
    http: { method: 'POST', path: '/devices/{device}/commands', status: 201 },
  }),
  'devices.commands': command({
    summary:
      'A page of what was asked of a device, ascending: the newest, or those before one. For those who may read it.',
    params: object({
      device,
      before: Type.Optional(id('Only commands before this one.')),
      limit: limit(50, 200),
    }),
    result: object({ commands: Type.Array(Command), more }),
    rate: 'read',
    http: { method: 'GET', path: '/devices/{device}/commands', page: { items: 'commands', key: 'id', back: true } },
  }),
} as const
