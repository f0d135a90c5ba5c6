/** Reports that race with what another node does, which this one has not heard of yet. */
import t from 'tap'
import { References } from '../../broker/chat/messages/references.js'
import { type ReportRequest, Reports, type ReportsDeps } from '../../broker/chat/moderation/reports.js'
import { RoomRules } from '../../broker/chat/rooms/room-rules.js'
import { body } from '../../broker/store/body.js'
import { commit } from '../../broker/store/commit.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { uuid7 } from '../../broker/util/uuid7.js'
import { movableClock } from '../helpers/clock.js'
import { actorOf, openStore, raced } from '../helpers/node-pair.js'
import { secondMemory } from '../helpers/two-memories.js'

const MESSAGE = { room: 'tea', seq: 1, reason: 'spam' }
const BOB = { user: 'bob', reason: 'spam' }

function reportsOf(store: Store, run: ReportsDeps['run'] = async () => {}): Reports {
  const rules = new RoomRules(store.directory)
  const references = new References(store, rules)
  return new Reports({ store, rules, references, keep: 0, run, accountOf: (user) => user })
}

const create = (store: Store, request: ReportRequest) =>
  reportsOf(store)
    .create(actorOf('ann'), request)
    .then(({ id }) => id)

async function resolve(store: Store, moderator = 'mod'): Promise<string> {
  const { id } = [...store.moderation.reports.values()][0]!
  const { resolution } = await reportsOf(store).resolve(actorOf(moderator), id, 'dismiss', {})
  return resolution!.by
}

/** A room in which bob has written, with ann as a member and two moderators. */
async function openTea(t: Parameters<typeof openStore>[0]): Promise<Store> {
  const store = await openStore(t, ['ann', 'bob', 'mod', 'other'])
  const { directory } = store
  const room = { id: 'tea', access: 'public' as const, direct: false, name: null, topic: null, avatar: null }
  const member = (user: string, role: 'member' | 'moderator') =>
    directory.memberOp({ room: 'tea', user, role, since: 1, joined: { messages: 0, events: 0 } })
  const members = [member('ann', 'member'), member('mod', 'moderator'), member('other', 'moderator')]
  const [id, ts] = [uuid7(), Date.now()]
  const said = body(`{"id":"${id}","seq":`, `,"from":"bob","type":"text","text":"buy"}`)
  await commit(store, {
    drafts: [{ log: 'm:tea', id, ts, from: 'bob', qos: 1, body: said, dedupe: null }],
    ops: [directory.roomOp({ ...room, ...ROOM_DEFAULTS, createdBy: 'mod', createdAt: 1 }), ...members],
  })
  return store
}

/** What one node does, what another does that does not know of it, what becomes of the second, and how many are open then. */
const RACES: readonly [
  name: string,
  first: (store: Store) => Promise<unknown>,
  second: (store: Store) => Promise<unknown>,
  outcome: string | RegExp,
  open: number,
][] = [
  ['two of the same', (s) => create(s, MESSAGE), (s) => create(s, MESSAGE), /^[0-9a-f-]{36}$/, 1],
  ['two of different ones', (s) => create(s, MESSAGE), (s) => create(s, BOB), /^[0-9a-f-]{36}$/, 2],
  ['one about a user who is removed', (s) => remove(s, 'bob'), (s) => create(s, BOB), 'not_found', 0],
  ['one in a room that is deleted', (s) => deleteRoom(s), (s) => create(s, MESSAGE), 'not_found', 0],
  [
    'one by a member who is removed',
    (s) => commit(s, { ops: s.directory.deleteMemberOps('tea', 'ann') }),
    (s) => create(s, MESSAGE),
    'forbidden',
    0,
  ],
]

const remove = (store: Store, user: string) => commit(store, { ops: store.directory.deleteUserOps(user, 2) })
const deleteRoom = (store: Store) => commit(store, { ops: store.directory.deleteRoomOps('tea') })

for (const [name, first, second, outcome, open] of RACES)
  t.test(name, async (t) => {
    const store = await openTea(t)
    t.match(await raced(store, first, second), outcome)
    t.equal([...store.moderation.reports.values()].filter(({ resolution }) => !resolution).length, open)
  })

t.test('of two who resolve a report, the second is told who has', async (t) => {
  const store = await openTea(t)
  await create(store, MESSAGE)
  t.equal(await raced(store, resolve, (late) => resolve(late, 'other')), 'conflict')
  t.match([...store.moderation.reports.values()], [{ resolution: { by: 'mod' } }])
})

t.test('of two who act on a report on two nodes, one does', async (t) => {
  const clock = movableClock(t)
  const store = await openTea(t)
  const id = await create(store, MESSAGE)
  const acts: string[] = []
  let act: () => Promise<void> = async () => {}
  const run: ReportsDeps['run'] = ({ principal }) => {
    acts.push(principal.user)
    return act()
  }
  const ban = (on: Store, moderator: string): Promise<unknown> =>
    reportsOf(on, run)
      .resolve(actorOf(moderator), id, 'ban', {})
      .then(
        ({ resolution }) => resolution?.by,
        ({ code, message }) => code ?? message,
      )
  const { store: other } = await secondMemory(store)
  act = async () => {
    t.equal(await ban(other, 'other'), 'conflict')
    throw new Error('not now')
  }
  t.equal(await ban(store, 'mod'), 'not now')
  t.same(acts, ['mod'])
  act = async () => {
    clock.forward(61)
    act = async () => {}
    t.equal(await ban(other, 'other'), 'other', 'who failed gave the turn back; one that is too old is over')
  }
  t.equal(await ban(store, 'mod'), 'conflict')
  t.same(acts, ['mod', 'mod', 'other'])
  t.match([...store.moderation.reports.values()], [{ resolution: { by: 'other' } }])
  t.same(await store.tables.list('expiring', {}), [], 'nothing is left of it')
})

t.test('a report that is resolved while its author is removed names neither', async (t) => {
  const store = await openTea(t)
  await create(store, MESSAGE)
  await raced(store, resolve, (late) => reportsOf(late).removeUser('ann'))
  t.match([...store.moderation.reports.values()], [{ by: 'system', resolution: { by: 'mod' } }])
})

t.test('somebody has no more open reports than the limit', async (t) => {
  const store = await openTea(t)
  const ids = Array.from({ length: 99 }, (_, n) => `r${n}`)
  const report = { by: 'ann', room: null, roomSince: null, seq: null, reason: 'x', text: null, at: 1, resolution: null }
  await commit(store, { ops: ids.map((id) => store.moderation.reportOp({ ...report, id, user: id })) })
  const outcome = await raced(
    store,
    (s) => create(s, MESSAGE),
    (s) => create(s, BOB),
  )
  t.equal(outcome, 'conflict')
  t.equal(store.moderation.reports.size, 100)
})
