/** A server that is asked before a message is written: what it says holds, at every door, and what becomes of messages when it says nothing. */
import t, { type Test } from 'tap'
import { type Overrides, startTestBroker } from '../helpers/broker.js'
import { movableClock } from '../helpers/clock.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'
import { isSigned, type Received, Receiver, type Reply } from '../helpers/receiver.js'

const SECRET = `whsec_${Buffer.from('a secret that only the tests know').toString('base64')}`

const saying = (judgement: object): Reply => ({ body: JSON.stringify(judgement) })

/** Refuses spam, makes heck of hell, lets all else pass. */
function judge({ json }: Received): Reply {
  const { text = '' } = json.data.message
  if (text.includes('spam')) return saying({ action: 'refuse', reason: 'no spam' })
  if (text.includes('hell')) return saying({ action: 'rewrite', text: text.replace('hell', 'heck') })
  return saying({ action: 'allow' })
}

async function start(t: Test, more: object = {}, overrides: Overrides = {}) {
  const moderator = await Receiver.start(t)
  moderator.answer = judge
  const webhook = { url: moderator.url, secret: SECRET, ...more }
  const broker = await startTestBroker(t, { moderation: { webhook }, ...overrides })
  const [alice, bob] = [await Person.connect(t, broker, 'alice'), await Person.connect(t, broker, 'bob')]
  await bob.subscribe(['rooms/+/messages', 'users/bob/messages'])
  await alice.subscribe('rooms/lobby/messages')
  await bob.subscribe('rooms/lobby/messages')
  return { moderator, broker, alice, bob }
}

const refusal = (message: string) => ({ error: { code: 'forbidden', message } })

t.test('a message is asked about, signed, before anyone sees it', async (t) => {
  const { moderator, alice, bob } = await start(t)
  await alice.say('lobby', { text: 'good day', data: { a: 1 } })
  await bob.hears('good day')
  const [asked] = await moderator.wait(1)
  t.match(asked!.json, { type: 'message.check', ts: Number })
  t.strictSame(asked!.json.data, {
    room: 'lobby',
    from: 'alice',
    message: { type: 'text', text: 'good day', data: { a: 1 } },
  })
  t.equal(asked!.headers['webhook-id'], asked!.json.id)
  t.ok(isSigned(asked!, SECRET))
})

t.test('what it refuses is not written, whichever way it comes; what it rewrites was never otherwise', async (t) => {
  const { moderator, broker, alice, bob } = await start(t, { direct: true })
  t.match(await alice.refused('rooms/lobby/messages', 'spam'), refusal('no spam'))
  t.match(await alice.refused('rooms/lobby/text', 'spam'), refusal('no spam'))
  t.match(await alice.refused('users/bob/messages', 'spam'), refusal('no spam'))
  t.equal(await alice.fails('send', { room: 'lobby', text: 'spam' }), 'forbidden')
  const body = { text: 'spam' }
  const sent = await fetchFrom(broker, '/v1/rooms/lobby/messages', { method: 'POST', as: 'alice', body })
  t.match({ status: sent.status, detail: sent.body.detail }, { status: 403, detail: 'no spam' })
  const { result } = await alice.send('rooms/lobby/messages', { text: 'what the hell' })
  await bob.hears('what the heck')
  t.match(
    await alice.refused('rooms/lobby/messages', { type: 'edit', target: result.seq, text: 'spam' }),
    refusal('no spam'),
  )
  const { seq: target } = result
  await alice.say('lobby', { type: 'edit', target, text: 'hell again' })
  await bob.hears('heck again')

  const will = { topic: 'rooms/lobby/messages', payload: Buffer.from('spam and gone'), qos: 1 as const, retain: false }
  const eve = await Person.connect(t, broker, 'eve', { will })
  await eve.get('rooms.join', { room: 'lobby' })
  await eve.vanish()
  await moderator.wait(1, ({ json }) => json.data.message.text === 'spam and gone')
  await alice.say('lobby', 'last')
  await bob.hears('last')
  t.strictSame(
    bob.lines.filter((line) => /spam|hell/.test(line)),
    [],
  )
  const asked = moderator.received.length
  await alice.say('lobby', { type: 'delete', target })
  t.equal(moderator.received.length, asked, 'there is nothing to look at in a deletion')
})

t.test('other rooms, and conversations unless they are to be, are nobody’s business', async (t) => {
  const { moderator, alice, bob } = await start(t, { rooms: ['den'] })
  await alice.say('lobby', 'spam')
  await alice.tell('bob', 'spam, privately')
  await bob.hears('spam, privately')
  t.equal(moderator.received.length, 0)
})

t.test('while one is asked about, that connection waits, in order, and no other', async (t) => {
  const { moderator, alice, bob } = await start(t)
  let letGo = (): void => {}
  const held = new Promise<Reply>((resolve) => (letGo = () => resolve(saying({ action: 'allow' }))))
  moderator.answer = ({ json }) => (json.data.message.text === 'first' ? held : judge({ json } as Received))
  const publishes = ['first', 'second', 'third'].map((text) => alice.say('lobby', text))
  await moderator.wait(1)
  await bob.say('lobby', 'meanwhile')
  await bob.hears('meanwhile')
  t.equal(moderator.received.filter(({ json }) => json.data.from === 'alice').length, 1)
  letGo()
  await Promise.all(publishes)
  await bob.hears('third')
  t.strictSame(
    bob.lines.map((line) => line.split(' ')[1]),
    ['meanwhile', 'first', 'second', 'third'],
  )
})

const failures: Record<string, Reply | null> = {
  'no answer': null,
  'an error': { status: 500 },
  'no JSON': { body: 'allow' },
  'an unknown action': saying({ action: 'maybe' }),
  'a text that cannot be sent': saying({ action: 'rewrite', text: '' }),
  'a text that is too long': saying({ action: 'rewrite', text: 'x'.repeat(60_000).repeat(2) }),
  'an endless answer': { body: `{"action":"allow","x":"${'x'.repeat(200_000)}"}` },
  'a redirect': { status: 302, headers: { location: 'http://127.0.0.1:9/' } },
}

t.test('what fails is refused or let pass, as the configuration says', async (t) => {
  for (const [what, reply] of Object.entries(failures)) {
    for (const onFailure of ['refuse', 'allow']) {
      const { moderator, broker, alice, bob } = await start(t, { onFailure, timeout: '0.3s' })
      moderator.answer = () => reply
      if (onFailure === 'allow') {
        await alice.say('lobby', what)
        await bob.hears(what)
      } else {
        const refused = await alice.refused('rooms/lobby/messages', what)
        t.match(refused, { error: { code: 'unavailable', retryAfter: 10 } }, what)
        t.ok(alice.client.connected, 'which is an answer, and no reason to cut the connection')
      }
      t.equal(broker.running.counters.get('moderation.failed'), 1, what)
    }
  }
})

t.test('who fails five times in a row is left alone for ten seconds, then one question decides', async (t) => {
  const clock = movableClock(t)
  const { moderator, alice, bob } = await start(t, { onFailure: 'allow' })
  moderator.answer = () => ({ status: 503 })
  for (let i = 0; i < 8; i++) await alice.say('lobby', `message ${i}`)
  await bob.hears('message 7')
  t.equal(moderator.received.length, 5)
  clock.forward(11)
  await alice.say('lobby', 'is it back?')
  await alice.say('lobby', 'no')
  t.equal(moderator.received.length, 6)
  clock.forward(11)
  moderator.answer = judge
  await alice.say('lobby', 'and now?')
  t.match(await alice.refused('rooms/lobby/messages', 'spam'), refusal('no spam'))
  t.equal(moderator.received.length, 8)
})

t.test('questions at a time are bounded; the others wait their turn', async (t) => {
  const { moderator, broker, bob } = await start(t, { concurrency: 2 })
  const letGo: (() => void)[] = []
  moderator.answer = () => new Promise((resolve) => letGo.push(() => resolve(saying({ action: 'allow' }))))
  const people = await Promise.all(Array.from({ length: 5 }, (_, i) => Person.connect(t, broker, `user${i}`)))
  for (const person of people) await person.get('rooms.join', { room: 'lobby' })
  const publishes = people.map((person) => person.say('lobby', `from ${person.user}`))
  for (let answered = 0; answered < 5; answered++) {
    await moderator.wait(Math.min(answered + 2, 5))
    while (letGo.length === 0) await new Promise((resolve) => setImmediate(resolve))
    letGo.shift()!()
  }
  await Promise.all(publishes)
  await bob.inbox.wait(5, ({ topic }) => topic === 'rooms/lobby/messages')
  t.equal(moderator.mostOpen, 2)
})
