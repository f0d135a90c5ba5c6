/** Deciding and writing: guards, limits, and two memories of one store that race. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'
import { GuardConflict, type StoreError } from '../../broker/store/changes.js'
import {
  type Guards,
  guardOf,
  guardOfName,
  guardOfNotes,
  guardOfOwner,
  guardOfTopic,
} from '../../broker/store/guards.js'
import { clear, del, effectOp, type Op, put, wipe } from '../../broker/store/op.js'
import { ROOM_DEFAULTS, type RoomRecord } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import { keyOf, type TableChange, type TableFollower, type Tables } from '../../broker/store/tables.js'
import type { Submission } from '../../broker/store/transaction.js'
import { Refusal } from '../../schemas/errors.js'
import { secondMemory } from '../helpers/two-memories.js'
import { append, commit, draft, type NewPlace } from './store-suite.js'

export function transactionsSuite(t: Test, newPlace: NewPlace): void {
  t.test('followers of the tables', (t) => followers(t, newPlace))
  t.test('guards', (t) => guards(t, newPlace))
  t.test('limits', (t) => limits(t, newPlace))
  t.test('records that must be the same', (t) => sameRecords(t, newPlace))
  t.test('transactions', (t) => transactions(t, newPlace))
  t.test('two memories of one store', (t) => twoMemories(t, newPlace))
  t.test('refusals of a memory that is behind', (t) => lateRefusals(t, newPlace))
  t.test('submissions', (t) => submissions(t, newPlace))
}

function room(id: string, more: Partial<RoomRecord> = {}): RoomRecord {
  const record: RoomRecord = {
    ...{ id, access: 'public', direct: false, name: null, topic: null, avatar: null, ...ROOM_DEFAULTS },
    ...{ createdBy: 'ann', createdAt: 1 },
  }
  return { ...record, ...more }
}

function member(room: string, user: string) {
  return { room, user, role: 'member' as const, since: 1, joined: { messages: 0, events: 0 } }
}

/** Resolves with true if the change was committed, with false if a guard failed. */
function tried(store: Pick<Store, 'commit'>, guards: Guards, ops: readonly Op[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settled = (error: StoreError | null): void => {
      if (error instanceof GuardConflict) resolve(false)
      else if (error) reject(error)
      else resolve(true)
    }
    store.commit({ drafts: [], ops, guards, settled })
  })
}

/** What a follower was told. */
class Heard implements TableFollower {
  readonly loaded: string[] = []
  readonly told: string[] = []
  readonly positions: number[] = []
  #last = ''

  async load(tables: Tables): Promise<() => void> {
    const found: string[] = []
    await tables.scan('contact', (key, value) => found.push(`${key.replace('\0', '/')}=${value.toString()}`))
    return () => this.loaded.push(...found)
  }

  apply(position: number, changes: readonly TableChange[]): void {
    this.positions.push(position)
    const batch = changes.map((change) =>
      'owner' in change ? `${change.owner} cleared` : `${change.key.replace('\0', '/')}=${change.value}`,
    )
    // A batch may be told twice in a row.
    if (batch.join() === this.#last) return
    this.#last = batch.join()
    this.told.push(...batch)
  }
}

async function followers(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const contact = (user: string, other: string, at: string): Op => put('contact', keyOf(user, other), at)
  await commit(store, [], [contact('ann', 'bob', '1'), contact('ann', 'cy', '2'), contact('bob', 'ann', '3')])
  const heard = new Heard()
  await store.follow(heard)
  t.same(heard.loaded, ['ann/bob=1', 'ann/cy=2', 'bob/ann=3'], 'what is there')
  await commit(store, [], [contact('ann', 'dee', '4'), clear('contact', 'ann'), contact('ann', 'eve', '5')])
  await commit(store, [], [wipe('contact', keyOf('bob', 'ann'))])
  t.same(heard.told, ['ann/dee=4', 'ann cleared', 'ann/eve=5', 'bob/ann=null'], 'and every change, in order')
  t.same(
    heard.positions,
    heard.positions.toSorted((a, b) => a - b),
  )
  t.equal(heard.positions.at(-1), store.position)
  t.same([...store.directory.addedContacts('ann').keys()], ['eve'])
  const found: string[] = []
  await store.tables.scan('contact', (key) => found.push(key))
  t.same(found, [keyOf('ann', 'eve')], 'those set before by the change that clears are gone too')
  await store.close()
}

async function guards(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const other: Op = put('profile', 'x', '{}')
  const { directory } = store
  await commit(store, [], [directory.roomOp(room('tea')), directory.memberOp(member('tea', 'ann'))])
  const table: [name: string, guard: string, op: Op, holds: boolean][] = [
    ['a record that is set', guardOf('room', 'tea'), directory.roomOp(room('tea', { topic: 'x' })), false],
    ['a record that was not there', guardOf('room', 'new'), directory.roomOp(room('new')), false],
    ['another record', guardOf('room', 'tea'), directory.roomOp(room('tea2')), true],
    ['the same key of another table', guardOf('room', 'tea'), put('privacy', 'tea', '{}'), true],
    ['a member', guardOf('member', keyOf('tea', 'ann')), directory.memberOp(member('tea', 'ann')), false],
    ['another member', guardOf('member', keyOf('tea', 'ann')), directory.memberOp(member('tea', 'bob')), true],
    ['any member', guardOfOwner('member', 'tea'), directory.memberOp(member('tea', 'cy')), false],
    ['a member elsewhere', guardOfOwner('member', 'tea'), directory.memberOp(member('den', 'cy')), true],
    ['a user’s rooms', guardOfName('member', 'ann'), directory.memberOp(member('den', 'ann')), false],
    ['another’s rooms', guardOfName('member', 'ann'), directory.memberOp(member('den', 'dee')), true],
    ['one of those cleared', guardOf('member', keyOf('tea', 'ann')), clear('member', 'tea'), false],
    ['one of another owner', guardOf('member', keyOf('den', 'ann')), clear('member', 'tea'), true],
    ['by name, when some are cleared', guardOfName('member', 'ann'), clear('member', 'tea'), false],
    ['a topic', guardOfTopic('rooms of ann'), { type: 'touch', guard: guardOfTopic('rooms of ann') }, false],
    ['another topic', guardOfTopic('rooms of ann'), { type: 'touch', guard: guardOfTopic('rooms of bob') }, true],
    ['a note', guardOfNotes('m:tea', 3), effectOp('m:tea', { notes: [note(3)] }), false],
    ['a note about another', guardOfNotes('m:tea', 3), effectOp('m:tea', { notes: [note(4)] }), true],
  ]
  for (const [name, guard, op, holds] of table) {
    const before = { at: store.position, keys: [guard] }
    t.equal(await tried(store, before, [other]), true, `${name}: nothing has changed`)
    await commit(store, [], [op])
    t.equal(await tried(store, before, [other]), holds, `${name}: changed before`)
    const now = { at: store.position, keys: [guard] }
    const [, second]: [unknown, boolean] = await Promise.all([commit(store, [], [op]), tried(store, now, [other])])
    t.equal(second, holds, `${name}: changed in the same commit`)
  }
  const at = store.position
  const drafts = [draft('m:tea', 'one', { cid: 'c' })]
  await commit(store, [], [directory.roomOp(room('tea'))])
  const refused = new Promise<StoreError | null>((resolve) =>
    store.commit({ drafts, ops: [other], guards: { at, keys: [guardOf('room', 'tea')] }, settled: resolve }),
  )
  t.match(await refused, { name: 'GuardConflict', position: store.position })
  t.equal((await store.log.open('m:tea')).head, 0, 'and nothing of it is written')
  t.equal(await append(store, draft('m:tea', 'one', { cid: 'c' })), 'appended 1', 'nor remembered')
  await store.close()
}

function note(target: number) {
  return { kind: 'state' as const, target, name: '', value: 'x' }
}

async function limits(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const join = (user: string, most = 3): Promise<boolean> => {
    const limits = [{ table: 'member' as const, owner: 'tea', most }]
    return tried(store, { at: store.position, keys: [], limits }, [store.directory.memberOp(member('tea', user))])
  }
  await commit(store, [], [store.directory.memberOp(member('tea', 'ann'))])
  const outcomes = await Promise.all(['bob', 'cy', 'dee', 'eve'].map((user) => join(user)))
  t.same(outcomes, [true, true, false, false], 'counted within one commit')
  await commit(store, [], [store.directory.memberOp({ ...member('tea', 'bob'), role: 'owner' })])
  t.equal(await join('dee', 4), true, 'a record set again counts once')
  await commit(store, [], store.directory.deleteMemberOps('tea', 'ann'))
  await commit(store, [], store.directory.deleteMemberOps('tea', 'nobody'))
  t.same(await Promise.all([join('fay', 4), join('gus', 4)]), [true, false])
  await store.close()
  store = await place.open()
  t.same(await Promise.all([join('gus', 4), join('gus', 5), join('hal', 5)]), [false, true, false], 'after a restart')
  await commit(store, [], [clear('member', 'tea'), store.directory.memberOp(member('tea', 'bob'))])
  t.same(await Promise.all([join('cy', 2), join('dee', 2)]), [true, false], 'after all were removed')
  await store.close()
}

async function sameRecords(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const key = keyOf('ann', 'x')
  const other: Op = put('profile', 'x', '{}')
  const early = store.position
  const holds = (value: string | null, ops: readonly Op[] = [other]): Promise<boolean> =>
    tried(store, { at: early, keys: [], same: [{ table: 'bridge', key, value }] }, ops)
  t.same(await Promise.all([holds(null), holds('1')]), [true, false], 'there is none')
  await commit(store, [], [put('bridge', key, '1')])
  t.same(await Promise.all([holds(null), holds('1'), holds('2')]), [false, true, false], 'it is there')
  const taken = [holds('1', [put('bridge', key, '2')]), holds('1'), holds('2', [del('bridge', key)]), holds(null)]
  t.same(await Promise.all(taken), [true, false, true, true], 'by what earlier changes of the same commit leave of it')
  await commit(store, [], [put('bridge', key, '3')])
  t.same(await Promise.all([holds('3', [clear('bridge', 'ann')]), holds('3')]), [true, false], 'all are cleared')
  t.same(await Promise.all([holds(null, [put('bridge', key, '4')]), holds(null)]), [true, false])
  const ops = [put('bridge', keyOf('ann', 'never'), '1')]
  t.equal(await tried(store, { at: early, keys: [], same: [{ table: 'bridge', key, value: '3' }] }, ops), false)
  t.equal(
    await store.tables.get('bridge', keyOf('ann', 'never')),
    undefined,
    'nothing is written of a change that fails',
  )
  await store.close()
  store = await place.open()
  t.same(await Promise.all([holds('4'), holds('3')]), [true, false], 'as old as the guard is: after a restart')
  await store.close()
}

async function transactions(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  await commit(store, [], [store.directory.roomOp(room('tea'))])
  let runs = 0
  const { value } = await store.transact('tea', async ({ directory }) => {
    const found = directory.room('tea')!
    // Someone gets in between, once.
    if (runs++ === 0) await commit(store, [], [store.directory.roomOp(room('tea', { topic: 'theirs' }))])
    const made = { ...found, name: 'mine' }
    return { ops: [directory.roomOp(made)], value: made }
  })
  t.equal(runs, 2, 'decided again')
  t.match(value, { name: 'mine', topic: 'theirs' })
  t.match(store.directory.room('tea'), { name: 'mine', topic: 'theirs' }, 'and nothing is lost')

  let always = 0
  const never = store.transact('tea', async ({ directory }) => {
    const found = directory.room('tea')!
    await commit(store, [], [store.directory.roomOp(room('tea', { topic: `${++always}` }))])
    return { ops: [directory.roomOp(found)], value: null }
  })
  await t.rejects(never, { code: 'unavailable' })
  t.equal(always, 6, 'a bounded number of times')

  let [joins, isOver] = [0, false]
  const crowd = Array.from({ length: 20 }, async (_, i) => {
    const user = `user${i}`
    while (!isOver) {
      const ops = [store.directory.memberOp(member('tea', user))]
      await store.transact(user, ({ directory }) => ({ ops: directory.room('tea') ? ops : [], value: ++joins }))
    }
  })
  const counted = await store.transact('tea', async ({ directory }) => {
    const { size } = directory.members('tea')
    await nextTurn()
    return { ops: [directory.roomOp(room('tea', { name: `${size}` }))], value: size }
  })
  isOver = true
  await Promise.all(crowd)
  t.equal(counted.value, 20, 'one that depends on what others change all the time is made alone in the end')
  t.ok(joins > 20, `${joins} joins`)

  const { commits } = store.counts
  t.equal((await store.transact('tea', () => ({ value: 5 }))).value, 5)
  t.equal(store.counts.commits, commits, 'a decision to write nothing writes nothing')
  await t.rejects(
    store.transact('tea', () => {
      throw new Error('no')
    }),
    { message: 'no' },
  )
  await store.close()
}

/** A second memory of the same store hears of changes late, as that of another node would. */
async function twoMemories(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const late = await secondMemory(store)
  const { directory } = late.store
  await commit(store, [], [store.directory.roomOp(room('tea', { maxMembers: 1 }))])
  t.match(directory.room('tea'), { id: 'tea' }, 'it hears of a room')

  late.hold()
  await store.transact('tea', ({ directory }) => ({
    ops: [directory.roomOp({ ...directory.room('tea')!, topic: 'one' })],
    value: null,
  }))
  t.match(directory.room('tea'), { topic: null }, 'later than the other')
  let runs = 0
  const second = late.store.transact('tea', ({ directory }) => {
    if (++runs === 2) t.match(directory.room('tea'), { topic: 'one' })
    return { ops: [directory.roomOp({ ...directory.room('tea')!, name: 'two' })], value: null }
  })
  setImmediate(late.release)
  await second
  t.equal(runs, 2, 'what it decides on what is old is decided again')
  t.match(store.directory.room('tea'), { topic: 'one', name: 'two' })
  t.match(directory.room('tea'), { topic: 'one', name: 'two' })

  late.hold()
  await commit(store, [], [store.directory.roomOp(room('den'))])
  const found = late.store.transact('den', ({ directory }) => {
    if (!directory.room('den')) throw new Error('there is no such room')
    return { value: 'found' }
  })
  setImmediate(late.release)
  t.match(await found, { value: 'found' }, 'and so is a refusal')
  late.release()
  await store.close()
}

/** A refusal stands only if it is one on what is stored: a memory that has heard of nothing newer may be behind. */
async function lateRefusals(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const late = await secondMemory(store)
  const { directory } = store
  await commit(store, [], [directory.roomOp(room('tea')), directory.memberOp(member('tea', 'ann'))])
  late.hold()
  let runs = 0
  const enter = (name: string) => {
    runs = 0
    return late.store.transact(name, ({ directory }) => {
      runs++
      if (!directory.room(name)) throw new Refusal('not_found', 'no such room')
      return { value: 'found' }
    })
  }
  await commit(store, [], [directory.roomOp(room('den'))])
  t.match(await enter('den'), { value: 'found' }, 'of what was not there')
  t.equal(runs, 2)
  await commit(store, [], [directory.roomOp(room('attic'))])
  const before = store.counts.catchUps
  await t.rejects(enter('nowhere'), { code: 'not_found' })
  t.same(
    [runs, store.counts.catchUps - before],
    [1, 1],
    'which is asked about once, and decided again only if it has changed',
  )

  const join = (user: string) => {
    runs = 0
    return late.store.transact('tea', (tx) => {
      runs++
      tx.limit({ table: 'member', owner: 'tea', most: 1 })
      if (late.store.directory.members('tea').size >= 1) throw new Refusal('conflict', 'full')
      return { ops: [tx.directory.memberOp(member('tea', user))], value: null }
    })
  }
  await commit(store, [], [directory.memberOp(member('den', 'ann'))])
  await t.rejects(join('bob'), { code: 'conflict' })
  t.equal(runs, 1, 'a limit is counted again only if what it counts has changed')
  await commit(store, [], directory.deleteMemberOps('tea', 'ann'))
  await join('bob')
  t.same([...directory.members('tea').keys()], ['bob'])
  await store.close()
}

/** What is submitted settles in the order of its log, and is told what it comes to when it is decided again. */
async function submissions(t: Test, newPlace: NewPlace): Promise<void> {
  const store = await (await newPlace(t)).open()
  const late = await secondMemory(store)
  const told: string[] = []
  const naming = (name: string, topic: string | null): Submission => ({
    drafts: [draft('m:tea', name)],
    ops: [store.directory.roomOp(room('tea', { name, topic }))],
    settled: (error, results) => told.push(error ? 'failed' : `${name} ${results[0]!.seq}`),
    refused: ({ code }) => told.push(`${name} ${code}`),
  })
  const submit = (name: string, refused = '') =>
    late.store.submit('tea', ({ directory }) => {
      const topic = directory.room('tea')?.topic ?? null
      if (topic === refused) throw new Refusal('forbidden', 'not now')
      return naming(name, topic)
    })
  const settledOf = (name: string) => (): unknown => told.push(name)
  await submit('one')
  store.commit({ drafts: [draft('m:tea', 'x')], ops: [], settled: settledOf('after it') })
  await commit(store, [draft('m:tea', 'y')])
  t.same(told.splice(0), ['one 1', 'after it'], 'in the order of the log')

  late.hold()
  await store.transact('tea', () => ({ ops: [store.directory.roomOp(room('tea', { topic: 'theirs' }))], value: null }))
  const second = submit('two')
  await second
  t.same(told, [], 'queued')
  late.release()
  await submit('three', 'none')
  await store.transact('other', () => ({ drafts: [draft('m:den', 'y')], value: null }))
  t.same(told.splice(0), ['two 4', 'three 5'], 'what is decided again settles once, before the next of its key')
  t.match(store.directory.room('tea'), { name: 'three', topic: 'theirs' })

  late.hold()
  await store.transact('tea', () => ({ ops: [store.directory.roomOp(room('tea', { topic: 'mine' }))], value: null }))
  await submit('four', 'mine')
  late.release()
  await t.rejects(submit('five', 'mine'), { code: 'forbidden' }, 'refused before it is queued')
  t.same(told, ['four forbidden'], 'or afterwards')
  await store.close()
}
