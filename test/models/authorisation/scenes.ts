/**
 * Scenes (short runs of commands) in which a right is lost while messages wait for delivery. Random single commands rarely combine to
 * these.
 */
import fc from '../../helpers/fast-check.js'
import { CAST, type Command, type Do, type Joining, type QoS, ROOMS, type RoomAct, USERS } from './words.js'

/** State of a session when its user loses a right: connected, connected without acknowledging, or disconnected. */
export const place = fc.constantFrom('here', 'held', 'away')
type Place = 'here' | 'held' | 'away'

export const users = fc.constantFrom(...USERS)
const slots = [...CAST.keys()].filter(
  (slot) => USERS.some((user) => user === CAST[slot]!.user) && CAST[slot]!.id !== 'stream',
)
export const slot = fc.constantFrom(...slots)
export const version = fc.constantFrom(4 as const, 5 as const)
export const qos = fc.constantFrom<QoS>(1, 2, 0)

export const come = (slot: number, wish: Partial<Joining>): Command => ({
  do: 'come',
  slot,
  ...{ version: 5, clean: false, held: false, roles: [], filters: [], will: null, ...wish },
})
export const act = (user: string, what: RoomAct['act'], room: string, peer: string): Command => ({
  do: 'act',
  ...{ user, act: what, room, peer, role: 'member', access: 'private' },
})
export const social = (user: string, peer: string, how: Do<'social'>['how']): Command => ({
  do: 'social',
  ...{ user, peer, how },
})
export const say = (user: string, room: string, how: 0 | 1): Command => ({ do: 'say', user, room, how })

/** Disconnects the session, or stops its acks; later it comes back to what it missed. */
export function leaves(slot: number, place: Place): Command[] {
  return place === 'away' ? [{ do: 'cut', slot }] : []
}
export function returns(slot: number, place: Place, roles: string[] = []): Command[] {
  if (place === 'here') return []
  return place === 'held' ? [{ do: 'thaw', slot }] : [come(slot, { roles })]
}

const filterOfRoom = fc.constantFrom(
  'rooms/{room}/messages',
  'rooms/{room}/text',
  'rooms/{room}/#',
  ...['rooms/+/messages', 'rooms/+/messages'],
  '$share/g/rooms/{room}/messages',
  '$share/g/rooms/+/#',
)

/** Makes `user` a member, whatever the state was before. */
export const enter = (room: string, user: string): Command[] => [
  act('root', 'unban', room, user),
  act('root', 'invite', room, user),
  act(user, 'join', room, user),
]

/** Someone loses membership of a room, and perhaps joins again. */
const lostRoom = fc
  .record({
    ...{ slot, place, version, qos, filter: filterOfRoom, room: fc.constantFrom(...ROOMS) },
    how: fc.constantFrom<RoomAct['act']>('leave', 'remove', 'ban'),
    rejoins: fc.boolean(),
    quiet: fc.constantFrom<0 | 1>(0, 1),
  })
  .map(({ slot, place, version, qos, filter, room, how, rejoins, quiet }): Command[] => {
    const { user } = CAST[slot]!
    const held = place === 'held'
    const filters = [{ filter: filter.replace('{room}', room), qos }]
    return [
      ...[...enter(room, user), say('root', room, 1), come(slot, { version, held, filters }), say('root', room, quiet)],
      ...[...leaves(slot, place), say('root', room, 1), act(how === 'leave' ? user : 'root', how, room, user)],
      ...[say('root', room, quiet), ...(rejoins ? [...enter(room, user), say('root', room, 1)] : [])],
      ...[...returns(slot, place), say('root', room, 1)],
    ]
  })

/** Someone is blocked, or is no longer a contact, or is excluded by a setting. */
const lostSight = fc
  .record({
    ...{ slot, place, version, qos, seen: users },
    filter: fc.constantFrom('users/{seen}/presence', 'users/+/presence', 'users/#'),
    how: fc.constantFrom<'block' | 'part' | 'hide'>('block', 'part', 'hide'),
  })
  .map(({ slot, place, version, qos, seen, filter, how }): Command[] => {
    const { user } = CAST[slot]!
    const hide: Command = { do: 'privacy', user: seen, what: 'presence', to: 'nobody' }
    const lost = how === 'hide' ? hide : social(seen, user, how)
    const status: Command = { do: 'status', user: seen }
    const filters = [{ filter: filter.replace('{seen}', seen), qos }]
    return [
      { do: 'privacy', user: seen, what: 'presence', to: 'everyone' },
      ...[social(seen, user, 'unblock'), social(user, seen, 'unblock'), social(user, seen, 'ask')],
      ...[social(seen, user, 'accept'), come(slot, { version, held: place === 'held', filters })],
      ...[status, status, status, ...leaves(slot, place), lost, status],
      ...[...returns(slot, place), status],
    ]
  })

/** A user looks for the presence of a co-member who blocks them, or shows presence to contacts only. */
const blockedNearby = fc
  .record({
    slot,
    version,
    seen: users,
    hides: fc.boolean(),
    filter: fc.constantFrom('users/{seen}/presence', 'users/+/presence', 'users/#'),
  })
  .map(({ slot, version, seen, hides, filter }): Command[] => {
    const { user } = CAST[slot]!
    const block = hides
      ? ({ do: 'privacy', user: seen, what: 'presence', to: 'contacts' } as const)
      : social(seen, user, 'block')
    const filters = [{ filter: filter.replace('{seen}', seen), qos: 1 as const }]
    return [...enter('den', user), ...enter('den', seen), block, come(slot, { version, clean: true, filters })]
  })

/** Only one of two users has added the other as a contact. */
const oneSided = fc
  .record({
    slot,
    version,
    seen: users,
    filter: fc.constantFrom('users/{seen}/presence', 'users/+/presence'),
    asks: fc.boolean(),
  })
  .map(({ slot, version, seen, filter, asks }): Command[] => {
    const { user } = CAST[slot]!
    const [from, to] = asks ? [user, seen] : [seen, user]
    const filters = [{ filter: filter.replace('{seen}', seen), qos: 1 as const }]
    return [
      { do: 'social', user, peer: seen, how: 'part' },
      { do: 'social', user: from, peer: to, how: 'ask' },
      come(slot, { version, clean: true, filters }),
      { do: 'status', user: seen },
    ]
  })

/** The roles of a session change. */
const lostRole = fc
  .record({ slot, place, version, qos, how: fc.constantFrom<QoS>(1, 2, 0), clean: fc.boolean() })
  .chain((all) => fc.constantFrom('red/#', '#', '+/plan', '$share/h/red/#').map((filter) => ({ ...all, filter })))
  .map(({ slot, place, version, qos, how, clean, filter }): Command[] => {
    const plan: Command = { do: 'plain', user: 'ann', topic: 'red/plan', qos: how, retain: false }
    const there: Joining = {
      version,
      clean,
      held: place === 'held',
      roles: ['red'],
      filters: [{ filter, qos }],
      will: null,
    }
    const renewed: Command[] = place === 'away' ? [] : [{ do: 'renew', slot, roles: [] }]
    return [
      ...[come(slot, there), plan, plan, plan, plan, ...leaves(slot, place), plan],
      ...[...renewed, plan, ...returns(slot, place), plan],
    ]
  })

export const scenes: fc.Arbitrary<Command[]> = fc.oneof(
  { weight: 3, arbitrary: lostRoom },
  { weight: 1, arbitrary: lostSight },
  { weight: 1, arbitrary: lostRole },
  { weight: 1, arbitrary: blockedNearby },
  { weight: 1, arbitrary: oneSided },
)
