/** Bridges from device topics into rooms. */
import Type from 'typebox'
import { command, NOTHING, object, orNull, time, user, was } from './parts.js'

/** Longest template, and longest text made of one, in characters. */
const MAX_TEMPLATE = 1024
export const MAX_BRIDGED_TEXT = 4096

const device = { ...user, description: 'User id of the device.' }
const roomId = Type.String({ minLength: 1, maxLength: 64, description: 'A room id.' })
const filter = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'Topic filter below devices/{device}/, such as alarms/#.',
})
const template = Type.String({
  minLength: 1,
  maxLength: MAX_TEMPLATE,
  description: 'Text of each message. {payload}, {topic} and {key}, for a key of the published object, are replaced.',
})

const bridge = Type.String({ description: 'Identifies the bridge in devices.unbridge.' })

export const DeviceBridge = object(
  {
    bridge,
    id: was('bridge', bridge),
    filter,
    room: roomId,
    template: orNull(template),
    by: Type.String({ description: 'Who made it.' }),
    at: time('When.'),
  },
  { title: 'DeviceBridge', description: 'What a device publishes on some topics is posted into a room.' },
)

export const BRIDGE_COMMANDS = {
  'devices.bridge': command({
    summary:
      'Posts what a device publishes on some topics into a room, with the device as author. For its owner, who must be allowed to invite into the room.',
    params: object({ device, filter, room: roomId, template: Type.Optional(template) }),
    result: DeviceBridge,
    rate: 'create',
    http: { method: 'POST', path: '/devices/{device}/bridges', status: 201 },
  }),
  'devices.unbridge': command({
    summary: 'Ends a bridge; the device stays a member of the room. For its owner.',
    params: object({ device, bridge: Type.String({ minLength: 1, maxLength: 64, description: 'Id of the bridge.' }) }),
    result: NOTHING,
    rate: 'write',
    http: { method: 'DELETE', path: '/devices/{device}/bridges/{bridge}' },
  }),
} as const
