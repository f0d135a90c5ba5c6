/** The outbox of the SDK: with a real broker, and a network that fails. */
import t, { type Test } from 'tap'
import type { Screen } from '../../broker/chat/messages/screening.js'
import type { Clock } from '../../client/base/platform.js'
import type { Chat } from '../../client/chat.js'
import type { Outgoing, SendState } from '../../client/index.js'
import { directoryStore } from '../../client/node/index.js'
import { Refusal } from '../../schemas/errors.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import type { ByteProxy } from '../helpers/byte-proxy.js'
import '../helpers/http.js'
import { chatAt, proxyOf, textsOf, when } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { realEnv } from '../helpers/web-socket.js'

interface Scene {
  readonly broker: TestBroker
  readonly proxy: ByteProxy
  readonly ann: Chat
}

/** Ann has the room tea. */
async function scene(t: Test, overrides: object = {}): Promise<Scene> {
  const broker = await startTestBroker(t, overrides)
  const proxy = await proxyOf(t, broker)
  const ann = chatAt(t, broker, proxy.port, 'ann')
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea', access: 'public' })
  return { broker, proxy, ann }
}

/** The client knows of it, and waits for its next attempt. */
async function goOffline({ proxy, ann }: Scene): Promise<void> {
  proxy.refuse()
  await when(ann.status, ({ state }) => state === 'waiting')
}

async function goOnline({ proxy, ann }: Scene): Promise<void> {
  proxy.heal()
  ann.retryNow()
  await when(ann.status, ({ state }) => state === 'online')
}

const states = (chat: Chat): string[] => chat.outbox.current.map(({ state }) => state.current.at)
const becomes = (out: Outgoing, at: SendState['at']): Promise<SendState> => when(out.state, (state) => state.at === at)

t.test('a message has a handle at once, is sent, and leaves the outbox', async (t) => {
  const { ann } = await scene(t)
  const seen: string[] = []
  const out = ann.send('tea', 'hello')
  t.match(out, { room: 'tea', input: { text: 'hello' }, state: { current: { at: 'queued' } } })
  t.same(ann.outbox.current, [out])
  out.state.subscribe(({ at }) => seen.push(at))
  await out.stored
  const sent = await out.sent
  t.match(sent, { room: 'tea', seq: 1, id: String, ts: Number })
  t.same(out.state.current, { at: 'sent', seq: 1, ts: sent.ts })
  t.same(seen, ['sending', 'sent'])
  t.same(ann.outbox.current, [])
  t.match((await ann.ask.history({ room: 'tea' })).messages, [{ seq: 1, text: 'hello', cid: out.cid }])
})

t.test('what is written without a connection goes out in order, also before the first one', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await proxyOf(t, broker)
  const ann = chatAt(t, broker, proxy.port, 'ann')
  const room = 'dm:ann:bob'
  await broker.connect('bob')
  const early = ['1', '2', '3'].map((text) => ann.send('@bob', text))
  t.same(states(ann), ['queued', 'queued', 'queued'])
  early.push(ann.send(room, '4'))
  await ann.connect()
  await Promise.all(early.map(({ sent }) => sent))
  t.equal(early[0]!.room, room, 'a conversation has one name')
  await goOffline({ broker, proxy, ann })
  const late = Array.from({ length: 30 }, (_, at) => ann.send(at % 2 ? '@bob' : room, String(at + 5)))
  await Promise.all(late.map(({ stored }) => stored))
  await goOnline({ broker, proxy, ann })
  await Promise.all(late.map(({ sent }) => sent))
  t.same(
    await textsOf(ann, room),
    Array.from({ length: 34 }, (_, at) => String(at + 1)),
  )
})

t.test('an answer that is lost is asked for again, and the message is stored once', async (t) => {
  const all = await scene(t)
  const direct = chatAt(t, all.broker, Number(new URL(all.broker.wsUrl).port), 'ann')
  await direct.connect()
  all.proxy.holdAnswers()
  const outs = ['1', '2', '3'].map((text) => all.ann.send('tea', text))
  await until('the broker has it', async () => (await textsOf(direct, 'tea')).length === 1)
  t.same(states(all.ann), ['sending', 'queued', 'queued'])
  t.equal(await outs[0]!.cancel(), false, 'it has left')
  all.proxy.cut()
  await when(all.ann.status, ({ state }) => state === 'waiting')
  t.same(states(all.ann), ['queued', 'queued', 'queued'])
  await goOnline(all)
  await Promise.all(outs.map(({ sent }) => sent))
  t.same(await textsOf(all.ann, 'tea'), ['1', '2', '3'])
})

t.test('what the broker refuses for good fails, the next ones go on, and a person decides', async (t) => {
  const { ann } = await scene(t, { limits: { payloadBytes: 2048 } })
  const large = ann.send('tea', 'x'.repeat(4000))
  const next = ann.send('tea', 'next')
  const nowhere = ann.send('later', 'hello')
  await t.rejects(large.sent, { code: 'too_large' })
  t.match(large.state.current, { at: 'failed', error: { code: 'too_large' }, mayRetry: false })
  await next.sent
  await t.rejects(nowhere.sent, { code: 'not_found' })
  t.match(nowhere.state.current, { at: 'failed', mayRetry: true })
  t.same(ann.outbox.current, [large, nowhere])
  await ann.ask.rooms.create({ room: 'later' })
  nowhere.retry()
  t.match(await nowhere.sent, { room: 'later', seq: 1 })
  t.equal(await large.cancel(), true)
  t.same(large.state.current, { at: 'canceled' })
  t.same(ann.outbox.current, [])
  large.retry()
  t.same(large.state.current, { at: 'canceled' }, 'it is gone')
})

t.test('what has not left can be changed and removed', async (t) => {
  const all = await scene(t)
  const { ann } = all
  await goOffline(all)
  const first = ann.send('tea', { text: 'frist', mentions: ['@ann'], ttl: 3600 })
  const second = ann.send('tea', 'second')
  const third = ann.send('tea', 'third')
  const fourth = ann.send('tea', 'fourth')
  t.equal(ann.send('tea', { type: 'edit', target: first.cid, text: 'first' }), first)
  t.same(first.input, { text: 'first', ttl: 3600 }, 'an edit replaces the content, and nothing else')
  t.equal(ann.send('tea', { type: 'delete', target: second.cid }), second)
  t.equal(second.state.current.at, 'canceled')
  await t.rejects(second.sent, { code: 'aborted' })
  t.equal(await third.cancel(), true)
  t.equal(await third.cancel(), true)
  const seen = ann.send('tea', { type: 'reaction', target: fourth.cid, data: { emoji: '👍' } })
  t.same(ann.outbox.current, [first, fourth, seen])
  await goOnline(all)
  await seen.sent
  const { messages } = await ann.ask.history({ room: 'tea', view: 'folded' })
  t.match(messages, [
    { text: 'first', seq: 1 },
    { text: 'fourth', seq: 2, reactions: [{ emoji: '👍', count: 1 }] },
  ])
  t.notOk('edited' in messages[0]!, 'nobody sees that it was changed')
})

t.test('a change of what may have left waits for its number', async (t) => {
  const all = await scene(t)
  const { ann } = all
  await ann.ask.rooms.create({ room: 'milk' })
  all.proxy.blackhole()
  const out = ann.send('tea', 'frist')
  const gone = ann.send('milk', 'gone')
  await becomes(gone, 'sending')
  const edit = ann.send('tea', { type: 'edit', target: out.cid, text: 'first' })
  const removal = ann.send('milk', { type: 'delete', target: gone.cid })
  t.notSame(edit, out)
  t.match(edit.state.current, { at: 'queued' })
  all.proxy.cut()
  all.proxy.heal()
  await Promise.all([edit.sent, removal.sent])
  const folded = async (room: string) => (await ann.ask.history({ room, view: 'folded' })).messages
  t.match(await folded('tea'), [{ seq: 1, text: 'first' }])
  t.match(await folded('milk'), [{ seq: 1, gone: 'deleted' }])
  const late = ann.send('tea', { type: 'edit', target: out.cid, text: 'very first' })
  t.equal(late.input.target, 1, 'of what was sent a moment ago the number is known')
  await late.sent
  t.throws(() => ann.send('tea', { type: 'edit', target: 'nobody-1', text: 'x' }), {
    code: 'not_found',
    field: 'target',
  })
})

/** A message that was refused, with a reaction to it. */
async function refused(t: Test) {
  const all = await scene(t)
  const { ann, proxy } = all
  proxy.blackhole()
  const out = ann.send('none', 'hello')
  const reaction = ann.send('none', { type: 'reaction', target: out.cid, data: { emoji: '👍' } })
  proxy.heal()
  await t.rejects(out.sent, { code: 'not_found' })
  await t.rejects(reaction.sent, { code: 'not_found', field: 'target' })
  return { ...all, out, reaction }
}

t.test('a change of what was refused fails with it, and is tried again with it', async (t) => {
  const { ann, out, reaction } = await refused(t)
  await ann.ask.rooms.create({ room: 'none' })
  out.retry()
  await when(ann.outbox, (items) => items.length === 0)
  t.same((await reaction.sent).seq, 2)
  const { messages } = await ann.ask.history({ room: 'none', view: 'folded' })
  t.match(messages, [{ text: 'hello', reactions: [{ emoji: '👍', count: 1 }] }])
})

t.test('a deletion of what was refused removes it, and what was to be done with it', async (t) => {
  const { ann, out, reaction } = await refused(t)
  t.equal(ann.send('none', { type: 'delete', target: out.cid }), out)
  t.same(ann.outbox.current, [])
  t.equal(out.state.current.at, 'canceled')
  t.equal(reaction.state.current.at, 'canceled')
})

t.test('an edit of what was refused changes it, and it is sent', async (t) => {
  const { ann, out } = await refused(t)
  await ann.ask.rooms.create({ room: 'none' })
  t.equal(ann.send('none', { type: 'edit', target: out.cid, text: 'good day' }), out)
  await when(ann.outbox, (items) => items.length === 0)
  const { messages } = await ann.ask.history({ room: 'none', view: 'folded' })
  t.match(messages, [{ text: 'good day', reactions: [{ emoji: '👍', count: 1 }] }])
  t.notOk('edits' in messages[0]!, 'nobody sees that it was changed')
})

t.test('in slow mode messages wait for as long as the broker says, in order, and other rooms do not', async (t) => {
  const { ann, broker, proxy } = await scene(t)
  await ann.ask.rooms.update({ room: 'tea', slowMode: 2 })
  const bob = chatAt(t, broker, proxy.port, 'bob')
  await bob.connect()
  const slow = ['1', '2', '3'].map((text) => bob.send('tea', text))
  await becomes(slow[1]!, 'sending')
  await becomes(slow[1]!, 'queued')
  t.equal(await slow[1]!.cancel(), true, 'what was refused is not in the room')
  slow.push(bob.send('tea', '4'))
  await bob.send('@ann', 'meanwhile').sent
  t.not(slow[3]!.state.current.at, 'sent')
  await slow[3]!.sent
  t.same(await textsOf(bob, 'tea'), ['1', '3', '4'])
  t.equal(bob.status.current.state, 'online')
})

t.test('a message that is canceled while it waits leaves no timer', async (t) => {
  const { ann, broker, proxy } = await scene(t)
  await ann.ask.rooms.update({ room: 'tea', slowMode: 3600 })
  const running = new Set<object>()
  const timer: Clock['timer'] = (ms, act) => {
    const stop = realEnv.timer(ms, () => {
      running.delete(stop)
      act()
    })
    running.add(stop)
    return () => {
      running.delete(stop)
      stop()
    }
  }
  const bob = chatAt(t, broker, proxy.port, 'bob', { platform: { timer } })
  await bob.connect()
  const [first, second] = [bob.send('tea', '1'), bob.send('tea', '2')]
  await first.sent
  await becomes(second, 'sending')
  await becomes(second, 'queued')
  t.equal(await second.cancel(), true)
  await bob.send('@ann', 'other').sent
  await bob.close()
  t.equal(running.size, 0)
})

t.test('a room that takes nothing for a while does not end the connection again and again', async (t) => {
  let asked = 0
  const screen: Screen = {
    screen: (_actor, room) => {
      if (room === 'tea' && ++asked < 8) throw new Refusal('unavailable', 'not now', { retryAfter: 0.01 })
      return undefined
    },
  }
  const broker = await startTestBroker(t, {}, { screens: [screen] })
  const ann = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'ann')
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea' })
  let connections = 0
  ann.status.subscribe(({ state }) => {
    if (state === 'connecting') connections++
    if (state === 'waiting') ann.retryNow()
  })
  await ann.send('tea', 'patient').sent
  t.equal(connections, 1, 'once, to find out')
})

t.test('more messages than the rates allow keep their order', async (t) => {
  const { ann } = await scene(t, { limits: { rates: { publish: 40, write: 5 } } })
  const outs = Array.from({ length: 450 }, (_, at) => ann.send('tea', String(at)))
  await Promise.all(outs.map(({ sent }) => sent))
  t.same(
    await textsOf(ann, 'tea'),
    outs.map((_, at) => String(at)),
  )
})

t.test('after a week a person is asked', async (t) => {
  let passed = 0
  const broker = await startTestBroker(t)
  const proxy = await proxyOf(t, broker)
  const ann = chatAt(t, broker, proxy.port, 'ann', { platform: { now: () => Date.now() + passed } })
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea' })
  await goOffline({ broker, proxy, ann })
  const old = ann.send('tea', 'old')
  passed = 7 * 24 * 3_600_000 + 1000
  const young = ann.send('tea', 'young')
  await goOnline({ broker, proxy, ann })
  await t.rejects(old.sent, { code: 'timeout', message: /week/ })
  t.match(old.state.current, { at: 'failed', mayRetry: true })
  await young.sent
  old.retry()
  await old.sent
  t.same(await textsOf(ann, 'tea'), ['young', 'old'])
})

t.test('the outbox is bounded in number and in bytes', async (t) => {
  const broker = await startTestBroker(t)
  const ann = chatAt(t, broker, 1, 'ann')
  const outs = Array.from({ length: 1000 }, () => ann.send('tea', 'x'))
  t.throws(() => ann.send('tea', 'x'), { code: 'storage', message: /full/ })
  await outs[500]!.cancel()
  const long = ann.send('tea', 'x'.repeat(1000))
  await long.cancel()
  t.throws(() => ann.send('tea', 'ü'.repeat(2_100_000)), { code: 'storage', message: /bytes/ })
  const most = ann.send('tea', 'x'.repeat(4_000_000))
  t.throws(() => ann.send('tea', { type: 'edit', target: outs[0]!.cid, text: 'x'.repeat(300_000) }), {
    code: 'storage',
  })
  t.match(outs[0]!.input, { text: 'x' })
  t.ok(ann.send('tea', { type: 'edit', target: most.cid, text: 'short' }), 'it has become shorter')
  await outs[1]!.cancel()
  ann.send('tea', 'x'.repeat(3_000_000))
})

t.test('what cannot be a message is refused at once', async (t) => {
  const broker = await startTestBroker(t)
  const ann = chatAt(t, broker, 1, 'ann')
  for (const room of ['', 'a/b', '#', 'users/bob', '@', '@a b', 'dm:b:a', 'dm:x'])
    t.throws(() => ann.send(room, 'x'), { code: 'bad_request', field: 'room' }, room)
  t.throws(() => ann.send('tea', { data: 1n }), { code: 'bad_request' })
  const data = { temp: 20 }
  const out = ann.send('tea', { type: 'custom', data })
  data.temp = 30
  t.same(out.input, { type: 'custom', data: { temp: 20 } }, 'it is copied')
  t.same(ann.outbox.current, [out])
})

t.test('a client that is closed keeps its messages, and sends them when it is connected again', async (t) => {
  const { ann } = await scene(t)
  await ann.send('tea', '1').sent
  await ann.close()
  const out = ann.send('tea', '2')
  const other = ann.send('tea', '3')
  t.equal(out.state.current.at, 'queued')
  await ann.connect()
  await Promise.all([out.sent, other.sent])
  await ann.close()
  await ann.close()
  await ann.connect()
  t.same(await textsOf(ann, 'tea'), ['1', '2', '3'])
})

t.test('what the device cannot keep is sent all the same', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await proxyOf(t, broker)
  const store = directoryStore(t.testdir())
  const first = chatAt(t, broker, proxy.port, 'ann', { store })
  const second = chatAt(t, broker, proxy.port, 'ann', { store })
  await first.connect()
  await first.ask.rooms.create({ room: 'tea' })
  await second.connect()
  const out = second.send('tea', '1')
  await t.rejects(out.stored, { code: 'storage', message: /one client at a time/ })
  await out.sent
  await first.close()
  const kept = second.send('tea', '2')
  await kept.stored
  await kept.sent
  t.same(await textsOf(second, 'tea'), ['1', '2'])
})

t.test('another user who logs in sends nothing of what the first one wrote', async (t) => {
  const broker = await startTestBroker(t)
  const proxy = await proxyOf(t, broker)
  let user = 'ann'
  const auth = { getToken: () => broker.token(user) }
  const chat = chatAt(t, broker, proxy.port, 'ann', { auth })
  await chat.connect()
  await chat.ask.rooms.create({ room: 'tea', access: 'public' })
  await goOffline({ broker, proxy, ann: chat })
  const out = chat.send('tea', 'of ann')
  await out.stored
  await chat.close()
  user = 'bob'
  proxy.heal()
  await chat.connect()
  t.same(chat.outbox.current, [])
  await t.rejects(out.sent, { code: 'aborted', message: /another user/ })
  await chat.send('tea', 'of bob').sent
  t.same(await textsOf(chat, 'tea'), ['of bob'])
})
