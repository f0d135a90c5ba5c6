/** Acts on a room at the same time on two nodes: one wins, and the other sees why. */
import t, { type Test } from 'tap'
import { AccountRemovals } from '../../broker/chat/erasure/account-removals.js'
import { RoomErasure } from '../../broker/chat/erasure/room-erasure.js'
import type { Actor } from '../../broker/chat/model/actor.js'
import type { Op } from '../../broker/store/op.js'
import { topicOfOwned } from '../../broker/store/persons.js'
import type { MemberRecord } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { commit } from '../contract/store-suite.js'
import { memoryStore } from '../helpers/memory-store.js'
import { accountActor as actor, roomsOn } from '../helpers/other-node.js'
import { secondMemory } from '../helpers/two-memories.js'

const NAMES = ['ann', 'bob', 'cy', 'dee', 'admin', 'bot']

const [ann, bob, cy, admin] = ['ann', 'bob', 'cy', 'admin'].map(actor) as [Actor, Actor, Actor, Actor]

type Node = ReturnType<typeof roomsOn>

/** Two nodes on one store, with accounts; `tea` is a public room of ann with these members. */
async function nodes(t: Test, members: Partial<MemberRecord>[], limits: Record<string, number> = {}) {
  const store = await memoryStore(t)
  const { directory } = store
  const accounts = NAMES.flatMap((id) => directory.userOps({ id, roles: [], passwordHash: null, createdAt: 1 }))
  await commit(store, [], [...accounts, directory.bots.putOp({ bot: 'bot', owner: 'bob', createdAt: 1, commands: [] })])
  const late = await secondMemory(store)
  const one = roomsOn(store, limits)
  await one.rooms.create(ann, 'tea', {})
  const joined = { messages: 0, events: 0 }
  const records = members.map(
    (more) => ({ room: 'tea', user: '', role: 'member', since: 1, joined, ...more }) as MemberRecord,
  )
  await commit(
    store,
    [],
    records.map((record) => directory.memberOp(record)),
  )
  return { store, late, one, other: roomsOn(late.store, limits) }
}

/** What an act comes to: the code of its refusal, or nothing. */
async function outcome(act: Promise<unknown>): Promise<string | undefined> {
  return act.then(
    () => undefined,
    (error: { code: string; message: string }) => error.code ?? error.message,
  )
}

interface Race {
  readonly members?: Partial<MemberRecord>[]
  readonly limits?: Record<string, number>
  readonly before?: (node: Node) => Promise<unknown>
  readonly first: (node: Node) => Promise<unknown>
  /** What it does, and what it comes to after the first. */
  readonly second: Record<string, [act: (node: Node) => Promise<unknown>, code: string | undefined]>
  /** What is there in the end. */
  readonly check?: (t: Test, store: Store) => void
}

const BOB = [{ user: 'bob' }]
const OWNERS = [{ user: 'bob', role: 'owner' as const }]
const remove =
  (user: string) =>
  ({ store }: Node) =>
    commit(store, [], store.directory.deleteUserOps(user, 2))
const setRole =
  (by: Actor, user: string, role: MemberRecord['role']) =>
  ({ roles }: Node) =>
    roles.set(by, 'tea', user, role)
const join =
  (who: Actor) =>
  ({ members }: Node) =>
    members.join(who, 'tea')
const token = (store: Store): string => [...store.directory.links.of('tea').keys()][0]!
const ofRoom = ({ directory }: Store): number[] =>
  [
    directory.members('tea'),
    directory.invites('tea'),
    directory.bans.of('tea'),
    directory.mutes.of('tea'),
    directory.links.of('tea'),
    directory.joinRequests.of('tea'),
  ].map(({ size }) => size)

const RACES: Record<string, Race> = {
  'a room that is deleted': {
    members: BOB,
    first: ({ rooms }) => rooms.remove(ann, 'tea'),
    second: {
      'takes no member': [join(cy), 'not_found'],
      'takes no invitation': [({ invitations }) => invitations.invite(ann, 'tea', 'cy'), 'not_found'],
      'takes no link': [({ links }) => links.create(ann, 'tea'), 'not_found'],
      'takes no ban': [({ sanctions }) => sanctions.ban(ann, 'tea', 'bob'), 'not_found'],
      'takes no mute': [({ sanctions }) => sanctions.mute(ann, 'tea', 'bob'), 'not_found'],
      'takes no role': [setRole(ann, 'bob', 'admin'), 'not_found'],
      'takes no request': [({ joinRequests }) => joinRequests.ask(cy, 'tea', null), 'not_found'],
      'takes no details': [({ rooms }) => rooms.update(ann, 'tea', { topic: 'x' }), 'not_found'],
      'takes no settings': [({ preferences }) => preferences.set(bob, 'tea', { pinned: true }), 'not_found'],
      'cannot be left': [({ members }) => members.leave(bob, 'tea'), 'not_found'],
    },
    check: (t, store) =>
      t.same(ofRoom(store), [0, 0, 0, 0, 0, 0], 'and nothing is left for the next room of that name'),
  },
  'a room that is made': {
    first: ({ rooms }) => rooms.create(bob, 'Den', {}),
    second: {
      'is not made again': [({ rooms }) => rooms.create(cy, 'Den', {}), 'conflict'],
      'nor in another case': [({ rooms }) => rooms.create(cy, 'den', {}), 'conflict'],
    },
  },
  'the last seat': {
    before: ({ rooms }) => rooms.update(ann, 'tea', { maxMembers: 2 }),
    first: join(bob),
    second: { 'is taken once': [join(cy), 'conflict'] },
  },
  'the last use of a link': {
    before: ({ links }) => links.create(ann, 'tea', undefined, 1),
    first: ({ members, store }) => members.join(bob, 'tea', token(store)),
    second: { 'is used once': [({ members, store }) => members.join(cy, 'tea', token(store)), 'forbidden'] },
  },
  'a link that is revoked': {
    before: ({ links }) => links.create(ann, 'tea'),
    first: ({ links, store }) => links.revoke(ann, 'tea', token(store)),
    second: { 'lets nobody in': [({ members, store }) => members.join(bob, 'tea', token(store)), 'forbidden'] },
  },
  'who is banned': {
    members: OWNERS,
    first: ({ sanctions }) => sanctions.ban(ann, 'tea', 'cy'),
    second: { 'does not join': [join(cy), 'forbidden'] },
  },
  'who joins with a bot of a person': {
    first: ({ members }) => members.join(actor('bot'), 'tea'),
    second: { 'is banned with the person': [({ sanctions }) => sanctions.ban(ann, 'tea', 'bob'), undefined] },
    check: (t, store) => t.notOk(store.directory.member('tea', 'bot')),
  },
  'a bot that is made, and joins': {
    first: async ({ store, members }) => {
      await store.transact('helper', ({ directory, topic }) => {
        topic(topicOfOwned('bob'))
        const account = directory.userOps({ id: 'helper', roles: [], passwordHash: null, createdAt: 1 })
        const record = { bot: 'helper', owner: 'bob', createdAt: 1, commands: [] }
        return { ops: [...account, directory.bots.putOp(record)], value: null }
      })
      await members.join(actor('helper'), 'tea')
    },
    second: { 'is banned with its owner': [({ sanctions }) => sanctions.ban(ann, 'tea', 'bob'), undefined] },
    check: (t, store) => t.notOk(store.directory.member('tea', 'helper')),
  },
  'the last owner': {
    members: [...OWNERS, { user: 'cy' }],
    first: ({ members }) => members.leave(ann, 'tea'),
    second: {
      stays: [({ members }) => members.leave(bob, 'tea'), 'conflict'],
      'keeps the role': [setRole(bob, 'bob', 'member'), 'conflict'],
      'is not removed': [({ members }) => members.removeMember(admin, 'tea', 'bob'), 'conflict'],
      'is not banned': [({ sanctions }) => sanctions.ban(admin, 'tea', 'bob'), 'conflict'],
    },
  },
  'an owner to whom someone comes': {
    first: join(bob),
    second: { stays: [({ members }) => members.leave(ann, 'tea'), 'conflict'] },
  },
  'a role that is taken away': {
    members: [{ user: 'bob', role: 'admin' }],
    first: setRole(ann, 'bob', 'member'),
    second: {
      'lets nobody be banned': [({ sanctions }) => sanctions.ban(bob, 'tea', 'cy'), 'forbidden'],
      'lets nobody be invited': [({ invitations }) => invitations.invite(bob, 'tea', 'cy'), 'forbidden'],
      'changes nothing': [({ rooms }) => rooms.update(bob, 'tea', { topic: 'x' }), 'forbidden'],
    },
  },
  'the last room of a user': {
    limits: { roomsPerUser: 1 },
    first: ({ rooms }) => rooms.create(bob, 'den', {}),
    second: {
      'is one': [({ rooms }) => rooms.create(bob, 'attic', {}), 'conflict'],
      'way or other': [join(bob), 'conflict'],
    },
  },
  'the last invitation of a person': {
    members: OWNERS,
    limits: { invitationsPerUser: 1 },
    first: ({ invitations }) => invitations.invite(bob, 'tea', 'cy'),
    second: { 'is one': [({ invitations }) => invitations.invite(bob, 'tea', 'dee'), 'conflict'] },
  },
  'what a person may still ask of another': {
    members: OWNERS,
    limits: { asksPerPair: 1 },
    before: ({ rooms }) => rooms.create(bob, 'den', {}),
    first: ({ invitations }) => invitations.invite(bob, 'tea', 'cy'),
    second: { 'is asked once': [({ invitations }) => invitations.invite(bob, 'den', 'cy'), 'rate_limited'] },
  },
  'a request to join': {
    before: async ({ rooms, joinRequests }) => {
      await rooms.update(ann, 'tea', { access: 'request' })
      await joinRequests.ask(cy, 'tea', null)
    },
    first: ({ joinRequests }) => joinRequests.deny(ann, 'tea', 'cy'),
    second: {
      'is decided on once': [({ joinRequests }) => joinRequests.approve(ann, 'tea', 'cy'), 'not_found'],
      'and denied once': [({ joinRequests }) => joinRequests.deny(ann, 'tea', 'cy'), 'not_found'],
    },
  },
  'an account that is deleted': {
    members: [{ user: 'bob', role: 'admin' }, { user: 'cy' }],
    first: remove('bob'),
    second: {
      'makes no link': [({ links }) => links.create(bob, 'tea'), 'unauthorized'],
      'makes no room': [({ rooms }) => rooms.create(bob, 'den', {}), 'unauthorized'],
      'bans nobody': [({ sanctions }) => sanctions.ban(bob, 'tea', 'cy'), 'unauthorized'],
      'invites nobody': [({ invitations }) => invitations.invite(bob, 'tea', 'dee'), 'unauthorized'],
      'gets no message': [({ direct }) => direct.ensure('ann', 'bob'), 'not_found'],
      'and writes none': [({ direct }) => direct.ensure('bob', 'ann'), 'unauthorized'],
    },
  },
  'a name that is given up, and taken by another': {
    first: async (node) => {
      await remove('bob')(node)
      const record = { id: 'bob', roles: [], passwordHash: null, createdAt: 3 }
      await commit(node.store, [], node.store.directory.userOps(record))
    },
    second: {
      'joins nothing for who had it': [join(bob), 'unauthorized'],
      'nor makes a room': [({ rooms }) => rooms.create(bob, 'den', {}), 'unauthorized'],
    },
  },
  'an account that is gone': {
    first: remove('bob'),
    second: {
      'joins nothing': [join(bob), 'unauthorized'],
      'is not invited': [({ invitations }) => invitations.invite(ann, 'tea', 'bob'), 'not_found'],
      'is not banned': [({ sanctions }) => sanctions.ban(ann, 'tea', 'bob'), 'not_found'],
    },
    check: (t, store) => t.same(ofRoom(store), [1, 0, 0, 0, 0, 0]),
  },
  'changes of one membership': {
    members: BOB,
    first: setRole(ann, 'bob', 'moderator'),
    second: { 'are all kept': [({ preferences }) => preferences.set(bob, 'tea', { pinned: true }), undefined] },
    check: (t, store) =>
      t.match(store.directory.member('tea', 'bob'), { role: 'moderator', settings: { pinned: true } }),
  },
  'changes of one room': {
    first: ({ rooms }) => rooms.update(ann, 'tea', { topic: 'x' }),
    second: { 'are all kept': [({ rooms }) => rooms.update(ann, 'tea', { name: 'y' }), undefined] },
    check: (t, store) => t.match(store.directory.room('tea'), { topic: 'x', name: 'y' }),
  },
  'a conversation': {
    first: ({ direct }) => direct.ensure('ann', 'bob'),
    second: { 'begins once': [({ direct }) => direct.ensure('bob', 'ann'), undefined] },
    check: (t, store) => t.match(store.directory.room('dm:ann:bob'), { createdBy: 'ann' }),
  },
}

for (const [name, race] of Object.entries(RACES))
  for (const [end, [act, code]] of Object.entries(race.second))
    t.test(`${name} ${end}`, async (t) => {
      const { store, late, one, other } = await nodes(t, race.members ?? [], race.limits)
      await race.before?.(one)
      late.hold()
      await race.first(one)
      const answer = outcome(act(other))
      setImmediate(late.release)
      t.equal(await answer, code)
      race.check?.(t, store)
    })

const NOTHING_ERASED = { next: null, erased: false }

/** The erasure of an account on a node that has not heard of the last change of what the account left. */
async function erasedLate(t: Test, left: (node: Node) => Promise<unknown>, change: (node: Node) => Promise<unknown>) {
  const { store, late, one, other } = await nodes(t, [{ user: 'bob', role: 'admin' }])
  await left(one)
  await one.members.leave(bob, 'tea')
  const removal = store.accounts.removalOp({ user: 'bob', at: 2, rooms: ['tea'] })
  await commit(store, [], [...store.directory.deleteUserOps('bob', 2), removal])
  late.hold()
  await change(one)
  const { transact } = late.store
  const wakened: Store['transact'] = (key, decide) => {
    setImmediate(late.release)
    return transact(key, decide)
  }
  Object.assign(late.store, { transact: wakened })
  const removals = new AccountRemovals({
    store: late.store,
    accounts: { remove: async () => [] },
    members: other.members,
    presence: { removeUser: async () => {} },
    roomErasure: { messages: async () => NOTHING_ERASED, events: async () => NOTHING_ERASED },
    userErasure: { erase: async () => {} },
    endSessions: async () => {},
    failed: (error) => t.fail(String(error)),
  })
  t.equal(await removals.run('bob', 'bob'), true)
  return store.directory
}

const makeDen = ({ rooms, members }: Node) => rooms.create(bob, 'den', {}).then(() => members.leave(bob, 'den'))

t.test('erasing an account undoes no change of a room it made', async (t) => {
  const directory = await erasedLate(t, makeDen, ({ rooms }) => rooms.update(admin, 'den', { topic: 'x' }))
  t.match(directory.room('den'), { topic: 'x', createdBy: 'system' })
})

t.test('nor brings back a room that was deleted', async (t) => {
  const directory = await erasedLate(t, makeDen, ({ rooms }) => rooms.remove(admin, 'den'))
  t.equal(directory.room('den'), undefined)
})

t.test('nor a ban that was lifted', async (t) => {
  const ban = ({ sanctions }: Node) => sanctions.ban(bob, 'tea', 'cy').then(() => sanctions.ban(bob, 'tea', 'dee'))
  const directory = await erasedLate(t, ban, ({ sanctions }) => sanctions.unban(ann, 'tea', 'cy'))
  t.match([...directory.bans.of('tea').values()], [{ user: 'dee', by: 'system' }])
})

t.test('what is erased of a room is not written to the next of that name', async (t) => {
  const { store, late, one } = await nodes(t, [])
  const erasure = new RoomErasure({ store: late.store, indexed: () => true })
  late.hold()
  await one.rooms.remove(ann, 'tea')
  await one.rooms.create(cy, 'tea', {})
  const erasing = erasure.events('cy', 'tea', 0)
  setImmediate(late.release)
  t.same(await erasing, { next: 1, erased: true })
  const [made] = await store.log.read('e:tea', 0, 1, 1e6, 'shown')
  t.match(made, { seq: 1, gone: undefined }, 'what cy did in the new room is there')
})

t.test('who joined just before a room is deleted is told', async (t) => {
  const { store, late, one, other } = await nodes(t, [])
  const told: string[] = []
  late.store.watch((change) => change.kind === 'roomEnded' && told.push(...change.members))
  late.hold()
  await join(bob)(one)
  const removed = other.rooms.remove(ann, 'tea')
  setImmediate(late.release)
  await removed
  t.same(told, ['ann', 'bob'])
  const [event] = await store.log.read('u:bob', 0, 10, 1e6)
  t.match(JSON.parse(event!.payload.toString()), { type: 'deleted', room: 'tea', by: 'ann' })
})

t.test('hundreds of users who join a room at once share commits', async (t) => {
  const { store, one } = await nodes(t, [])
  const { directory } = store
  const users = Array.from({ length: 500 }, (_, i) => `u${i}`)
  const ops = users.flatMap((id): Op[] => directory.userOps({ id, roles: [], passwordHash: null, createdAt: 1 }))
  await commit(store, [], ops)
  await one.rooms.update(ann, 'tea', { maxMembers: 451 })
  const { commits } = store.counts
  const codes = await Promise.all(users.map((user) => outcome(one.members.join(actor(user), 'tea'))))
  t.equal(codes.filter((code) => code === undefined).length, 450)
  t.equal(codes.filter((code) => code === 'conflict').length, 50)
  t.equal(directory.members('tea').size, 451)
  t.ok(store.counts.commits - commits < 25, `${store.counts.commits - commits} commits`)
})
