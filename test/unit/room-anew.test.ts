/** A room that is deleted on one node and made anew on another at once: the two have nothing in common but the name. */
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { isPositionIn, type LogInfo } from '../../broker/store/logs.js'
import type { Store } from '../../broker/store/store.js'
import { append, commit, draft, drop } from '../contract/store-suite.js'
import { memoryStore } from '../helpers/memory-store.js'
import { write } from '../helpers/message-writer.js'
import { accountActor, roomsOn } from '../helpers/other-node.js'
import { secondMemory } from '../helpers/two-memories.js'

type Node = ReturnType<typeof roomsOn>

const NAMES = ['ann', 'bob']
const [ann, bob] = NAMES.map(accountActor) as [ReturnType<typeof accountActor>, ReturnType<typeof accountActor>]
const MINE = { access: 'private' } as const

async function openStore(t: Test): Promise<Store> {
  const store = await memoryStore(t)
  const { directory } = store
  const account = (id: string) => directory.userOps({ id, roles: [], passwordHash: null, createdAt: 1 })
  await commit(store, [], NAMES.flatMap(account))
  return store
}

const said = async (store: Store, log = 'm:tea'): Promise<string[]> =>
  (await store.log.read(log, 0, 100, 1e6, 'shown')).map(({ seq, payload }) => {
    const { type, text } = JSON.parse(payload.toString())
    return `${seq} ${text ?? type}`
  })

/** The room of ann, in which she wrote: some of it is in chunks, some in the journal, and there are notes. */
async function live(t: Test, { rooms, store }: Node): Promise<LogInfo> {
  await rooms.create(ann, 'tea', MINE)
  t.equal(await write(store, 'ann', { text: 'old', cid: 'c' }), 'entry 1')
  await drop(store, 'm:nothing')
  const pin = { notes: [{ kind: 'pin', target: 1, name: '', value: 'old' }] } as const
  await append(store, draft('m:tea', 'old', { effect: pin }))
  return store.log.open('m:tea')
}

async function madeAnew({ rooms }: Node): Promise<void> {
  for (;;) {
    const code = await rooms.create(bob, 'tea', MINE).then(
      () => null,
      (error) => error.code,
    )
    if (code === null) return
    if (code !== 'conflict') throw new Error(code)
    await turn()
  }
}

t.test('nothing of the new room is lost, and nothing of the old one is there', async (t) => {
  const store = await openStore(t)
  const late = await secondMemory(store)
  const [one, other] = [roomsOn(store), roomsOn(late.store)]
  for (let round = 0; round < 20; round++) {
    const before = await live(t, one)
    late.hold()
    const removed = one.rooms.remove(ann, 'tea')
    const making = madeAnew(other)
    setImmediate(late.release)
    await making
    const sent = await Promise.all(['a', 'b', 'c'].map((text) => write(late.store, 'bob', { text, cid: `c${text}` })))
    await removed
    t.same(sent, ['entry 1', 'entry 2', 'entry 3'])
    t.same(await said(store), ['1 a', '2 b', '3 c'])
    t.same(await said(store, 'e:tea'), ['1 created'])
    t.equal(await store.notes.get('m:tea', 'pin', 1), null)
    t.match(store.directory.member('tea', 'bob'), { joined: { messages: 0, events: 0 } })
    t.notOk(isPositionIn(await store.log.open('m:tea'), before.head, before.incarnation))
    await one.rooms.remove(bob, 'tea')
  }
})

t.test('a message that was on its way to the old room is in neither', async (t) => {
  const store = await openStore(t)
  const late = await secondMemory(store)
  const [one, other] = [roomsOn(store), roomsOn(late.store)]
  await live(t, one)
  late.hold()
  await one.rooms.remove(ann, 'tea')
  t.equal(await write(late.store, 'ann', { text: 'late' }), 'not_found', 'the sender has not heard of the deletion')
  await one.rooms.create(bob, 'tea', MINE)
  t.equal(await write(late.store, 'ann', { text: 'later', cid: 'c' }), 'not_found', 'nor of the new room')
  late.release()
  await other.rooms.update(bob, 'tea', { topic: 'x' })
  t.equal(await write(late.store, 'bob', { text: 'mine' }), 'entry 1')
  t.same(await said(store), ['1 mine'])
})

t.test('a room is deleted while a member writes: the message is in the old room, or refused', async (t) => {
  const store = await openStore(t)
  const one = roomsOn(store)
  await live(t, one)
  const outcomes: Promise<string>[] = []
  const commit = store.commit.bind(store)
  store.commit = (change) => {
    const deletes = change.ops.some(({ type }) => type === 'dropLog')
    if (deletes) outcomes.push(write(store, 'ann', { text: 'in time' }))
    commit(change)
    if (deletes) outcomes.push(write(store, 'ann', { text: 'too late' }))
  }
  const told: string[] = []
  await store.log.follow('m:tea', ({ entries }) => {
    for (const { payload } of entries) told.push(JSON.parse(`${payload}`).text)
  })
  await one.rooms.remove(ann, 'tea')
  t.same(await Promise.all(outcomes), ['entry 3', 'not_found'])
  await one.rooms.create(bob, 'tea', MINE)
  t.same(told, ['in time'])
  t.same(await said(store), [])
})
