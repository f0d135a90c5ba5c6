/** What a commit means for sessions is told wherever its records are in memory, and also if memory had to be loaded anew. */
import t, { type Test } from 'tap'
import { versionOf } from '../../broker/auth/account-version.js'
import { Accounts } from '../../broker/auth/accounts.js'
import { Keys } from '../../broker/auth/keys.js'
import { Logins } from '../../broker/auth/logins.js'
import { commit } from '../../broker/store/commit.js'
import type { Op } from '../../broker/store/op.js'
import type { RecordChange } from '../../broker/store/record-changes.js'
import { ROOM_DEFAULTS, type RoomRecord } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { actorOf, openStore } from '../helpers/node-pair.js'
import { roomsOn } from '../helpers/other-node.js'
import { secondMemory } from '../helpers/two-memories.js'

const NAMES = ['ann', 'bob', 'cy']
const [ann, bob, cy] = NAMES.map((user) => actorOf(user)) as [Actor, Actor, Actor]
type Actor = ReturnType<typeof actorOf>

/** What a store tells, as text, except that rooms are described otherwise. */
function toldOf(store: Store): string[] {
  const told: string[] = []
  store.watch((change) => change.kind !== 'room' && told.push(asText(change)))
  return told
}

function asText(change: RecordChange): string {
  switch (change.kind) {
    case 'membership':
      return `${change.user} ${change.member ? 'in' : 'out of'} ${change.room}`
    case 'roomEnded':
      return `${change.room} ended for ${change.members.join(' and ')}`
    case 'room':
      return `${change.room} changed`
    case 'channel':
      return `channel ${change.channel}`
    case 'account':
      return `account ${change.user}`
    case 'sessionRemoved':
      return `session ${change.session} removed`
    case 'owner':
      return `session ${change.session} has another owner`
    case 'job':
      return change.job === null ? 'other nodes take jobs' : `job ${change.job} has another owner`
    case 'webhook':
      return `webhook ${change.webhook} changed`
    case 'retry':
      return `dead letters of ${change.webhook} are tried again`
    case 'openCommand':
      return `${change.device} is asked for something`
    case 'presence':
      return `${change.record.user} ${change.isSet ? 'is set' : 'has'} ${change.devices.join(' to ')}`
    case 'reloaded':
      return 'reloaded'
  }
}

/** Two nodes on one store, what each is told, and the rooms as the first serves them. */
async function pair(t: Test) {
  const store = await openStore(t, NAMES)
  const late = await secondMemory(store)
  return { ...roomsOn(store), store, late, told: toldOf(store), toldLate: toldOf(late.store) }
}

t.test('both nodes are told of members who come and go, in order', async (t) => {
  const { rooms, members, sanctions, told, toldLate } = await pair(t)
  await rooms.create(ann, 'tea', {})
  await members.join(bob, 'tea')
  await members.join(cy, 'tea')
  await members.leave(bob, 'tea')
  await members.join(bob, 'tea')
  await sanctions.ban(ann, 'tea', 'cy')
  await rooms.remove(ann, 'tea')
  const all = ['ann in tea', 'bob in tea', 'cy in tea', 'bob out of tea', 'bob in tea', 'cy out of tea']
  t.same(told, [...all, 'tea ended for ann and bob'])
  t.same(toldLate, told)
})

t.test('what a commit means is told before the next one, also where both are heard at once', async (t) => {
  const { rooms, members, late } = await pair(t)
  const told: string[] = []
  late.store.watch((change) => {
    if (change.kind === 'membership')
      told.push(`${asText(change)}, of ${[...late.store.directory.members('tea').keys()].join(' and ')}`)
  })
  late.hold()
  await rooms.create(ann, 'tea', {})
  await members.join(bob, 'tea')
  late.release()
  await Promise.resolve()
  t.same(told, ['ann in tea, of ann', 'bob in tea, of ann and bob'])
})

t.test('what changes of a membership is not told, nor what was told before', async (t) => {
  const { rooms, members, roles, late, toldLate } = await pair(t)
  late.hold()
  await rooms.create(ann, 'tea', {})
  await members.join(bob, 'tea')
  await late.reload()
  await roles.set(ann, 'tea', 'bob', 'moderator')
  t.same(toldLate, ['ann in tea', 'bob in tea', 'reloaded'])
})

t.test('who leaves and joins anew within one commit is told to have left', async (t) => {
  const { store, rooms, members, told } = await pair(t)
  await rooms.create(ann, 'tea', {})
  const member = await members.join(bob, 'tea')
  told.length = 0
  const { directory } = store
  const again = { ...member, joined: { messages: 0, events: 9 } }
  await commit(store, { ops: [...directory.deleteMemberOps('tea', 'bob'), directory.memberOp(again)] })
  t.same(told, ['bob out of tea', 'bob in tea'])
})

t.test(
  'a room that is made anew in the commit that removes it ends for those who are not in the new one',
  async (t) => {
    const { store, rooms, members, told } = await pair(t)
    const made = await rooms.create(ann, 'tea', {})
    await members.join(bob, 'tea')
    told.length = 0
    const { directory } = store
    const owner = { ...directory.member('tea', 'ann')!, since: 1 }
    const ops = [...directory.deleteRoomOps('tea'), directory.roomOp(made), directory.memberOp(owner)]
    await commit(store, { ops })
    t.same(told, ['ann out of tea', 'ann in tea', 'bob out of tea'])
  },
)

t.test('a node that missed changes is told what they came to', async (t) => {
  const { store, rooms, members, late, toldLate } = await pair(t)
  for (const room of ['tea', 'den', 'bar']) await rooms.create(ann, room, {})
  for (const room of ['tea', 'den']) await members.join(bob, room)
  toldLate.length = 0
  late.hold()
  await members.leave(bob, 'tea')
  await members.join(cy, 'tea')
  await members.leave(bob, 'den')
  await members.join(bob, 'den')
  await rooms.remove(ann, 'bar')
  await rooms.create(cy, 'new', {})
  await commit(store, { ops: [store.directory.channelOp('news')] })
  await late.reload()
  t.same([...toldLate].sort(), [
    'bar ended for ann',
    'bob in den',
    'bob out of den',
    'bob out of tea',
    'channel news',
    'cy in new',
    'cy in tea',
    'reloaded',
  ])
  toldLate.length = 0
  await late.reload()
  t.same(toldLate, ['reloaded'], 'once')
})

t.test('what is told is in memory, and the entries of its commit were told before', async (t) => {
  const { store, rooms, members } = await pair(t)
  await rooms.create(ann, 'tea', {})
  const seen: string[] = []
  await store.log.follow('e:tea', ({ entries }) => seen.push(...entries.map(({ payload }) => typeOf(payload))))
  store.watch(({ kind }) => {
    if (kind === 'membership') seen.push(`members: ${[...store.directory.members('tea').keys()]}`)
  })
  await members.join(bob, 'tea')
  await members.leave(bob, 'tea')
  t.same(seen, ['joined', 'members: ann,bob', 'left', 'members: ann'])
})

function typeOf(payload: Buffer): string {
  return JSON.parse(payload.toString()).type
}

t.test(
  'what may end a login is told, on the node that made the account and on those that never heard of it',
  async (t) => {
    const { store, told, toldLate } = await pair(t)
    const accounts = new Accounts(store, null as never)
    const ended = () => {}
    const keys = new Keys({ store, perUser: 9, ended })
    const logins = new Logins({ store, sign: async () => '', lifetimes: { token: 60, refresh: 60 }, grace: 0, ended })
    await accounts.ensure('dee')
    const begun = told.splice(0)
    const account = versionOf((await store.directory.user('dee'))!)
    const issued = await logins.begin({ user: 'dee', account })
    await logins.renew(issued.refreshToken)
    const { record } = await keys.create('dee', { name: 'k', roles: null, expiresIn: null })
    t.same([begun, told], [[], []], 'nobody is logged in with what is new')
    toldLate.length = 0
    const acts = [
      () => keys.revoke('dee', record.id),
      async () => logins.end('dee', (await store.directory.credentials('dee'))[0]!.id),
      () => accounts.setRoles('dee', ['staff']),
      () => accounts.suspend('dee', 'ann', null),
      () => accounts.resume('dee'),
      () => accounts.voidTokens('dee'),
      () => accounts.remove('dee'),
    ]
    for (const act of acts) await act()
    t.same(
      told,
      acts.map(() => 'account dee'),
      'each once',
    )
    t.same(toldLate, told)
  },
)

t.test('a room with another description', async (t) => {
  const store = await openStore(t)
  const told: string[] = []
  store.watch((change) => told.push(asText(change)))
  const room: RoomRecord = {
    ...{ id: 'tea', access: 'public', direct: false, name: null, topic: null, avatar: null },
    ...{ ...ROOM_DEFAULTS, createdBy: 'ann', createdAt: 1 },
  }
  const write = (op: Op) => commit(store, { ops: [op] })
  await write(store.directory.roomOp(room))
  await write(store.directory.roomOp({ ...room, topic: 'leaves' }))
  await write(store.directory.channelOp('news'))
  t.same(told, ['tea changed', 'tea changed', 'channel news'])
})
