/** The hooks of `auth.hooks`, at each place where they are asked: they narrow what is allowed, and one that fails denies. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Overrides } from '../helpers/broker.js'
import { knock } from '../helpers/knock.js'
import { codeOf } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const LASTING = { clean: false } as const

t.test('the hooks module of the documentation narrows, and nothing widens', async (t) => {
  const allowed = { acl: { rules: [{ allow: 'all', who: 'any', topics: ['factory/#'] }] } } as Overrides
  const { connect } = await people(t, [], { ...allowed, auth: { hooks: 'docs/examples/auth-hooks.mjs' } })
  const op = await connect('op', { roles: ['operator'] })
  const bob = await connect('bob')
  t.same(
    await bob.subscribe(['factory/+/state', 'factory/#', '#', 'factory/m1/#', 'rooms/lobby/messages']),
    [0x80, 0x80, 0x80, 1, 1],
  )
  t.equal(codeOf(await bob.refused('factory/m1/command', 'stop')), 'forbidden')
  t.equal(codeOf(await op.refused('factory/m1/command', 'x'.repeat(1025))), 'forbidden')
  await op.publish('factory/m1/command', 'stop')
  await bob.hears('stop')
  await bob.say('lobby', 'hi')
  await bob.hears('hi')
  t.equal(codeOf(await bob.refused('other', 'x')), 'forbidden', 'what the rules deny no hook allows')
})

t.test('hooks decide about logins, wills and restored subscriptions; one that fails denies', async (t) => {
  const dir = t.testdir({})
  const file = join(dir, 'hooks.mjs')
  mkdirSync(dir, { recursive: true })
  writeFileSync(
    file,
    `export async function authenticate({ user, clientId, address }) {
       if (user === 'late') await new Promise(() => {})
       if (user === 'boom') throw new Error('boom')
       return user !== 'eve' && clientId !== 'evil' && typeof address === 'string'
     }
     export function authorizePublish({ topic, payload }) { return !topic.endsWith('/text') && !payload.includes('bad') }
     let restored = 0
     export function authorizeSubscribe({ user, filter }) { return filter !== 'rooms/lobby/text' || restored++ === 0 }`,
  )
  const { broker, connect, alice } = await people(t, ['alice'], { auth: { hooks: file, hooksTimeout: 0.2 } })
  await alice.subscribe('rooms/lobby/messages')
  for (const user of ['eve', 'boom', 'late']) t.equal(await knock(broker, user, await broker.token(user)), 5, user)
  t.equal(await knock(broker, 'a', await broker.token('a'), { clientId: 'evil' }), 5)
  t.equal(codeOf(await alice.refused('users/eve/messages', 'hi')), 'not_found', 'whom the hook refused has no account')
  t.equal(codeOf(await alice.refused('rooms/lobby/text', 'hi')), 'forbidden')
  t.match(await alice.send('rooms/lobby/messages', { text: 'a bad word' }), { error: { code: 'forbidden' } })
  const bob = await connect('bob', {
    ...LASTING,
    will: { topic: 'rooms/lobby/messages', payload: Buffer.from('bad will'), qos: 1, retain: false },
  })
  t.same(await bob.subscribe(['rooms/lobby/text', 'users/bob/messages']), [1, 1])
  await bob.vanish()
  await alice.say('lobby', 'good')
  await alice.tell('bob', 'marker')
  await alice.hears('good')
  t.same(alice.lines, ['rooms/lobby/messages good'], 'the will was refused')
  const back = await connect('bob', LASTING)
  await back.hears('marker')
  t.same(back.lines, ['users/bob/messages marker'], 'the hook is asked again when a session comes back')
})
