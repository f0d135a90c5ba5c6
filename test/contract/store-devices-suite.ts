/** The part of the store contract that is about devices, and notes that are written on their own. */

import type { Test } from 'tap'
import type { DeviceCommandRecord } from '../../broker/store/devices.js'
import { effectOp } from '../../broker/store/op.js'
import { append, commit, draft, type NewPlace } from './store-suite.js'

export function devicesSuite(t: Test, newPlace: NewPlace): void {
  t.test('devices', (t) => devices(t, newPlace))
  t.test('commands of devices', (t) => commands(t, newPlace))
  t.test('a note on its own', (t) => noteOnItsOwn(t, newPlace))
}

async function devices(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const { devices } = store.directory
  const lamp = { device: 'lamp', owner: 'ann', name: null, createdAt: 1 }
  const share = { device: 'lamp', user: 'bob', may: 'read' as const, at: 2 }
  const bridge = { device: 'lamp', id: 'b1', filter: 'alarm/#', room: 'r', template: null, by: 'ann', at: 3 }
  const other = { ...lamp, device: 'lamp2' }
  await commit(
    store,
    [],
    [devices.putOp(lamp), devices.putOp(other), devices.shares.putOp(share), devices.bridges.putOp(bridge)],
  )
  await commit(store, [], [devices.putOp({ ...other, owner: 'bob' })])
  const known = () => {
    const { devices } = store.directory
    return {
      lamp: devices.get('lamp') ?? null,
      ann: [...devices.ownedBy('ann').keys()],
      bob: [...devices.ownedBy('bob').keys()],
      shares: [...devices.shares.of('lamp').values()],
      withBob: [...devices.sharedWith('bob').keys()],
      bridges: [...devices.bridges.of('lamp').values()],
    }
  }
  const all = { lamp, ann: ['lamp'], bob: ['lamp2'], shares: [share], withBob: ['lamp'], bridges: [bridge] }
  t.same(known(), all)
  await store.close()
  store = await place.open()
  t.same(known(), all, 'after a restart')
  await commit(store, [], store.directory.deleteUserOps('bob', 4))
  t.same(known(), { ...all, shares: [], withBob: [] }, 'what is shared with a user goes with it')
  await commit(store, [], [store.directory.devices.shares.putOp(share)])
  await commit(store, [], store.directory.deleteUserOps('lamp', 5))
  const none = { lamp: null, ann: [], bob: ['lamp2'], shares: [], withBob: [], bridges: [] }
  t.same(known(), none, 'and what belongs to a device with the device')
  await store.close()
  store = await place.open()
  t.same(known(), none)
  await store.close()
}

async function commands(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  const asked = (id: string, more: Partial<DeviceCommandRecord> = {}): DeviceCommandRecord => ({
    ...{ device: 'lamp', id, name: 'on', by: 'ann', at: 1, expiresAt: 2, deliveredAt: 0, finishedAt: 0 },
    state: 'pending',
    ...more,
  })
  const put = (...records: DeviceCommandRecord[]) =>
    commit(
      store,
      [],
      records.flatMap((record) => store.directory.devices.commandOps(record)),
    )
  await commit(store, [], [store.directory.devices.putOp({ device: 'lamp', owner: 'ann', name: null, createdAt: 1 })])
  await put(asked('a'), asked('b'), asked('c'), asked('d', { device: 'lamp2' }))
  await put(asked('a', { state: 'delivered', params: { x: 1 } }), asked('b', { state: 'done', result: [1] }))
  await put(asked('c', { state: 'expired' }))
  const known = async () => {
    const { devices } = store.directory
    return {
      open: [...devices.open.of('lamp').values()],
      all: [...devices.allOpen()].length,
      finished: (await devices.finishedBefore('lamp', 'z', 10)).map(({ id, state }) => `${id} ${state}`),
      before: (await devices.finishedBefore('lamp', 'c', 10)).map(({ id }) => id),
      one: (await devices.finished('lamp', 'b'))?.result,
    }
  }
  const all = {
    open: [asked('a', { state: 'delivered', params: { x: 1 } })],
    ...{ all: 2, finished: ['c expired', 'b done'], before: ['b'], one: [1] },
  }
  t.same(await known(), all)
  await store.close()
  store = await place.open()
  t.same(await known(), all, 'after a restart')
  await commit(store, [], [store.directory.devices.forgetOp('lamp', 'b')])
  t.same((await known()).finished, ['c expired'])
  await commit(store, [], store.directory.deleteUserOps('lamp', 3))
  t.match(await known(), { open: [], all: 1, finished: [] })
  await store.close()
}

async function noteOnItsOwn(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let store = await place.open()
  await append(
    store,
    draft('n:ann', 'one', { effect: { notes: [{ kind: 'notice', target: null, name: '', value: 'new' }] } }),
  )
  t.equal(await store.notes.get('n:ann', 'notice', 1), 'new')
  await commit(store, [], [effectOp('n:ann', { notes: [{ kind: 'notice', target: 1, name: '', value: 'read' }] })])
  await store.close()
  store = await place.open()
  t.equal(await store.notes.get('n:ann', 'notice', 1), 'read')
  t.equal(await store.notes.get('n:ann', 'notice', 2), null)
  await store.close()
}
