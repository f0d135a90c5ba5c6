/** What things cost, in counts and never in times: store writes, socket writes, encodings, JSON.parse (DESIGN §1, 4; §5). */
import { once } from 'node:events'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import type { Change } from '../../broker/store/changes.js'
import { commit } from '../../broker/store/commit.js'
import { partsOf } from '../../broker/store/tables.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ProbeStream } from '../helpers/probe-stream.js'
import { burst, isPuback, isPublish, publisher, send, subscribers, TOPIC } from '../helpers/room-probes.js'
import { onRedis } from '../helpers/test-store.js'

/** What one message writes: records of the embedded store; commands of Redis, where each entry is one. */
const MESSAGE = onRedis ? 3 : 1

/** What `work` adds to the store's counts. */
async function costOf(broker: TestBroker, work: () => Promise<unknown>) {
  const { counts } = broker.running.store
  const before = { ...counts }
  await work()
  return {
    commits: counts.commits - before.commits,
    writes: counts.writes - before.writes,
    appended: counts.appended - before.appended,
  }
}

t.test('a message costs the store', async (t) => {
  t.test('the same whatever the number of members who are away', async (t) => {
    const broker = await startTestBroker(t, { rooms: { list: [{ id: 'small' }, { id: 'large' }, { id: 'lobby' }] } })
    await populate(broker, 'small', 10)
    await populate(broker, 'large', 10_000)
    for (const room of ['small', 'large']) {
      for (const user of ['user-1', 'user-2', 'user-3']) await leaveSession(broker, user, room)
    }
    const probe = await publisher(broker)
    const costs = []
    for (const room of ['small', 'large']) {
      const topic = `rooms/${room}/messages`
      probe.receive(send('joins', { topic, id: 2 }))
      await probe.until(isPuback, costs.length * 2 + 2)
      costs.push(
        await costOf(broker, async () => {
          probe.receive(send({ text: 'hi' }, { topic, id: 3 }))
          await probe.until(isPuback, costs.length * 2 + 3)
        }),
      )
    }
    t.strictSame(costs[0], { commits: 1, writes: MESSAGE, appended: 1 })
    t.strictSame(costs[1], costs[0])
  })

  t.test('one commit, alone or with a hundred that came in the same turn', async (t) => {
    const broker = await startTestBroker(t)
    const probe = await publisher(broker)
    const one = await costOf(broker, async () => {
      probe.receive(send({ text: 'one' }))
      await probe.until(isPuback, 2)
    })
    t.strictSame(one, { commits: 1, writes: MESSAGE, appended: 1 })
    const hundred = await costOf(broker, async () => {
      probe.receive(...burst(100))
      await probe.until(isPuback, 102)
    })
    t.strictSame(hundred, { commits: 1, writes: onRedis ? MESSAGE + 99 : MESSAGE, appended: 100 })
  })

  t.test('one commit for what changes another, and a few keys for what is noted about it', async (t) => {
    const broker = await startTestBroker(t)
    const probe = await publisher(broker)
    let acks = 1
    const cost = (message: object) =>
      costOf(broker, async () => {
        probe.receive(send(message))
        await probe.until(isPuback, ++acks)
      })
    const plain = { commits: 1, writes: MESSAGE, appended: 1 }
    /** Of the embedded store, and of Redis. */
    const writes = (records: number, commands: number) => ({ ...plain, writes: onRedis ? commands : records })
    t.strictSame(await cost({ text: 'answers', replyTo: 1 }), plain)
    t.strictSame(await cost({ text: 'rich', data: { n: 1 }, ttl: 60 }), writes(1, 4))
    t.strictSame(await cost({ text: 'mentions', mentions: ['@bob'] }), writes(2, 5))
    t.strictSame(await cost({ text: 'in a thread', thread: 1 }), writes(4, 9))
    t.strictSame(await cost({ type: 'edit', target: 2, text: 'better' }), writes(3, 9))
    const reaction = { type: 'reaction', target: 2, data: { emoji: '👍' } }
    t.strictSame(await cost(reaction), writes(3, 8))
    t.strictSame(await cost(reaction), { commits: 0, writes: 0, appended: 0 }, 'nothing for what is there already')
    t.strictSame(await cost({ type: 'delete', target: 2 }), writes(8, 17))
  })

  t.test('a dedupe record only with a cid', async (t) => {
    const broker = await startTestBroker(t)
    const probe = await publisher(broker)
    const { store } = broker.running
    const asked: boolean[] = []
    const through = store.commit.bind(store)
    store.commit = (change: Change) => {
      for (const draft of change.drafts) asked.push(draft.dedupe !== null)
      through(change)
    }
    probe.receive(send({ text: 'without' }), send({ text: 'with', cid: 'c1' }, { id: 2 }))
    await probe.until(isPuback, 3)
    t.strictSame(asked, [false, true])
    const again = await costOf(broker, async () => {
      probe.receive(send({ text: 'with', cid: 'c1' }, { id: 3 }))
      await probe.until(isPuback, 4)
    })
    t.strictSame(again, { commits: 0, writes: 0, appended: 0 }, 'a retry writes nothing')
  })
})

t.test('a message in flight costs the store no more if a thousand others are in flight', async (t) => {
  const broker = await startTestBroker(t, { limits: { inflight: 1000 } })
  const probe = await publisher(broker)
  const reader = await ProbeStream.login(broker, 'reader', { clean: false })
  await reader.subscribe(TOPIC, 2)
  let sent = 0
  const publish = async (count: number): Promise<number> => {
    probe.receive(...Array.from({ length: count }, (_, i) => send('exactly once', { id: 10 + sent + i, qos: 2 })))
    sent += count
    const last = (await reader.until(isPublish, sent)).at(-1) as IPublishPacket
    return last.messageId!
  }
  await publish(900)
  const saved = savedOf(broker, 'reader/reader')
  const EXCHANGES = 50
  for (let i = 0; i < EXCHANGES; i++) {
    const messageId = await publish(1)
    reader.receive({ cmd: 'pubrec', messageId })
    await reader.until((packet) => packet.cmd === 'pubrel' && packet.messageId === messageId)
    reader.receive({ cmd: 'pubcomp', messageId })
  }
  t.ok(saved.saves >= 2 * EXCHANGES, `${saved.saves} saves: each as it begins, and as it is released`)
  // The list is written anew once for what changed before.
  t.ok(saved.packets < 900 + 12 * saved.saves, `${saved.packets} packets were written in them`)
})

/** How often the packets in flight of a session are saved from now on, and how many packets that writes. */
function savedOf(broker: TestBroker, id: string): { saves: number; packets: number } {
  const { store } = broker.running
  const commit = store.commit.bind(store)
  const saved = { saves: 0, packets: 0 }
  store.commit = (change: Change) => {
    for (const op of change.ops) {
      if (op.type !== 'put' || op.table !== 'sessionState') continue
      const [owner, name] = partsOf(op.key) as [string, string]
      if (owner !== id || !/^[df]/.test(name)) continue
      saved.saves++
      saved.packets += JSON.parse(op.value.toString()).length
    }
    commit(change)
  }
  return saved
}

/** Members by the store itself, as ten thousand joins would leave them. */
async function populate(broker: TestBroker, room: string, count: number): Promise<void> {
  const { store } = broker.running
  const ops = Array.from({ length: count }, (_, i) =>
    store.directory.memberOp({
      room,
      user: `user-${i}`,
      role: 'member',
      since: 1,
      joined: { messages: 0, events: 0 },
    }),
  )
  await commit(store, { ops })
}

/** A session that waits for the messages of a room. */
async function leaveSession(broker: TestBroker, user: string, room: string): Promise<void> {
  const probe = await ProbeStream.login(broker, user, { clean: false })
  await probe.subscribe(`rooms/${room}/messages`, 1)
  const gone = once(broker.running.aedes, 'clientDisconnect')
  probe.receive({ cmd: 'disconnect' } as Packet)
  probe.end()
  await gone
}

t.test('what comes together leaves together', async (t) => {
  t.test('many messages to one subscriber are one write', async (t) => {
    for (const qos of [0, 1] as const) {
      const broker = await startTestBroker(t)
      const probe = await publisher(broker)
      const [subscriber] = await subscribers(broker, 1, qos)
      const before = { socket: broker.running.socketWrites(), stream: subscriber!.writes.length }
      probe.receive(...burst(20, 1))
      await subscriber!.until(isPublish, 20)
      await probe.until(isPuback, 21)
      t.equal(subscriber!.writes.length - before.stream, 1, `QoS ${qos}: one write to the subscriber`)
      t.equal(broker.running.socketWrites() - before.socket, 2, 'and one to the publisher, with all acks')
    }
  })

  t.test('a fan-out is one write for each subscriber', async (t) => {
    for (const qos of [0, 1] as const) {
      const broker = await startTestBroker(t)
      const probe = await publisher(broker)
      const listening = await subscribers(broker, 50, qos)
      const before = broker.running.socketWrites()
      probe.receive(...burst(8, 0))
      for (const subscriber of listening) await subscriber.until(isPublish, 8)
      t.equal(broker.running.socketWrites() - before, 50, `QoS ${qos}`)
    }
  })
})

t.test('bytes are made once', async (t) => {
  t.test('subscribers of QoS 0 share one buffer; each version and QoS is encoded once', async (t) => {
    const broker = await startTestBroker(t)
    const probe = await publisher(broker)
    const listening = [...(await subscribers(broker, 10, 0)), ...(await subscribers(broker, 10, 1))]
    const before = broker.running.counters.get('encoded')
    probe.receive(...burst(5, 1))
    for (const subscriber of listening) await subscriber.until(isPublish, 5)
    const sent = listening.slice(0, 10).map(({ writes }) => writes[writes.length - 1])
    t.equal(new Set(sent).size, 1, 'the very same bytes')
    t.equal(broker.running.counters.get('encoded') - before, 2, 'one encoding for QoS 0, one for QoS 1')
  })

  t.test('JSON is parsed once for a publish, and not at all to deliver it', async (t) => {
    const broker = await startTestBroker(t)
    const probe = await publisher(broker)
    const listening = [...(await subscribers(broker, 5, 0)), ...(await subscribers(broker, 5, 1))]
    const parsed = countJsonParse(t)
    const publish = async (payload: string | object, so: number): Promise<void> => {
      probe.receive(...Array.from({ length: 5 }, (_, i) => send(payload, { id: i + 1 })))
      for (const subscriber of listening) await subscriber.until(isPublish, so)
      await probe.until(isPuback, so + 1)
    }
    await publish({ text: 'ünï 🙂', data: { temp: 21.5 } }, 5)
    t.equal(parsed(), 5)
    await publish({ text: 'with a "quote"' }, 10)
    t.equal(parsed(), 10)
    await publish({ text: 'ünï 🙂' }, 15)
    await publish('just text', 20)
    t.equal(parsed(), 10, 'a text that stands there as JSON writes it, and plain text, need none')
  })
})

/** How often `JSON.parse` was called since. */
function countJsonParse(t: Test): () => number {
  const original = JSON.parse
  let calls = 0
  JSON.parse = (...args) => {
    calls++
    return original(...args)
  }
  t.teardown(() => {
    JSON.parse = original
  })
  return () => calls
}
