/** Private values of users: on all their devices, in versions, and nobody else's. */
import t from 'tap'
import { startNodes } from '../helpers/nodes.js'
import { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

const events = 'users/alice/events'

t.test('a value is the same on all devices of its user, and theirs alone', async (t) => {
  const { broker, connect, alice, bob } = await people(t, ['alice', 'bob'])
  const phone = await connect('alice', { clientId: 'phone' })
  await phone.subscribe(events)
  const value = { colours: ['red', null, 1.5], nested: { __proto__: 1, 'a b': '抹茶' } }
  const set = await alice.get('account.data.set', { name: 'theme', value })
  t.match(set, { name: 'theme', version: 1, updatedAt: Number })
  t.match(await phone.on(events, 1), [{ type: 'accountData', name: 'theme', version: 1 }])
  t.same(await phone.get('account.data.get', { name: 'theme' }), { ...set, value })
  t.equal(await bob.fails('account.data.get', { name: 'theme' }), 'not_found name')
  t.same(await bob.get('account.data.list'), { entries: [], more: false })
  for (const value of [null, false, 0, '', []]) {
    await alice.get('account.data.set', { name: 'small', value })
    t.same((await alice.get('account.data.get', { name: 'small' })).value, value)
  }
  await broker.restart()
  t.same(await (await connect('alice')).get('account.data.get', { name: 'theme' }), { ...set, value })
})

t.test('what another device has changed is not overwritten unknowingly', async (t) => {
  const { connect, alice } = await people(t, ['alice'])
  const phone = await connect('alice', { clientId: 'phone' })
  const set = (person: Person, text: string, ifVersion?: number) =>
    person.ask('account.data.set', {
      name: 'draft.tea',
      value: text,
      ...(ifVersion === undefined ? {} : { ifVersion }),
    })
  t.match(await set(alice, 'a', 0), { ok: true, result: { version: 1 } })
  t.match(await set(phone, 'b', 0), { ok: false, error: { code: 'conflict', field: 'ifVersion' } })
  t.match(await set(phone, 'b', 1), { result: { version: 2 } })
  t.match(await set(alice, 'c', 1), { error: { code: 'conflict' } })
  t.match(await set(alice, 'c'), { result: { version: 3 } }, 'without it the last one wins')
  t.equal(await phone.fails('account.data.delete', { name: 'draft.tea', ifVersion: 2 }), 'conflict ifVersion')
  await phone.subscribe(events)
  await phone.get('account.data.delete', { name: 'draft.tea', ifVersion: 3 })
  await phone.get('account.data.delete', { name: 'draft.tea' })
  t.equal(await alice.fails('account.data.get', { name: 'draft.tea' }), 'not_found name')
  t.match(await set(alice, 'd', 3), { error: { code: 'conflict' } })
  t.match(await set(alice, 'd', 0), { result: { version: 5 } }, 'a version is not used twice')
  t.match(await phone.on(events, 2), [
    { name: 'draft.tea', version: null },
    { name: 'draft.tea', version: 5 },
  ])
  t.equal((await phone.on(events, 2)).length, 2, 'nothing is told of what changed nothing')
})

t.test('are listed by name, in pages', async (t) => {
  const { alice } = await people(t, ['alice'])
  for (const name of ['b', 'a', 'c:d']) await alice.get('account.data.set', { name, value: { of: name } })
  t.match(await alice.get('account.data.list', { limit: 2 }), {
    entries: [
      { name: 'a', value: { of: 'a' }, version: 2 },
      { name: 'b', value: { of: 'b' }, version: 1 },
    ],
    more: true,
  })
  const rest = await alice.get('account.data.list', { after: 'b', values: false })
  t.match(rest, { entries: [{ name: 'c:d', version: 3 }], more: false })
  t.notOk('value' in rest.entries[0])
})

t.test('their number and bytes are bounded', async (t) => {
  const limits = { accountDataValues: 3, accountDataValueBytes: 100, accountDataBytes: 210 }
  const { alice } = await people(t, ['alice'], { limits })
  const set = (name: string, value: unknown) => alice.get('account.data.set', { name, value })
  const fails = (name: string, value: unknown) => alice.fails('account.data.set', { name, value })
  t.equal(await fails('a', 'x'.repeat(99)), 'too_large value')
  await set('a', 'x'.repeat(98))
  await set('b', 'x'.repeat(98))
  t.equal(await fails('c', '12345678'), 'conflict')
  await set('c', 1)
  t.equal(await fails('d', 1), 'conflict')
  await set('a', 'shorter')
  await alice.get('account.data.delete', { name: 'c' })
  await set('d', 'x'.repeat(90))
  t.equal(await fails('theme', undefined), 'bad_request value')
  t.equal(await fails('two words', 1), 'bad_request name')
  let deep: unknown = 1
  for (let i = 0; i < 200; i++) deep = [deep]
  t.equal(await fails('a', deep), 'bad_request')
})

t.test('of two nodes that change a value one is first', async (t) => {
  const { one, two } = await startNodes(t)
  const here = await Person.connect(t, one.broker, 'alice')
  const there = await Person.connect(t, two.broker, 'alice', { clientId: 'there' })
  await there.subscribe(events)
  const set = (person: Person, value: string) => person.ask('account.data.set', { name: 'k', value, ifVersion: 0 })
  const answers = await Promise.all([set(here, 'here'), set(there, 'there')])
  const [first] = answers.filter(({ ok }) => ok)
  t.equal(answers.filter(({ ok }) => ok).length, 1)
  t.match(answers.find(({ ok }) => !ok).error, { code: 'conflict' })
  await there.on(events, 1)
  t.same(await here.get('account.data.get', { name: 'k' }), await there.get('account.data.get', { name: 'k' }))
  t.equal(first.result.version, 1)
})
