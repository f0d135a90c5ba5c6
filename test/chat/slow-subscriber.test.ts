/** A subscriber that stops reading holds up nobody, and costs a bounded buffer (DESIGN §1, 5). */
import t from 'tap'
import { MAX_UNSENT } from '../../broker/mqtt/write-buffer.js'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { ProbeStream } from '../helpers/probe-stream.js'
import { isPuback, isPublish, publisher, send, subscribers, TOPIC } from '../helpers/room-probes.js'
import { TcpReader, WsReader } from '../helpers/socket-reader.js'

serveHttp()

t.test('a frozen subscriber', async (t) => {
  const BATCHES = 100
  const EACH = 8
  const pad = 'x'.repeat(4000)

  /** Sends more than any buffer may hold, each batch after the one before is acknowledged and has reached `witness`. */
  async function flood(probe: ProbeStream, witness: ProbeStream, check: () => void): Promise<void> {
    for (let batch = 0; batch < BATCHES; batch++) {
      const texts = Array.from({ length: EACH }, (_, i) => `${batch * EACH + i} ${pad}`)
      probe.receive(...texts.map((text, i) => send({ text }, { id: i + 1 })))
      const done = (batch + 1) * EACH
      await Promise.all([witness.until(isPublish, done), probe.until(isPuback, done + 1)])
      check()
    }
  }

  const numbers = (payloads: readonly string[]): number[] =>
    payloads.map((payload) => Number.parseInt(JSON.parse(payload).text, 10))
  const all = Array.from({ length: BATCHES * EACH }, (_, i) => i)

  t.test('of QoS 1 holds up nobody, costs a bounded buffer, and gets everything later, in order', async (t) => {
    const broker = await startTestBroker(t, { limits: { inflight: 1000 } })
    const probe = await publisher(broker)
    const [witness] = await subscribers(broker, 1, 0)
    const [frozen] = await subscribers(broker, 1, 1)
    frozen!.freeze()
    let most = 0
    await flood(probe, witness!, () => (most = Math.max(most, frozen!.writableLength)))
    t.strictSame(numbers(witness!.payloads), all, 'the others have it all')
    t.ok(most <= MAX_UNSENT + 2 * EACH * (pad.length + 400), `${most} bytes waited for the frozen one`)
    acknowledgeAll(frozen!)
    frozen!.thaw()
    await frozen!.until(isPublish, all.length)
    t.strictSame(numbers(frozen!.payloads), all, 'everything, in order, from the log')
    t.equal(broker.running.counters.get('dropped.slow_reader'), 0)
  })

  t.test('of QoS 0 loses what its bounded queue does not hold, counted', async (t) => {
    const broker = await startTestBroker(t, { limits: { queueBytes: 500_000 } })
    const probe = await publisher(broker)
    const [witness] = await subscribers(broker, 1, 1)
    acknowledgeAll(witness!)
    const frozen = await ProbeStream.login(broker, 'frozen')
    await frozen.subscribe(TOPIC, 0)
    frozen.freeze()
    let most = 0
    await flood(probe, witness!, () => (most = Math.max(most, frozen.writableLength)))
    t.ok(most <= MAX_UNSENT + 2 * EACH * (pad.length + 400), `${most} bytes waited`)
    const dropped = broker.running.counters.get('dropped.slow_reader')
    frozen.thaw()
    await frozen.until(isPublish, all.length - dropped)
    t.ok(dropped > 0 && dropped < all.length, `${dropped} of ${all.length} were dropped, and counted`)
    const got = numbers(frozen.payloads)
    t.equal(got.length, all.length - dropped, 'dropped or delivered')
    t.strictSame(got, all.slice(0, got.length), 'the newest are dropped, the others in order')
  })

  for (const transport of ['tcp', 'websocket'] as const) {
    t.test(`over ${transport} does the same with a real socket`, async (t) => {
      const broker = await startTestBroker(t, { limits: { payloadBytes: 200_000, inflight: 1000 } })
      const probe = await publisher(broker)
      const [witness] = await subscribers(broker, 1, 0)
      const socket = transport === 'tcp' ? await TcpReader.open(t, broker) : await WsReader.open(t, broker)
      await socket.login(broker, 'frozen')
      await socket.subscribe(TOPIC, 1)
      socket.pause()
      const server = broker.running.aedes.clients['frozen/frozen']!
      let most = 0
      // More than the kernel buffers of both ends can be made to hold.
      const count = 300
      const text = 'x'.repeat(100_000)
      for (let i = 0; i < count; i++) {
        probe.receive(send({ text: `${i} ${text}` }))
        await Promise.all([witness!.until(isPublish, i + 1), probe.until(isPuback, i + 2)])
        most = Math.max(most, server.output.unsent)
      }
      t.ok(server.output.congested, 'the socket is full')
      t.ok(most < MAX_UNSENT + 2 * (text.length + 1000), `${most} bytes waited in the broker`)
      socket.resume()
      await socket.received(count)
      t.strictSame(numbers(socket.payloads), all.slice(0, count), 'everything, in order')
    })
  }
})

/** Answers each publish at once, as long as the stream is read. */
function acknowledgeAll(probe: ProbeStream): void {
  let seen = 0
  const acknowledge = (): void => {
    for (; seen < probe.packets.length; seen++) {
      const packet = probe.packets[seen]!
      if (packet.cmd === 'publish' && packet.qos === 1) {
        const { messageId } = packet
        setImmediate(() => probe.receive({ cmd: 'puback', messageId: messageId! }))
      }
    }
  }
  probe.on('progress', acknowledge)
  acknowledge()
}
