/** All 65,535 packet ids under way at once, both ways: none is used twice, none is lost [MQTT-2.3.1-2, MQTT-2.3.1-4, MQTT5-2.2.1-4]. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { logs } from '../../broker/chat/model/views.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { cut, leave, type Opening, open, subscribe, take, takePublishes, untilPong } from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'

const ALL = 65_535
const HALF = 32_768
const ROOM = 'rooms/lobby/messages'
const LIMITS = { inflight: ALL, receiveMaximum: ALL, inboundQos2: ALL, rates: 'off' }
/** A session of MQTT 5 that is kept. */
const KEPT_5 = { clean: false, version: 5, properties: { sessionExpiryInterval: 3600 } } as const
/** PUBLISHes written at once. */
const BATCH = 1000

function start(t: Test, more: Overrides = {}): Promise<TestBroker> {
  // Durable writes are tested elsewhere; here there are very many.
  return startTestBroker(t, { limits: LIMITS, store: { level: { sync: false } }, ...more })
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

/** Publishes `text` once for each packet id, and takes the answers, which must be `cmd` in the same order. */
async function publishAll(
  t: Test,
  client: RawClient,
  ids: readonly number[],
  qos: 1 | 2,
  text = 'x',
  dup = false,
): Promise<void> {
  const answered: number[] = []
  for (let at = 0; at < ids.length; at += BATCH) {
    const batch = ids.slice(at, at + BATCH)
    client.send(...batch.map((messageId) => publication(messageId, qos, text, dup)))
    for (const _ of batch) answered.push((await take(client, qos === 1 ? 'puback' : 'pubrec')).messageId!)
  }
  t.strictSame(differences(answered, ids), [], `${ids.length} publishes of QoS ${qos} are answered in their order`)
}

function publication(messageId: number, qos: 1 | 2, payload: string, dup: boolean): Packet {
  return { cmd: 'publish', topic: ROOM, payload, qos, messageId, retain: false, dup }
}

/** The first few places where two lists differ: what 65,535 of them would not say better. */
function differences<T>(found: readonly T[], wanted: readonly T[]): [number, T | undefined, T | undefined][] {
  const all: [number, T | undefined, T | undefined][] = []
  for (let i = 0; i < Math.max(found.length, wanted.length) && all.length < 5; i++)
    if (found[i] !== wanted[i]) all.push([i, found[i], wanted[i]])
  return all
}

const idsOf = (packets: readonly IPublishPacket[]): number[] => packets.map(({ messageId }) => messageId!)
const seqsOf = (packets: readonly IPublishPacket[]): number[] =>
  packets.map(({ payload }) => JSON.parse(payload.toString()).seq)

/** A subscriber with `window` messages under way and a few more waiting, and the packets it got. */
async function fullWindow(
  t: Test,
  broker: TestBroker,
  opening: Opening,
  qos: 1 | 2,
  window: number,
): Promise<[RawClient, IPublishPacket[]]> {
  const reader = await open(broker, opening)
  await subscribe(reader, [ROOM, qos])
  // Two, for what is never released would use an id a second time.
  for (const count of [window, 10]) {
    const writer = await open(broker, { user: 'bob' })
    await publishAll(t, writer, numbers(1, count), qos)
    await leave(broker, writer)
  }
  return [reader, await takePublishes(reader, window)]
}

t.test('outbound: every id once, then nothing, then those that were acknowledged', { timeout: 600_000 }, async (t) => {
  const broker = await start(t)
  const opening = { id: 'reader', clean: false }
  const [reader, first] = await fullWindow(t, broker, opening, 1, ALL)
  t.equal(new Set(idsOf(first)).size, ALL, 'as many ids as packets')
  t.strictSame(differences(seqsOf(first), numbers(1, ALL)), [])
  t.strictSame(await untilPong(reader), [], 'nothing more is sent')

  const freed = [7, 40_000, ALL]
  for (const messageId of freed) reader.send({ cmd: 'puback', messageId })
  const more = await takePublishes(reader, freed.length)
  t.strictSame(idsOf(more), freed, 'the ids that are free again, and no other')
  t.strictSame(await untilPong(reader), [])

  await cut(broker, reader)
  const again = await open(broker, opening)
  const repeated = await takePublishes(again, ALL)
  const left = [...first.filter(({ messageId }) => !freed.includes(messageId!)), ...more]
  t.strictSame(differences(idsOf(repeated), idsOf(left)), [], 'the same ids in the original order')
  t.strictSame(differences(seqsOf(repeated), seqsOf(left)), [], 'with the same messages')
  t.ok(
    repeated.every(({ dup }) => dup),
    'all marked as duplicates',
  )
  t.strictSame(await untilPong(again), [])
})

t.test(
  'outbound at QoS 2: half of the ids released, across a restart of the broker',
  { timeout: 600_000 },
  async (t) => {
    // Not all of them: each save is of the whole window, and there are many.
    const window = 8192
    const broker = await start(t, { limits: { ...LIMITS, inflight: window } })
    const opening = { id: 'reader', ...KEPT_5 }
    const [reader, first] = await fullWindow(t, broker, opening, 2, window)
    const released = idsOf(first).filter((_, i) => i % 2 === 0)
    const before = broker.running.store.counts.commits
    reader.send(...released.map((messageId): Packet => ({ cmd: 'pubrec', messageId })))
    const releases: number[] = []
    while (releases.length < released.length) releases.push((await take(reader, 'pubrel')).messageId!)
    t.strictSame(differences(releases, released), [], 'PUBRELs in the order of the PUBRECs [MQTT5-4.6.0-4]')
    const commits = broker.running.store.counts.commits - before
    t.ok(commits < 50, `${released.length} PUBRECs are durable after ${commits} commits`)

    await broker.restart()
    const again = await open(broker, opening)
    const repeated: string[] = []
    while (repeated.length < window) repeated.push(toldId(await again.next()))
    const wanted = idsOf(first).map((id, i) => (i % 2 === 0 ? `pubrel ${id}` : `publish ${id} dup`))
    t.strictSame(differences(repeated, wanted), [], 'released ones go on with PUBREL, all others are sent again')
    t.strictSame(await untilPong(again), [])
  },
)

function toldId(packet: Packet | null): string {
  if (packet?.cmd !== 'publish') return `${packet?.cmd} ${packet?.messageId}`
  return `publish ${packet.messageId}${packet.dup ? ' dup' : ''}`
}

t.test('inbound at QoS 2: an id is known until it is released, across a restart', { timeout: 600_000 }, async (t) => {
  const broker = await start(t)
  const opening = { id: 'writer', ...KEPT_5 }
  const writer = await open(broker, opening)
  const all = numbers(1, ALL)
  await publishAll(t, writer, all, 2)
  await publishAll(t, writer, [777, 1, ALL], 2, 'other', true)
  t.equal(await head(broker), ALL, 'an id in use is the same message, not a new one')

  const done = numbers(1, HALF)
  const before = broker.running.store.counts.commits
  writer.send(...done.map((messageId): Packet => ({ cmd: 'pubrel', messageId })))
  const completed: number[] = []
  while (completed.length < HALF) completed.push((await take(writer, 'pubcomp')).messageId!)
  t.strictSame(differences(completed, done), [], 'PUBCOMPs in the order of the PUBRELs')
  const commits = broker.running.store.counts.commits - before
  t.ok(commits < HALF / 50, `${HALF} PUBRELs are durable after ${commits} commits`)

  await broker.restart()
  const again = await open(broker, opening)
  await publishAll(t, again, all, 2, 'x', true)
  t.equal(await head(broker), ALL + HALF, 'those that were released are new messages, all others are not')
})

async function head(broker: TestBroker): Promise<number> {
  return (await broker.running.store.log.open(logs.messages('lobby'))).head
}
