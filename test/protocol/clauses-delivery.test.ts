/** Clauses of 3.1.1 and 5 that say the same, held on both: packet ids, quality of service, delivery again, order. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t from 'tap'
import { Inflight, NO_OWNER } from '../../broker/mqtt/inflight.js'
import { startTestBroker } from '../helpers/broker.js'
import { acknowledge, message, subscribe5, unsubscribe5 } from '../helpers/mqtt5.js'
import {
  cut,
  leave,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  text,
  untilPong,
} from '../helpers/protocol.js'
import type { RawClient } from '../helpers/raw-client.js'
import { back, kept, VERSIONS } from '../helpers/versions.js'

const ROOM = 'rooms/lobby/messages'
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** What was said, of a plain message or of a room's. */
function said(packet: IPublishPacket): string {
  return packet.topic === ROOM ? JSON.parse(text(packet)).text : text(packet)
}

/** Acknowledges a message wholly. */
async function finish(client: RawClient, packet: IPublishPacket): Promise<void> {
  acknowledge(client, packet)
  if (packet.qos < 2) return
  await take(client, 'pubrel')
  client.send({ cmd: 'pubcomp', messageId: packet.messageId! })
}

t.test('packet ids to a client: never 0, never one in use [MQTT-2.3.1-4, MQTT5-2.2.1-4, MQTT5-4.3.2-1]', async (t) => {
  const inflight = new Inflight(10)
  const held = [inflight.start(NO_OWNER, 0, 1), inflight.start(NO_OWNER, 0, 2)]
  const ids = held.map(({ packetId }) => packetId)
  const seen = new Set<number>()
  for (let i = 0; i < 140_000; i++) {
    const flight = inflight.start(NO_OWNER, 0, 1)
    seen.add(flight.packetId)
    inflight.end(flight)
  }
  t.equal(seen.size, 65533, 'all but those held')
  for (const id of [0, 65536, ...ids]) t.notOk(seen.has(id), `${id}`)
})

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: answers carry the packet id of the question`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const client = await open(broker, { version })
    for (const messageId of [1, 255, 256, 65535]) {
      await t.test(`${messageId}`, async (t) => {
        client.send(message('t/a', 'x', { messageId }))
        t.match(
          await take(client, 'puback'),
          { messageId },
          '[MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT5-2.2.1-5, MQTT5-3.3.4-1]',
        )
        client.send(message('t/a', 'x', { messageId, qos: 2 }))
        t.match(
          await take(client, 'pubrec'),
          { messageId },
          '[MQTT-2.3.1-6, MQTT-3.3.4-1, MQTT5-4.3.3-8, MQTT5-3.3.4-1]',
        )
        client.send({ cmd: 'pubrel', messageId })
        t.match(await take(client, 'pubcomp'), { messageId }, '[MQTT-4.3.3-2, MQTT5-2.2.1-5, MQTT5-4.3.3-11]')
        client.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic: 't/b', qos: 1 }] } as Packet)
        t.match(
          await take(client, 'suback'),
          { messageId },
          '[MQTT-2.3.1-7, MQTT-3.8.4-1, MQTT-3.8.4-2, MQTT5-2.2.1-6, MQTT5-3.8.4-1, MQTT5-3.8.4-2]',
        )
        client.send({ cmd: 'unsubscribe', messageId, unsubscriptions: ['t/b', 't/none'] })
        t.match(
          await take(client, 'unsuback'),
          { messageId },
          '[MQTT-2.3.1-7, MQTT-3.10.4-4, MQTT5-2.2.1-6, MQTT5-3.10.4-4, MQTT5-3.10.4-5, MQTT5-3.10.4-6]',
        )
        t.same(await untilPong(client), [], 'one answer each; none to QoS 0')
      })
    }
  })

  t.test(`MQTT ${version}: a receiver takes each message as often as it should`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const hearer = await open(broker)
    await subscribe(hearer, ['t/a', 0], [ROOM, 0])
    for (const topic of ['t/a', ROOM]) {
      await t.test(
        `QoS 1 on ${topic}: after PUBACK each is new, whatever DUP says [MQTT-4.3.2-2, MQTT5-4.3.2-4, MQTT5-4.3.2-5]`,
        async (t) => {
          const client = await open(broker, { version })
          for (const dup of [false, true, true]) {
            client.send(message(topic, 'again', { dup, messageId: 7 }))
            t.match(await take(client, 'puback'), { messageId: 7 })
          }
          const got = await takePublishes(hearer, 3)
          t.same(got.map(said), ['again', 'again', 'again'])
          t.same(
            got.map(({ dup }) => dup),
            [false, false, false],
            'DUP is not passed on [MQTT-3.3.1-3, MQTT5-3.3.1-2, MQTT5-3.3.1-3]',
          )
        },
      )
      await t.test(
        `QoS 2 on ${topic}: once until PUBREL, whatever DUP says [MQTT-4.3.3-2, MQTT5-4.3.3-10, MQTT5-4.3.3-12]`,
        async (t) => {
          const client = await open(broker, { version })
          for (const payload of ['first', 'second']) {
            for (const dup of [false, true, false]) {
              client.send(message(topic, payload, { qos: 2, dup, messageId: 7 }))
              t.match(await take(client, 'pubrec'), { messageId: 7 })
            }
            client.send({ cmd: 'pubrel', messageId: 7 })
            t.match(await take(client, 'pubcomp'), { messageId: 7 })
          }
          await publish(client, topic, 'end')
          t.same((await takePublishes(hearer, 3)).map(said), ['first', 'second', 'end'])
        },
      )
    }
  })

  t.test(`MQTT ${version}: after a reconnect comes what is not acknowledged, and only then`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker)
    const again = 'PUBLISH again, with DUP and its packet id'
    type Answer = Packet['cmd'] | null
    const cases: [string, 1 | 2, Answer, number, Answer][] = [
      [
        `QoS 1, nothing: ${again} [MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT5-3.3.1-1, MQTT5-4.3.2-3, MQTT5-4.4.0-1]`,
        1,
        null,
        0,
        'publish',
      ],
      ['QoS 1, PUBACK: nothing [MQTT5-4.3.2-3]', 1, 'puback', 0, null],
      ['QoS 1, PUBACK of 0x80: nothing [MQTT5-4.4.0-2]', 1, 'puback', 0x80, null],
      [
        `QoS 2, nothing: ${again} [MQTT-3.3.1-1, MQTT-4.4.0-1, MQTT5-3.3.1-1, MQTT5-4.3.3-3, MQTT5-4.4.0-1]`,
        2,
        null,
        0,
        'publish',
      ],
      [
        'QoS 2, PUBREC: PUBREL again [MQTT-4.3.3-1, MQTT5-4.3.3-4, MQTT5-4.3.3-5, MQTT5-4.3.3-6]',
        2,
        'pubrec',
        0,
        'pubrel',
      ],
      ['QoS 2, PUBREC of 0x97: nothing [MQTT5-4.4.0-2]', 2, 'pubrec', 0x97, null],
      ['QoS 2, PUBREC and PUBCOMP: nothing [MQTT5-4.3.3-5]', 2, 'pubcomp', 0, null],
    ]
    for (const topic of ['t/a', ROOM]) {
      for (const [name, qos, answer, reasonCode, expected] of cases) {
        if (reasonCode > 0 && version < 5) continue
        await t.test(`${topic}, ${name}`, async (t) => {
          const id = `${topic} ${name}`.slice(0, 60)
          const client = await open(broker, { id, version, ...kept(version) })
          await subscribe5(client, topic, { qos })
          await publish(speaker, topic, 'm', { qos: 2 })
          const [got] = await takePublishes(client, 1)
          const messageId = got!.messageId!
          if (answer === 'pubcomp') await finish(client, got!)
          else if (answer) client.send({ cmd: answer, messageId, reasonCode } as Packet)
          if (expected === 'pubrel') t.match(await take(client, 'pubrel'), { messageId })
          t.same(await untilPong(client), [], 'nothing is sent again while the connection lasts')
          await cut(broker, client)
          const next = await open(broker, { id, version, ...back(version) })
          const resent = await untilPong(next)
          t.match(resent, expected ? [{ cmd: expected, messageId }] : [])
          if (expected === 'publish') t.match(resent[0], { dup: true, qos, topic })
          t.equal(resent.length, expected ? 1 : 0)
          await unsubscribe5(next, topic)
          await leave(broker, next)
        })
      }
    }
  })

  t.test(`MQTT ${version}: a message reaches every session that matches [MQTT-4.5.0-1, MQTT5-4.5.0-1]`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker)
    const filters: [string, string][] = [
      ['t/a', 't/a'],
      ['t/+', 't/a'],
      ['#', 't/a'],
      [ROOM, ROOM],
      ['rooms/+/messages', ROOM],
    ]
    const openings = [{ clean: true }, kept(version)]
    const here: [RawClient, string][] = []
    const away: [string, string][] = []
    for (const [filter, topic] of filters) {
      for (const [i, opening] of openings.entries()) {
        const client = await open(broker, { id: `here ${filter} ${i}`, version, ...opening })
        await subscribe5(client, topic === ROOM && filter !== ROOM ? [ROOM, filter] : filter)
        here.push([client, topic])
      }
      const id = `away ${filter}`
      const client = await open(broker, { id, version, ...kept(version) })
      await subscribe5(client, filter)
      await leave(broker, client)
      away.push([id, topic])
    }
    for (const topic of ['t/a', ROOM]) await publish(speaker, topic, 'm')
    for (const [client, topic] of here)
      t.same(
        (await takePublishes(client, 1)).map((one) => [one.topic, said(one)]),
        [[topic, 'm']],
      )
    for (const [id, topic] of away) {
      const client = await open(broker, { id, version, ...back(version) })
      t.same(
        (await takePublishes(client, 1)).map((one) => [one.topic, said(one)]),
        [[topic, 'm']],
        id,
      )
    }
  })

  t.test(
    `MQTT ${version}: messages of one client come in the order sent [MQTT-4.6.0-5, MQTT-4.6.0-6, MQTT5-4.6.0-5, MQTT5-4.6.0-6]`,
    async (t) => {
      const broker = await startTestBroker(t, { acl: OPEN_ACL })
      for (const topic of ['t/a', ROOM]) {
        for (const granted of [0, 1, 2] as const) {
          await t.test(`${topic}, granted ${granted}`, async (t) => {
            const hearer = await open(broker, { version })
            await subscribe5(hearer, topic, { qos: granted })
            const speakers = await Promise.all(['a', 'b', 'c'].map((id) => open(broker, { id, version })))
            for (const i of numbers(60)) {
              for (const [who, speaker] of speakers.entries()) {
                const qos = ((i + who) % 3) as 0 | 1 | 2
                speaker.send(message(topic, `${who} ${qos} ${i}`, qos > 0 ? { qos, messageId: i + 1 } : { qos }))
              }
            }
            const got: string[] = []
            while (got.length < 180) {
              const packet = await hearer.next()
              if (packet?.cmd === 'pubrel') hearer.send({ cmd: 'pubcomp', messageId: packet.messageId! })
              if (packet?.cmd !== 'publish') continue
              acknowledge(hearer, packet)
              got.push(said(packet))
            }
            for (const who of [0, 1, 2]) {
              const mine = got.filter((one) => one.startsWith(`${who} `)).map((one) => Number(one.split(' ')[2]))
              t.same(mine, numbers(60), `of publisher ${who}`)
            }
            for (const client of [hearer, ...speakers]) await leave(broker, client)
          })
        }
      }
    },
  )
}
