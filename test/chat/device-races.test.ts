/** Devices that race with what another node does, which this one has not heard of yet. */
import t, { type Test } from 'tap'
import { Accounts } from '../../broker/auth/accounts.js'
import { Keys } from '../../broker/auth/keys.js'
import { Bridges, type BridgesDeps } from '../../broker/chat/devices/bridges.js'
import { DeviceCommands } from '../../broker/chat/devices/device-commands.js'
import { DeviceOffers } from '../../broker/chat/devices/device-offers.js'
import { DeviceRules } from '../../broker/chat/devices/device-rules.js'
import { Devices } from '../../broker/chat/devices/devices.js'
import { AskLimits } from '../../broker/chat/model/ask-limits.js'
import type { Signal } from '../../broker/chat/model/signals.js'
import { makeRooms } from '../../broker/chat/wiring/rooms.js'
import { countPersons } from '../../broker/chat/wiring/shared.js'
import { completeConfig } from '../../broker/config/config.js'
import { LocalBus } from '../../broker/store/bus.js'
import { commit } from '../../broker/store/commit.js'
import type { Store } from '../../broker/store/store.js'
import { KeyedMutex } from '../../broker/util/keyed-mutex.js'
import { TimerWheel } from '../../broker/util/timer-wheel.js'
import { actorOf, openStore, raced } from '../helpers/node-pair.js'

const ANN = actorOf('ann')
const LAMP = actorOf('lamp')

/** A lamp of ann, which bob may control. */
async function openLamp(t: Test): Promise<Store> {
  const store = await openStore(t, ['ann', 'bob', 'cy', 'dee', 'lamp'])
  const { devices } = store.directory
  const shared = devices.shares.putOp({ device: 'lamp', user: 'bob', may: 'control', at: 1 })
  await commit(store, { ops: [devices.putOp({ device: 'lamp', owner: 'ann', name: null, createdAt: 1 }), shared] })
  return store
}

function commandsOf(t: Test, store: Store): DeviceCommands {
  const wheel = new TimerWheel()
  t.teardown(() => wheel.close())
  const failed = (error: unknown): void => void t.fail(String(error))
  return new DeviceCommands({ store, wheel, rules: new DeviceRules(store.directory.devices), failed })
}

const remove = (store: Store, user: string) => commit(store, { ops: store.directory.deleteUserOps(user, 2) })

type Act = (commands: DeviceCommands, id: string, store: Store) => Promise<unknown>

const send =
  (user: string, cid?: string): Act =>
  async (commands) =>
    (await commands.send(actorOf(user), 'lamp', { name: 'on', ...(cid === undefined ? {} : { cid }) })).seq
const answer =
  (ok: boolean): Act =>
  (commands, id) =>
    commands.receipt(LAMP, Buffer.from(JSON.stringify({ id, ok })), { ops: [], lane: { fence: null } })
const withdraw: Act = (commands) => commands.withdraw('ann', 'lamp')

/** What one node does with a command of ann, what another does, what becomes of the second, and the states of commands then. */
const COMMANDS: readonly [name: string, first: Act, second: Act, outcome: unknown, states: string[]][] = [
  ['two outcomes', answer(true), answer(false), 'conflict', ['done']],
  ['the same outcome twice', answer(true), answer(true), undefined, ['done']],
  ['an outcome of a command that is withdrawn', withdraw, answer(true), 'not_found', []],
  ['a command that is withdrawn when it has an outcome', answer(true), withdraw, undefined, []],
  ['two commands of one cid', send('ann', 'c'), send('ann', 'c'), 2, ['pending', 'pending']],
  ['two commands', send('ann'), send('bob'), 3, ['pending', 'pending', 'pending']],
  [
    'a command of a user with whom the device is shared no longer',
    (_, __, store) => commit(store, { ops: [store.directory.devices.shares.deleteOp('lamp', 'bob')] }),
    send('bob'),
    'not_found',
    ['pending'],
  ],
  ['a command to a device that is removed', (_, __, store) => remove(store, 'lamp'), send('ann'), 'not_found', []],
]

for (const [name, first, second, outcome, states] of COMMANDS)
  t.test(name, async (t) => {
    const store = await openLamp(t)
    const { record } = await commandsOf(t, store).send(ANN, 'lamp', { name: 'off' })
    const act = (act: Act) => (store: Store) => act(commandsOf(t, store), record.id, store)
    t.equal(await raced(store, act(first), act(second)), outcome)
    const { commands } = await commandsOf(t, store).list('lamp', undefined, 10)
    t.same(
      commands.map(({ state }) => state),
      states,
    )
  })

t.test('a device has no more open commands than the limit', async (t) => {
  const store = await openLamp(t)
  const commands = commandsOf(t, store)
  for (let i = 1; i < 100; i++) await commands.send(ANN, 'lamp', { name: `${i}` })
  const act = (user: string) => (store: Store) => send(user)(commandsOf(t, store), '', store)
  t.equal(await raced(store, act('ann'), act('bob')), 'conflict')
  t.equal(store.directory.devices.open.of('lamp').size, 100)
})

const config = completeConfig({ devices: { perUser: 2 } })

/** Devices, offers and bridges as a node serves them that has this store. */
function nodeOf(store: Store) {
  const rules = new DeviceRules(store.directory.devices)
  const accounts = new Accounts(store, null as never)
  const keys = new Keys({ store, perUser: 10, ended: () => {} })
  const askLimits = new AskLimits(100)
  const shared = { store, bus: new LocalBus<Signal>(), locks: new KeyedMutex(), askLimits, followedBy: () => 0 }
  const rooms = makeRooms(config, { ...shared, ...countPersons(store.directory, config) })
  const { sanctions } = rooms
  const remove = (user: string, allow?: Parameters<Accounts['remove']>[2]) => accounts.remove(user, 'kept', allow)
  const made = {
    ...{ store, rules, accounts, keys, remove, askLimits, sanctions },
    presence: { updateVisibility: <T>(_: string, __: string, work: () => Promise<T>) => work() },
    ...{ options: config.devices, registeredBy: () => 'user' as const },
  }
  const unused = {} as Pick<BridgesDeps, 'screening' | 'rates' | 'count'>
  const bridges = new Bridges({ ...unused, ...rooms, store, rules, roomRules: rooms.rules, topicLevels: 8 })
  return { store, devices: new Devices(made), offers: new DeviceOffers(made), bridges, keys, rooms: rooms.rooms }
}

type Node = ReturnType<typeof nodeOf>

const BRIDGE = { filter: 'telemetry', room: 'tea', template: null }
const bridge = ({ bridges }: Node) => bridges.create(ANN, 'lamp', BRIDGE)
const toBob = ({ offers }: Node) => offers.transfer(actorOf('root', 'admin'), 'lamp', 'bob')
const accept = ({ offers }: Node) => offers.accept(actorOf('cy'), 'lamp')
const share =
  (user: string) =>
  ({ devices }: Node) =>
    devices.share(ANN, 'lamp', user, 'read')
const register =
  (device: string) =>
  ({ devices }: Node) =>
    devices.register(ANN, device, null)
const write =
  (...ops: Parameters<typeof commit>[1]['ops'] & object) =>
  ({ store }: Node) =>
    commit(store, { ops })

/** What one node does with the lamp, which ann has offered to cy; what another does, what becomes of the second, and how it is then. */
const ACTS: readonly [
  name: string,
  first: (node: Node) => Promise<unknown>,
  second: (node: Node) => Promise<unknown>,
  outcome: unknown,
  after: { owner?: string; shared?: string[]; bridges?: number; keys?: number; owned?: string[] },
][] = [
  ['a share of a device that was handed over', toBob, share('cy'), 'not_found', { owner: 'bob', shared: [] }],
  ['two shares', share('cy'), share('root'), undefined, { shared: ['bob', 'cy', 'root'] }],
  ['a share with a user who is removed', (n) => remove(n.store, 'cy'), share('cy'), 'not_found', { shared: ['bob'] }],
  [
    'a share with a user who blocks its owner',
    (n) => write(n.store.directory.blockOp({ user: 'cy', blocked: 'ann', at: 1 }))(n),
    share('cy'),
    'forbidden',
    { shared: ['bob'] },
  ],
  ['two who hand over', accept, toBob, {}, { owner: 'bob', keys: 1 }],
  ['an offer that is not valid any more', toBob, accept, 'not_found', { owner: 'bob', keys: 0 }],
  ['an offer that is accepted twice', accept, accept, 'not_found', { owner: 'cy', keys: 1, shared: [] }],
  ['a share that ends with a transfer', share('root'), accept, {}, { owner: 'cy', shared: [] }],
  ['a key for who was the owner', toBob, ({ devices }) => devices.key(ANN, 'lamp'), 'not_found', { keys: 0 }],
  [
    'a removal by who was the owner',
    toBob,
    ({ devices }) => devices.remove(ANN, 'lamp'),
    'not_found',
    { owner: 'bob' },
  ],
  ['more devices than allowed', register('one'), register('two'), 'conflict', { owned: ['lamp', 'one'] }],
  ['a bridge of a device that was handed over', toBob, bridge, 'not_found', { bridges: 0 }],
  ['a bridge into a room that is deleted', (n) => n.rooms.remove(ANN, 'tea'), bridge, 'not_found', { bridges: 0 }],
  [
    'a bridge of who may not invite any more',
    (n) => write(...n.store.directory.deleteMemberOps('tea', 'ann'))(n),
    bridge,
    'forbidden',
    { bridges: 0 },
  ],
  ['two bridges', bridge, bridge, { room: 'tea' }, { bridges: 2 }],
]

for (const [name, first, second, outcome, after] of ACTS)
  t.test(name, async (t) => {
    const store = await openLamp(t)
    const { directory } = store
    await commit(store, { ops: directory.userOps({ id: 'root', roles: [], passwordHash: null, createdAt: 1 }) })
    await nodeOf(store).rooms.create(ANN, 'tea', {})
    await nodeOf(store).offers.transfer(ANN, 'lamp', 'cy')
    const on = (act: (node: Node) => Promise<unknown>) => (store: Store) => act(nodeOf(store))
    const found = await raced(store, on(first), on(second))
    if (outcome === undefined) t.equal(found, undefined)
    else t.match(found, outcome)
    const { devices } = directory
    const now = {
      owner: devices.get('lamp')?.owner,
      shared: [...devices.shares.of('lamp').keys()],
      bridges: devices.bridges.of('lamp').size,
      keys: (await nodeOf(store).keys.list('lamp')).length,
      owned: [...devices.ownedBy('ann').keys()],
    }
    t.match(now, after)
  })

t.test('limits of a device hold on two nodes', async (t) => {
  const store = await openLamp(t)
  await nodeOf(store).rooms.create(ANN, 'tea', {})
  const { bridges, shares } = store.directory.devices
  const names = (most: number) => Array.from({ length: most - 1 }, (_, n) => `x${n}`)
  await commit(store, {
    ops: [
      ...names(20).map((id) => bridges.putOp({ ...BRIDGE, device: 'lamp', id, by: 'ann', at: 1 })),
      ...names(99).map((user) => shares.putOp({ device: 'lamp', user, may: 'read', at: 1 })),
    ],
  })
  const on = (act: (node: Node) => Promise<unknown>) => (store: Store) => act(nodeOf(store))
  t.equal(await raced(store, on(bridge), on(bridge)), 'conflict')
  t.equal(bridges.of('lamp').size, 20)
  t.equal(await raced(store, on(share('cy')), on(share('dee'))), 'conflict')
  t.equal(shares.of('lamp').size, 100)
})
