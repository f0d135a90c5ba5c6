/** Random programs for the authorisation test. */
import fc from '../../helpers/fast-check.js'
import { PLAIN_TOPICS } from './plain-rights.js'
import { scenes } from './scenes.js'
import { scenesOfChange } from './scenes-of-change.js'
import {
  type Access,
  AUDIENCES,
  CAST,
  CHANNEL,
  type Command,
  type Joining,
  PRIVACY,
  type Program,
  type QoS,
  ROOM_ACTS,
  ROOMS,
  type Role,
  type RoomAct,
  USERS,
} from './words.js'

const user = fc.constantFrom(...USERS)
const room = fc.constantFrom(...ROOMS)
const slot = fc.nat(CAST.length - 1)
const qos = fc.constantFrom<QoS>(1, 2, 0)
const rarely = fc.nat(4).map((n) => n === 4)
const roles = fc.subarray(['red', 'blue'])
const role = fc.constantFrom<Role>('member', 'moderator', 'admin', 'reader', 'owner')

/** Filters of all kinds: allowed ones and forbidden ones. */
const filter = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('rooms/+/messages', 'rooms/#', 'rooms/+/#', 'rooms/+/events') },
  {
    weight: 2,
    arbitrary: fc.tuple(room, fc.constantFrom('messages', 'text', 'events', '#')).map(([r, l]) => `rooms/${r}/${l}`),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(room, fc.constantFrom('receipts', 'typing', 'info')).map(([r, l]) => `rooms/${r}/${l}`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('users/#', 'users/+/messages', 'users/+/presence', 'users/+/#', 'users/+/signals'),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(user, fc.constantFrom('presence', 'messages', '#')).map(([u, l]) => `users/${u}/${l}`),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('#', '+/#', '+/+/+', '$SYS/#', 'broadcast/#', CHANNEL, 'devices/#', 'devices/+/heat'),
  },
  { weight: 2, arbitrary: fc.constantFrom('open/#', '+/vault/+', 'red/#', '+/plan', 'drop/+', 'own/+/x', 'mine/+/x') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'devices/lamp/#',
      'devices/lamp/state',
      'devices/+/state',
      'devices/bob/#',
      'devices/ann/#',
      'devices/cat/heat',
      'rooms/dm:ann:bob/typing',
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('g', 'h'),
        fc.constantFrom('rooms/+/messages', 'red/#', '#', 'users/+/messages', 'rooms/den/messages'),
      )
      .map(([group, of]) => `$share/${group}/${of}`),
  },
)

const will = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: room.map((name) => `rooms/${name}/messages`) },
  { weight: 1, arbitrary: fc.constantFrom(...PLAIN_TOPICS) },
)

const joining: fc.Arbitrary<Joining> = fc.record({
  version: fc.constantFrom(4 as const, 5 as const),
  clean: rarely,
  held: rarely,
  roles,
  filters: fc.array(fc.record({ filter, qos }), { minLength: 1, maxLength: 5 }),
  will,
})

/** Topics on which only the broker or the owner may publish. */
const forged = fc.oneof(
  fc.tuple(room, fc.constantFrom('events', 'info')).map(([r, leaf]) => `rooms/${r}/${leaf}`),
  fc.tuple(user, fc.constantFrom('events', 'replies', 'notifications')).map(([u, leaf]) => `users/${u}/${leaf}`),
  fc.constantFrom('$SYS/x', CHANNEL, 'rooms/dm:ann:bob/messages', 'tick'),
)

const anyone = fc.constantFrom('root', ...USERS)
const access = fc.constantFrom<Access>('public', 'request', 'private')
const act = { room, peer: user, role, access }
const byRoot = fc.constantFrom<RoomAct['act']>(
  'remove',
  'ban',
  'invite',
  'setRole',
  'update',
  'unban',
  'approve',
  'mute',
  'mute',
)

const deed = fc.constantFrom('read', 'control', 'read', 'unshare', 'transfer')

/** Commands of one kind, with their weight. */
function of<Name extends Command['do']>(name: Name, weight: number, fields: object) {
  const arbitrary = fc.record({ do: fc.constant(name), ...fields } as object) as fc.Arbitrary<unknown>
  return { weight, arbitrary: arbitrary as fc.Arbitrary<Command> }
}

const command: fc.Arbitrary<Command> = fc.oneof(
  of('say', 32, { user, room, how: fc.constantFrom(0, 1, 2, 'text', 'http') }),
  of('erase', 4, { user, room, nth: fc.nat(9) }),
  of('tell', 12, { user, peer: user, how: fc.constantFrom(0, 1, 2, 'http') }),
  of('signal', 4, { user, peer: user }),
  of('notify', 4, { user: anyone, peer: user }),
  of('typing', 4, { user, room }),
  of('read', 4, { user, room }),
  of('status', 8, { user }),
  of('announce', 6, { user: anyone, roles, retain: fc.boolean() }),
  of('slash', 4, { user, room }),
  of('report', 3, { user, room, nth: fc.nat(9) }),
  of('forward', 4, { user, from: room, room, nth: fc.nat(9) }),
  of('privacy', 8, { user, what: fc.constantFrom(...PRIVACY), to: fc.constantFrom(...AUDIENCES) }),
  of('gauge', 6, { qos, retain: rarely }),
  of('order', 2, { user }),
  of('device', 8, { user, peer: user, how: deed }),
  of('device', 6, { user: fc.constant('ann'), peer: user, how: deed }),
  of('plain', 16, { user, topic: fc.constantFrom(...PLAIN_TOPICS), qos, retain: rarely }),
  of('forge', 8, { user, topic: forged }),
  of('act', 48, { ...act, user, act: fc.constantFrom(...ROOM_ACTS) }),
  of('act', 24, { ...act, user: fc.constant('root'), act: byRoot }),
  of('race', 8, { user: anyone, peer: user, speaker: anyone, room, ban: fc.boolean() }),
  of('social', 16, { user, peer: user, how: fc.constantFrom('block', 'unblock', 'ask', 'accept', 'part') }),
  { weight: 24, arbitrary: fc.tuple(slot, joining).map(([at, wish]) => ({ do: 'come' as const, slot: at, ...wish })) },
  of('cut', 12, { slot }),
  of('thaw', 4, { slot }),
  of('end', 4, { slot }),
  of('subscribe', 12, { slot, filter, qos }),
  of('unsubscribe', 4, { slot, nth: fc.nat(4) }),
  of('renew', 8, { slot, roles }),
  of('probe', 4, { user }),
  of('logout', 1, { user }),
  of('restart', 1, {}),
)

const allScenes = fc.oneof(scenes, scenesOfChange)

/** A single command or a scene. */
const passage: fc.Arbitrary<Command[]> = fc.oneof(
  { weight: 12, arbitrary: command.map((one) => [one]) },
  { weight: 1, arbitrary: allScenes },
)

function programOf(passages: fc.Arbitrary<Command[][]>): fc.Arbitrary<Program> {
  const people = { minLength: USERS.length, maxLength: USERS.length }
  return fc.record({
    roles: fc.array(fc.array(fc.option(role, { freq: 2 }), people), {
      minLength: ROOMS.length,
      maxLength: ROOMS.length,
    }),
    cast: fc.array(joining, { minLength: CAST.length, maxLength: CAST.length }),
    commands: passages.map((all) => all.flat()),
  })
}

export const programs = programOf(fc.array(passage, { minLength: 8, maxLength: 32, size: 'max' }))
export const sceneries = programOf(fc.array(allScenes, { minLength: 4, maxLength: 8, size: 'max' }))
