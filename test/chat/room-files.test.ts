/** The bytes of all files that messages of a room refer to are bounded. */
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { Person } from '../helpers/people.js'
import { upload } from '../helpers/uploads.js'

/** Seconds after which each file has been looked at. */
const LOOKED_AT = 13 * 3600

async function open(t: Test) {
  const clock = movableClock(t)
  const media = { shared: true, images: { enabled: false }, roomBytes: 1000, unusedLife: '2h' }
  const broker = await startTestBroker(t, { media, limits: { rates: 'off' } })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  for (const room of ['den', 'hall']) {
    await alice.get('rooms.create', { room })
    await bob.get('rooms.join', { room })
  }
  return { clock, broker, alice, bob }
}

const file = (broker: TestBroker, user: string, bytes: number): Promise<string> =>
  upload(broker, user, Buffer.alloc(bytes, 120))

/** Resolves with the code of the refusal, or with the seq of the message. */
async function send(person: Person, room: string, ...files: string[]): Promise<string | number> {
  const attachments = files.map((file) => ({ type: 'file', file }))
  const { ok, error, result } = await person.send(`rooms/${room}/messages`, { attachments })
  return ok ? result.seq : `${error!.code} ${error!.field}`
}

const FULL = 'too_large attachments'

t.test('a file counts once in a room, whoever sends it and how often, and in each room', async (t) => {
  const { broker, alice, bob } = await open(t)
  const [big, small, large] = [
    await file(broker, 'alice', 600),
    await file(broker, 'bob', 400),
    await file(broker, 'bob', 401),
  ]
  t.equal(await send(alice, 'den', big), 1)
  t.equal(await send(bob, 'den', big), 2, 'passed on')
  t.equal(await send(bob, 'den', large), FULL)
  t.equal(await send(bob, 'den', small), 3)
  t.equal(await send(bob, 'den', small, big), 4)
  t.equal(await send(bob, 'den', large), FULL)
  t.equal(
    await bob.fails('send', { room: 'den', type: 'edit', target: 3, attachments: [{ type: 'file', file: large }] }),
    FULL,
  )
  t.equal(await send(bob, 'hall', large), 1)
  t.equal(await send(bob, 'hall', small, big), FULL, 'all files of a message count')
  const toBob = (one: string) => alice.send('users/bob/messages', { attachments: [{ type: 'file', file: one }] })
  t.match(await toBob(big), { ok: true })
  t.match((await toBob(await file(broker, 'alice', 600))).error, { code: 'too_large' }, 'a conversation is a room')
})

t.test('it counts no more when no message refers to it, and when it is deleted', async (t) => {
  const { clock, broker, alice } = await open(t)
  const first = await file(broker, 'alice', 600)
  t.equal(await send(alice, 'den', first), 1)
  t.equal(await send(alice, 'hall', first), 1)
  await alice.say('den', { type: 'delete', target: 1 })
  clock.forward(LOOKED_AT)
  await broker.running.maintenance.sweep(Date.now())
  const second = await file(broker, 'alice', 600)
  t.equal(await send(alice, 'den', second), 3, 'the first one is in the hall only')
  t.equal(await send(alice, 'hall', second), FULL)
  await alice.get('files.delete', { file: first })
  t.equal(await send(alice, 'hall', second), 2)
})

t.test('a room that is made anew begins empty, and what it had before is not taken off', async (t) => {
  const { clock, broker, alice } = await open(t)
  const first = await file(broker, 'alice', 600)
  t.equal(await send(alice, 'den', first), 1)
  await alice.get('rooms.delete', { room: 'den' })
  await alice.get('rooms.create', { room: 'den' })
  t.equal(await send(alice, 'den', await file(broker, 'alice', 600)), 1)
  clock.forward(LOOKED_AT)
  await broker.running.maintenance.sweep(Date.now())
  t.equal(await alice.fails('files.get', { file: first }), 'not_found file')
  t.equal(await send(alice, 'den', await file(broker, 'alice', 600)), FULL)
})

t.test('of two that are sent at once, one is taken', async (t) => {
  const { broker, alice, bob } = await open(t)
  const files = [await file(broker, 'alice', 600), await file(broker, 'bob', 600)]
  const results = await Promise.all([send(alice, 'den', files[0]!), send(bob, 'den', files[1]!)])
  t.same(results.map(String).sort(), ['1', FULL])
})
