/**
 * Scenes (short runs of commands) that change rights: settings, roles, sanctions, devices. Random single commands rarely combine to these.
 */
import fc from '../../helpers/fast-check.js'
import { act, come, enter, leaves, place, qos, returns, say, slot, social, users, version } from './scenes.js'
import { AUDIENCES, CAST, CHANNEL, type Command, type Do, ROOMS, type RoomAct, USERS } from './words.js'

const hidden = fc.constantFrom(...AUDIENCES.filter((audience) => audience !== 'everyone'))
const streams = [...CAST.keys()].filter((slot) => CAST[slot]!.id === 'stream')

const open = (room: string): Command => ({ ...(act('root', 'update', room, 'root') as RoomAct), ...PUBLIC })
const PUBLIC = { do: 'act', user: 'root', access: 'public' } as const

/** Someone who may not write any more, or who left, publishes. */
const silenced = fc
  .record({
    ...{ user: users, room: fc.constantFrom(...ROOMS), to: fc.constantFrom<Do<'say'>['how']>(0, 1, 2, 'text', 'http') },
    how: fc.constantFrom<RoomAct['act']>('mute', 'leave', 'remove', 'ban'),
  })
  .map(({ user, room, to, how }): Command[] => [
    ...[open(room), ...enter(room, user), act('root', 'unmute', room, user)],
    act(how === 'leave' ? user : 'root', how, room, user),
    { do: 'say', user, room, how: to },
    ...(['slash', 'typing', 'read'] as const).map((what): Command => ({ do: what, user, room })),
    { do: 'forward', user, from: room, room, nth: 0 },
  ])

/** A user closes their direct messages by a setting, and may still be answered by whoever they wrote to. */
const withdrawn = fc
  .record({ user: users, peer: users, to: hidden, how: fc.constantFrom<0 | 1 | 'http'>(0, 1, 'http') })
  .map(({ user, peer, to, how }): Command[] => {
    const tries: Command[] = [
      { do: 'tell', user: peer, peer: user, how },
      { do: 'signal', user: peer, peer: user },
      act('root', 'invite', 'nest', user),
    ]
    return [
      ...[social(user, peer, 'unblock'), social(peer, user, 'unblock'), social(user, peer, 'part')],
      ...(['messages', 'invites'] as const).map((what): Command => ({ do: 'privacy', user, what, to })),
      ...tries,
      { do: 'tell', user, peer, how: 1 },
      ...tries,
    ]
  })

/** Read receipts are withheld from users whose receipts are withheld. */
const discreet = fc
  .record({ slot, user: users, to: hidden, hides: fc.boolean(), room: fc.constantFrom('hall', 'den') })
  .map(({ slot, user, to, hides, room }): Command[] => {
    const reader = CAST[slot]!.user
    const filters = [{ filter: `rooms/${room}/receipts`, qos: 1 as const }]
    return [
      ...[...enter(room, user), ...enter(room, reader), social(user, reader, 'part')],
      { do: 'privacy', user: hides ? user : reader, what: 'readReceipts', to },
      ...[come(slot, { clean: true, filters }), say('root', room, 1)],
      { do: 'read', user, room },
      { do: 'probe', user: reader },
    ]
  })

/** An announcement for a role that the session does not have, or has lost. */
const demoted = fc
  .record({
    ...{ slot, place, version, qos, clean: fc.boolean(), retain: fc.boolean() },
    filter: fc.constantFrom('broadcast/#', 'broadcast/+', CHANNEL, `$share/g/${CHANNEL}`),
  })
  .map(({ slot, place, version, qos, clean, retain, filter }): Command[] => {
    const red: Command = { do: 'announce', user: 'root', roles: ['red'], retain }
    const all: Command = { do: 'announce', user: 'root', roles: [], retain: false }
    const filters = [{ filter, qos }]
    const there = come(slot, { version, clean, held: place === 'held', roles: ['red'], filters })
    return [
      ...[there, red, red, red, all, ...leaves(slot, place), red],
      ...(place === 'away' ? [] : [{ do: 'renew' as const, slot, roles: [] }]),
      ...[red, all, ...returns(slot, place), red, { do: 'subscribe' as const, slot, filter: CHANNEL, qos }],
    ]
  })

/** Announcements, plain topics and rooms over an event stream. */
const streamed = fc
  .record({ slot: fc.constantFrom(...streams), roles: fc.subarray(['red']), how: fc.boolean() })
  .map(({ slot, roles, how }): Command[] => {
    const { user } = CAST[slot]!
    const filters = [CHANNEL, '+/plan', 'rooms/+/messages'].map((filter) => ({ filter, qos: 1 as const }))
    const said: Command[] = [
      { do: 'announce', user: 'root', roles: ['red'], retain: true },
      { do: 'plain', user: 'ann', topic: 'red/plan', qos: 1, retain: true },
      say('root', 'nest', 1),
    ]
    const lost = act('root', how ? 'remove' : 'ban', 'nest', user)
    return [...said, ...enter('nest', user), come(slot, { roles, filters }), ...said, lost, ...said]
  })

/** A device is no longer shared, or transferred. */
const takenBack = fc
  .record({
    ...{ slot, place, version, qos, retain: fc.boolean(), may: fc.constantFrom<'read' | 'control'>('read', 'control') },
    filter: fc.constantFrom('devices/lamp/#', 'devices/+/state', 'devices/#', '$share/g/devices/lamp/state'),
    how: fc.constantFrom<'unshare' | 'transfer'>('unshare', 'transfer'),
  })
  .map(({ slot, place, version, qos, retain, may, filter, how }): Command[] => {
    const { user } = CAST[slot]!
    const gauge: Command = { do: 'gauge', qos: 1, retain }
    const hand = (from: string, peer: string, how: 'read' | 'control' | 'unshare' | 'transfer'): Command => ({
      do: 'device',
      ...{ user: from, peer, how },
    })
    const filters = [{ filter, qos }]
    const order: Command = { do: 'order', user }
    const third = USERS.find((one) => one !== 'ann' && one !== user)!
    return [
      ...USERS.flatMap((one) => [
        social('ann', one, 'unblock'),
        social(one, 'ann', 'unblock'),
        hand(one, 'ann', 'transfer'),
      ]),
      ...[hand('ann', user, may), order, come(slot, { version, held: place === 'held', filters })],
      ...[gauge, gauge, gauge, gauge],
      ...[...leaves(slot, place), gauge, hand('ann', how === 'transfer' ? third : user, how), gauge],
      ...[...returns(slot, place), gauge, order],
      { do: 'subscribe', slot, filter: 'devices/lamp/#', qos },
    ]
  })

export const scenesOfChange: fc.Arbitrary<Command[]> = fc.oneof(
  { weight: 3, arbitrary: silenced },
  { weight: 2, arbitrary: withdrawn },
  { weight: 1, arbitrary: discreet },
  { weight: 2, arbitrary: demoted },
  { weight: 2, arbitrary: streamed },
  { weight: 2, arbitrary: takenBack },
)
