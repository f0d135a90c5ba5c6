/** Devices that race with what another node does, which this one has not heard of yet. */
import t, { type Test } from 'tap'
import { DeviceCommands } from '../../broker/chat/devices/device-commands.js'
import { DeviceRules } from '../../broker/chat/devices/device-rules.js'
import { commit } from '../../broker/store/commit.js'
import type { Store } from '../../broker/store/store.js'
import { TimerWheel } from '../../broker/util/timer-wheel.js'
import { actorOf, openStore, raced } from '../helpers/node-pair.js'

const ANN = actorOf('ann')
const LAMP = actorOf('lamp')

/** A lamp of ann, which bob may control. */
async function openLamp(t: Test): Promise<Store> {
  const store = await openStore(t, ['ann', 'bob', 'cy', 'lamp'])
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
    commands.receipt(LAMP, Buffer.from(JSON.stringify({ id, ok })), [])
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
