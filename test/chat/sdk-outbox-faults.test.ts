/** What the outbox has stored is in its room, once and in order, whatever happens to the network, to the broker and to the program. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Screen } from '../../broker/chat/messages/screening.js'
import type { Chat, ChatOptions } from '../../client/chat.js'
import { createChat, type Outgoing } from '../../client/index.js'
import { Refusal } from '../../schemas/errors.js'
import { startTestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import type { ByteProxy } from '../helpers/byte-proxy.js'
import { endWithUs } from '../helpers/end-with-us.js'
import { freePort } from '../helpers/free-port.js'
import '../helpers/http.js'
import { chatAt, OUTBOX_ROOMS, proxyOf, requireAllOnce } from '../helpers/outbox-app.js'
import { Random } from '../helpers/random.js'
import { webSocket } from '../helpers/web-socket.js'

const random = Random.from('OUTBOX_SEED')
t.comment(`OUTBOX_SEED=${random.seed}`)

async function makeRooms(chat: Chat): Promise<void> {
  await chat.connect()
  for (const room of OUTBOX_ROOMS) await chat.ask.rooms.create({ room })
}

/** Sends so many, some at a time. `between` is called between them. */
async function sendAll(chat: Chat, most: number, between: () => unknown): Promise<Outgoing[]> {
  const outs: Outgoing[] = []
  while (outs.length < most) {
    for (let burst = random.between(1, 12); burst > 0; burst--)
      outs.push(chat.send(random.pick(OUTBOX_ROOMS), `1-${outs.length + 1}`))
    await random.pick(outs).stored
    await between()
  }
  return outs
}

/** One of what a network does, and now and then a client that does not wait. */
async function disturb(proxy: ByteProxy, chat: Chat): Promise<void> {
  const fault = random.below(10)
  if (fault < 3) proxy.cut()
  else if (fault < 5) proxy.blackhole()
  else if (fault === 5) proxy.refuse()
  else if (fault === 6) proxy.holdAnswers()
  else proxy.heal()
  if (random.chance(0.3)) proxy.cut()
  if (random.chance(0.5)) chat.retryNow()
  // The network, and the broker, get their turns.
  for (let turns = random.below(40); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
}

t.test('a network that fails at random', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const chat = chatAt(t, broker, proxy.port, 'ann')
  await makeRooms(chat)
  const outs = await sendAll(chat, 600, () => disturb(proxy, chat))
  proxy.cut()
  proxy.heal()
  chat.retryNow()
  const sent = await Promise.all(outs.map((out) => out.sent))
  await chat.connect()
  const stored = outs.map(({ input }) => input.text!)
  await requireAllOnce(t, chat, stored)
  t.equal(new Set(sent.map(({ room, seq }) => `${room} ${seq}`)).size, sent.length, 'each knows its own number')
  t.same(chat.outbox.current, [])
})

t.test('a broker that refuses messages for a moment', async (t) => {
  /** As a service that looks at messages, and fails now and then. */
  const screen: Screen = {
    screen: (_actor, room) => {
      if (room === OUTBOX_ROOMS[0] && random.chance(0.4))
        throw new Refusal('unavailable', 'nobody looks at it now', { retryAfter: 0.01 })
      return undefined
    },
  }
  const broker = await startTestBroker(t, { limits: { rates: 'off' } }, { screens: [screen] })
  const chat = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'ann')
  await makeRooms(chat)
  const outs = Array.from({ length: 90 }, (_, at) => chat.send(OUTBOX_ROOMS[at % 3]!, `1-${at + 1}`))
  // The broker ends a connection that sends what it cannot take now.
  chat.status.subscribe(({ state }) => {
    if (state === 'waiting') chat.retryNow()
  })
  await Promise.all(outs.map((out) => out.sent))
  const stored = outs.map(({ input }) => input.text!)
  await requireAllOnce(t, chat, stored)
})

/** A broker in a process of its own, which serves WebSocket. */
async function brokerProcess(t: Test): Promise<{ broker: BrokerProcess; url: string }> {
  const port = await freePort()
  const broker = await BrokerProcess.make(t, [`listen.http=${port}`, 'limits.rates=off'])
  await broker.start()
  return { broker, url: `http://127.0.0.1:${port}` }
}

function chatOf(t: Test, { broker, url }: { broker: BrokerProcess; url: string }, options: Partial<ChatOptions> = {}) {
  const auth = { getToken: () => broker.token('ann') }
  const chat = createChat({ url, auth, user: 'ann', ...options }, { socket: webSocket })
  t.teardown(() => chat.close())
  return chat
}

t.test('a broker that is killed and started again', async (t) => {
  const place = await brokerProcess(t)
  const chat = chatOf(t, place)
  await makeRooms(chat)
  let kills = 0
  const outs = await sendAll(chat, 600, async () => {
    chat.retryNow()
    if (kills >= 3 || !random.chance(0.08)) return
    kills++
    await place.broker.kill()
    await place.broker.start()
  })
  chat.retryNow()
  await Promise.all(outs.map((out) => out.sent))
  t.comment(`killed ${kills} times`)
  await requireAllOnce(
    t,
    chat,
    outs.map(({ input }) => input.text!),
  )
})

t.test('a program that is killed and started again, with its outbox in a directory', async (t) => {
  const place = await brokerProcess(t)
  const reader = chatOf(t, place)
  await makeRooms(reader)
  const directory = t.testdir()
  const stored: string[] = []
  const args = [place.url, await place.broker.token('ann'), directory]
  const start = (run: number, most: number): ChildProcess => {
    const child = fork('dist/test/helpers/outbox-process.js', [...args, String(run), String(most)])
    endWithUs(child)
    return child
  }
  for (let run = 1; run <= 4; run++) {
    const child = start(run, 10_000)
    const gone = once(child, 'exit')
    let left = random.between(5, 120)
    child.on('message', (text: string) => {
      stored.push(text)
      if (--left === 0) child.kill('SIGKILL')
    })
    await gone
  }
  const last = start(5, 20)
  const gone = once(last, 'exit')
  const told: string[] = []
  last.on('message', (text: string) => told.push(text))
  t.same(await gone, [0, null], 'nothing is left that holds the program')
  t.equal(told.pop(), 'done')
  await requireAllOnce(t, reader, [...stored, ...told])
})
