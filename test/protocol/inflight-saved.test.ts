/** Packets in flight as they are stored: what a broker leaves when it dies, and when it closes. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { clear, put } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import { partsOf, type StoredRecord } from '../../broker/store/tables.js'
import { startTestBroker } from '../helpers/broker.js'
import { ProbeStream } from '../helpers/probe-stream.js'

const TOPIC = 'rooms/lobby/messages'
const READER = 'reader/reader'
const MEMBER = 'member/member'
const GROUP = `member/\u0001crew/${TOPIC}`
const OWNERS = [READER, MEMBER, GROUP]
const WINDOW = 150

const isPublish = ({ cmd }: Packet): boolean => cmd === 'publish'
const isExact = (packet: Packet): boolean => packet.cmd === 'publish' && packet.qos === 2
const idsOf = (packets: readonly Packet[]) => packets.map((packet) => (packet as IPublishPacket).messageId!)

/**
 * A session and a share group with their windows full: the first packet is released, and as many behind it are complete as it takes until there are
 * records of changes.
 */
async function fill(t: Test) {
  const broker = await startTestBroker(t, { limits: { inflight: WINDOW } })
  const pia = await ProbeStream.login(broker, 'pia')
  const reader = await ProbeStream.login(broker, 'reader', { clean: false })
  const member = await ProbeStream.login(broker, 'member', { clean: false })
  await reader.subscribe(TOPIC, 2)
  // Joins the room, which a shared subscription does not.
  await member.subscribe(TOPIC, 0)
  await member.subscribe(`$share/crew/${TOPIC}`, 2)
  for (let messageId = 1; messageId <= 3 * WINDOW; messageId++)
    pia.receive({ cmd: 'publish', topic: TOPIC, payload: `${messageId}`, qos: 2, dup: false, retain: false, messageId })
  const { store } = broker.running
  let done = 0
  for (; done === 0 || !changesIn(await recordsOf(store)).every((count) => count > 0); done++) {
    for (const client of [reader, member]) {
      const ids = idsOf(await client.until(isExact, WINDOW + done))
      for (const messageId of done === 0 ? ids.slice(0, 2) : [ids[1 + done]!])
        client.receive({ cmd: 'pubrec', messageId })
      await client.until(({ cmd }) => cmd === 'pubrel', 2 + done)
      client.receive({ cmd: 'pubcomp', messageId: ids[1 + done]! })
      await client.until(isExact, WINDOW + done + 1)
    }
  }
  return { broker, reader, done }
}

function recordsOf(store: Store): Promise<StoredRecord[][]> {
  return Promise.all(OWNERS.map((owner) => store.tables.list('sessionState', { owner })))
}

/** Records of changes, of each owner. */
function changesIn(records: readonly StoredRecord[][]): number[] {
  return records.map((own) => own.filter(([key]) => partsOf(key)[1]!.startsWith('d')).length)
}

t.test('when it closes, the lists are whole: earlier versions read nothing else', async (t) => {
  const { broker, done } = await fill(t)
  const { inflight } = await broker.running.store.sessions.progress(GROUP)
  t.strictSame(
    inflight.map(({ seq }) => seq),
    [1, ...Array.from({ length: WINDOW - 1 }, (_, i) => i + 2 + done)],
    'of the group only the first message is left of those that were answered',
  )
  await broker.restart({}, async (store) => {
    const records = await recordsOf(store)
    t.strictSame(changesIn(records), [0, 0, 0])
    const lists = records.map((own) => own.find(([key]) => partsOf(key)[1] === 'f')![1])
    t.strictSame(
      lists.map((list) => JSON.parse(list.toString()).length),
      [WINDOW, WINDOW, WINDOW],
    )
  })
})

t.test(
  'when it dies, packets come back under their ids and in their order, whether they are in the list or in a change',
  async (t) => {
    const { broker, reader, done } = await fill(t)
    const records = await recordsOf(broker.running.store)
    const [first, ...others] = idsOf(reader.packets.filter(isPublish)) as [number, ...number[]]
    const inFlight = [first, ...others.slice(done)]
    await broker.restart({}, (store) => {
      const restored = records.flat().map(([key, value]) => put('sessionState', key, value))
      return commit(store, { ops: [...OWNERS.map((owner) => clear('sessionState', owner)), ...restored] })
    })

    const again = await ProbeStream.login(broker, 'reader', { clean: false })
    const [released, ...sent] = inFlight
    const packets = await again.until(({ cmd }) => cmd === 'publish' || cmd === 'pubrel', WINDOW)
    t.strictSame(
      packets.map((packet) => [packet.cmd, packet.messageId]),
      [['pubrel', released], ...sent.map((messageId) => ['publish', messageId])],
    )
    t.ok(packets.every((packet) => packet.cmd === 'pubrel' || (packet as IPublishPacket).dup))

    // The first save replaces the records of changes, too.
    again.receive(...inFlight.map((messageId) => ({ cmd: 'pubrec', messageId }) as const))
    await again.until(({ cmd }) => cmd === 'pubrel', WINDOW + 1)
    const { inflight } = await broker.running.store.sessions.progress(READER)
    t.strictSame(
      inflight.map(({ packetId, released }) => [packetId, released]),
      inFlight.map((id) => [id, true]),
    )
    const member = await ProbeStream.login(broker, 'member', { clean: false })
    const inGroup = idsOf(await member.until(isPublish, WINDOW - 1))
    member.receive({ cmd: 'pubrec', messageId: inGroup[0]! })
    await member.until(({ cmd }) => cmd === 'pubrel', 2)
    t.equal((await broker.running.store.sessions.progress(GROUP)).inflightChanges, 0)
  },
)
