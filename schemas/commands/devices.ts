/** Devices: users that belong to a user, and commands sent to them. */
import Type from 'typebox'
import { DeviceBridge } from './bridges.js'
import { command, limit, more, NOTHING, object, orNull, time, user } from './parts.js'

/** Longest time in seconds that a command waits for its device. */
const MAX_COMMAND_TTL = 2_592_000
export const COMMAND_TTL = 3600

const device = Type.String({ minLength: 1, maxLength: 128, description: 'User id of the device.' })
/** The same in results. */
export const deviceId = Type.String({ description: 'User id of the device.' })
const name = Type.Union([Type.String({ maxLength: 128 }), Type.Null()], { description: 'Name to show.' })
const may = Type.Enum(['read', 'control'], {
  description: 'read: subscribe to what it publishes. control: send it commands, too.',
})
const id = (description: string) => Type.String({ minLength: 1, maxLength: 64, description })
const key = Type.String({ description: 'Its API key, shown only once: an MQTT password, or a Bearer token.' })

const Device = object(
  {
    device: deviceId,
    owner: Type.String({ description: 'Whose it is.' }),
    name,
    createdAt: time('When it was registered.'),
    may: Type.Enum(['read', 'control', 'own'], { description: 'The caller’s access.' }),
  },
  { title: 'Device' },
)
/** A device with a new key. */
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

/** Payload of `devices/{device}/commands`, and the parameters of `devices.command`. */
export const DeviceCommandInput = {
  name: Type.String({ minLength: 1, maxLength: 128, description: 'What the device should do.' }),
  params: Type.Optional(Type.Unknown({ description: 'Any JSON.' })),
  ttl: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_COMMAND_TTL,
      default: COMMAND_TTL,
      description: 'Seconds within which it should be done.',
    }),
  ),
  cid: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      description: 'Chosen by the client: a retry with the same cid is the same command.',
    }),
  ),
}

/** Payload of `devices/{device}/receipts`. */
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
    by: Type.String({ description: 'Who sent it.' }),
    at: time('When.'),
    expiresAt: time('When it expires.'),
    state: Type.Enum(['pending', 'delivered', 'done', 'failed', 'expired']),
    deliveredAt: orNull(time('When the device acknowledged it; null: not yet, or never.')),
    finishedAt: orNull(time('When it was done, failed or expired; null: not yet.')),
    result: DeviceReceiptInput.result,
    error: DeviceReceiptInput.error,
  },
  { title: 'DeviceCommand', description: 'Something asked of a device, and what became of it.' },
)
const after = Type.Optional(Type.String({ maxLength: 128, description: 'The last device of the previous page.' }))

export const DEVICE_COMMANDS = {
  'devices.register': command({
    summary: 'Creates a device of the caller: a user with the role device, and its API key.',
    params: object({ device, name: Type.Optional(name) }),
    result: withKey,
    rate: 'create',
    http: { method: 'POST', path: '/devices', status: 201 },
  }),
  'devices.list': command({
    summary: 'The devices the caller owns, or that are shared with the caller, by user id.',
    params: object({ after, limit: limit(100, 1000) }),
    result: object({ devices: Type.Array(Device), more }),
    rate: 'read',
    http: { method: 'GET', path: '/devices', page: { items: 'devices', key: 'device' } },
  }),
  'devices.get': command({
    summary: 'A device and its owner; for the owner also its shares and bridges. For those who may read it.',
    params: object({ device }),
    result: object({ ...Device.properties, shares: Type.Array(Share), bridges: Type.Array(DeviceBridge) }),
    rate: 'read',
    http: { method: 'GET', path: '/devices/{device}' },
  }),
  'devices.key': command({
    summary:
      'Creates a new API key for a device; its previous keys are revoked and its connections closed. For its owner.',
    params: object({ device }),
    result: object({ device: deviceId, key }),
    rate: 'create',
    http: { method: 'POST', path: '/devices/{device}/keys', status: 201 },
  }),
  'devices.remove': command({
    summary: 'Removes a device with its keys, memberships, commands and retained state. For its owner.',
    params: object({ device }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/devices/{device}' },
  }),
  'devices.transfer': command({
    summary:
      'Offers a device to a user, who becomes its owner with devices.accept; naming oneself withdraws the offer. For its owner. A transfer by an admin needs no acceptance.',
    params: object({ device, user }),
    result: object({
      offered: Type.Boolean({ description: 'true: it waits to be accepted; false: it is done.' }),
    }),
    rate: 'write',
    http: { method: 'PUT', path: '/devices/{device}/owner' },
  }),
  'devices.offers': command({
    summary: 'The devices that others offer to the caller, by user id.',
    params: object({ after, limit: limit(100, 1000) }),
    result: object({ offers: Type.Array(Offer), more }),
    rate: 'read',
    http: { method: 'GET', path: '/device-offers', page: { items: 'offers', key: 'device' } },
  }),
  'devices.accept': command({
    summary:
      'Accepts an offered device: the caller becomes its owner, its shares end, its previous keys are void, and the result is a new key.',
    params: object({ device }),
    result: withKey,
    rate: 'create',
    http: { method: 'POST', path: '/device-offers/{device}', status: 201 },
  }),
  'devices.decline': command({
    summary: 'Declines an offered device.',
    params: object({ device }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/device-offers/{device}' },
  }),
  'devices.share': command({
    summary: 'Sets whether another user may read or control a device. For its owner.',
    params: object({ device, user, may }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'PUT', path: '/devices/{device}/shares/{user}' },
  }),
  'devices.unshare': command({
    summary: 'Ends a user’s access to a device, at once. For its owner, and for that user.',
    params: object({ device, user }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/devices/{device}/shares/{user}' },
  }),
  'devices.command': command({
    summary:
      'Sends a command to a device; its outcome is an event of the caller. For those who may control the device.',
    params: object({ device, ...DeviceCommandInput }),
    result: Command,
    rate: 'write',
    http: { method: 'POST', path: '/devices/{device}/commands', status: 201 },
  }),
  'devices.commands': command({
    summary:
      'A page of the commands of a device, ascending: the newest, or those before one. For those who may read it.',
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
