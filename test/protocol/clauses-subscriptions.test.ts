/** Clauses of 3.1.1 and 5 that say the same, held on both: SUBSCRIBE and UNSUBSCRIBE. */
import type { IPublishPacket, Packet } from 'mqtt-packet'
import t from 'tap'
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
  told,
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

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: subscriptions`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker, { id: 'speaker', clean: false })
    await t.test(
      'several filters in one packet: as several packets [MQTT-3.8.4-4, MQTT-3.9.3-1, MQTT5-3.8.4-5, MQTT5-3.9.3-1]',
      async (t) => {
        await publish(speaker, 's/1', 'kept', { retain: true })
        await publish(speaker, 's/3', 'kept', { retain: true })
        const client = await open(broker, { version })
        const codes = await subscribe(client, ['s/1', 0], ['denied/a', 1], ['s/+', 2], ['s/3', 1], ['s/1', 1])
        const failed = version === 5 ? 0x87 : 0x80
        t.same(
          codes,
          [0, failed, 2, 1, 1],
          'one answer, in their order [MQTT-3.8.4-5, MQTT-3.9.3-2, MQTT5-3.8.4-6, MQTT5-3.8.4-7, MQTT5-3.9.3-2]',
        )
        await publish(speaker, 's/2', 'live', { qos: 2 })
        const topics = new Set<string>()
        while (topics.size < 3) topics.add((await take(client, 'publish')).topic)
        t.same([...topics].sort(), ['s/1', 's/2', 's/3'], 'each of them holds')
      },
    )
    await t.test(
      'overlapping: the highest QoS, and not above that of the message [MQTT-3.3.5-1, MQTT-3.8.4-6, MQTT5-3.3.4-2, MQTT5-3.8.4-8]',
      async (t) => {
        for (const topic of ['o/a', ROOM]) {
          const client = await open(broker, { version })
          await subscribe5(client, topic, { qos: 0 })
          await subscribe5(client, topic === ROOM ? 'rooms/+/messages' : 'o/#', { qos: 2 })
          await subscribe5(client, topic === ROOM ? 'rooms/lobby/#' : 'o/+', { qos: 1, rh: 2 })
          for (const qos of [0, 1, 2] as const) {
            await publish(speaker, topic, 'm', { qos })
            const got = (await untilPublish(client, topic))!
            t.equal(got.qos, qos, topic)
            await finish(client, got)
          }
          await leave(broker, client)
        }
      },
    )
    for (const topic of ['again/a', ROOM]) {
      for (const qos of [0, 1, 2] as const) {
        await t.test(
          `${topic} given again at QoS ${qos} while messages come: none is lost [MQTT-3.8.4-3, MQTT5-3.8.4-3, MQTT5-3.8.4-4]`,
          async (t) => {
            const client = await open(broker, { id: `again ${topic} ${qos}`, version, ...kept(version) })
            const filter = topic === ROOM ? 'rooms/+/messages' : 'again/+'
            await subscribe5(client, topic === ROOM ? [ROOM, filter] : [filter], { qos: 2 })
            if (topic === ROOM) await unsubscribe5(client, ROOM)
            for (const i of numbers(40)) {
              speaker.send(message(topic, `${i}`, { messageId: i + 1 }))
              if (i % 4 !== 0) continue
              const subscriptions = [{ topic: filter, qos: i % 8 === 0 ? qos : 2, nl: false, rap: false, rh: 0 }]
              client.send({ cmd: 'subscribe', messageId: i + 1, subscriptions } as Packet)
            }
            const got = new Map<string, number[]>()
            for (let subacks = 0; got.size < 40 || subacks < 10; ) {
              const packet = await client.next()
              if (packet?.cmd === 'suback') subacks++
              if (packet?.cmd !== 'publish') continue
              got.set(said(packet), [...(got.get(said(packet)) ?? []), packet.qos])
              acknowledge(client, packet)
            }
            for (const level of [0, 1, 2]) {
              const names = [...got].filter(([, levels]) => levels[0] === level).map(([name]) => Number(name))
              t.same(
                names,
                names.toSorted((a, b) => a - b),
                `in order at QoS ${level}`,
              )
            }
            t.equal(got.size, 40, 'all')
            // One that went at QoS 0 may come again where the QoS is raised [MQTT-3.8.4-6]; else each comes once.
            const once = ([...got.values()] as number[][]).every((list) => new Set(list).size === list.length)
            t.ok(once, 'at each QoS at most once')
            if (topic !== ROOM || qos > 0)
              t.ok(
                [...got.values()].every((list) => list.length === 1),
                'once',
              )
            for (const _ of numbers(40)) await take(speaker, 'puback')
            // What goes again may still be coming.
            client.send({ cmd: 'unsubscribe', messageId: 99, unsubscriptions: [filter] })
            while ((await client.next())?.cmd !== 'unsuback');
            await leave(broker, client)
          },
        )
      }
    }
    for (const [before, after] of [
      [0, 1],
      [0, 2],
      [1, 0],
      [2, 0],
    ] as const) {
      await t.test(
        `a message on its way while QoS ${before} becomes ${after} comes once, and is done with [MQTT-3.8.4-3, MQTT5-3.8.4-4]`,
        async (t) => {
          const { store } = broker.running
          const { commit } = store
          const id = `turn ${before}${after}`
          const client = await open(broker, { id, version, ...kept(version) })
          await subscribe5(client, 'turn/a', { qos: before })
          const held = new Promise<() => void>((resolve) => {
            store.commit = (change) => {
              store.commit = commit
              resolve(() => store.commit(change))
            }
          })
          speaker.send(message('turn/a', 'x', { qos: 2, messageId: 9 }))
          const release = await held
          await subscribe5(client, 'turn/a', { qos: after })
          release()
          await take(speaker, 'pubrec')
          const [got] = await takePublishes(client, 1)
          t.equal(told(got!), after > 0 ? `turn/a x q${after}` : 'turn/a x', 'as of its commit')
          acknowledge(client, got!)
          if (after === 2) {
            await take(client, 'pubrel')
            client.send({ cmd: 'pubcomp', messageId: got!.messageId! })
          }
          t.same(await untilPong(client), [])
          speaker.send({ cmd: 'pubrel', messageId: 9 })
          await take(speaker, 'pubcomp')
          await leave(broker, client)
          t.equal(store.queue.size(`ann/${id}`).messages, 0)
          const again = await open(broker, { id, version, ...back(version) })
          t.same(await untilPong(again), [], 'nor after a reconnect')
        },
      )
    }
    await t.test(
      'lowered to QoS 0 while messages wait: they come first, each once [MQTT-3.8.4-3, MQTT5-3.8.4-4]',
      async (t) => {
        const narrow = await startTestBroker(t, { acl: OPEN_ACL, limits: { inflight: 4 } })
        const other = await open(narrow)
        const client = await open(narrow, { id: 'c', version, ...kept(version) })
        await subscribe5(client, ROOM, { qos: 1 })
        for (const i of numbers(10)) await publish(other, ROOM, `${i}`)
        const window = await takePublishes(client, 4)
        await subscribe5(client, ROOM, { qos: 0 })
        for (const i of [10, 11]) await publish(other, ROOM, `${i}`)
        for (const packet of window) acknowledge(client, packet)
        const got = await takePublishes(client, 8)
        t.same([...window, ...got].map(said), numbers(12).map(String))
        await publish(other, ROOM, 'live')
        t.same(
          (await untilPong(client)).map((packet) => said(packet as IPublishPacket)),
          ['live'],
        )
      },
    )
  })

  t.test(`MQTT ${version}: unsubscribing`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker)
    await t.test('only filters that are the same go [MQTT-3.10.4-1, MQTT5-3.10.4-1]', async (t) => {
      const client = await open(broker, { version })
      await subscribe5(client, ['u/+', 'u/a', 'U/a'], { qos: 0 })
      await unsubscribe5(client, 'u/#', 'u/b', 'u', '+/a', 'U/A', 'u/a')
      await publish(speaker, 'u/a')
      await publish(speaker, 'U/a')
      t.same(
        (await takePublishes(client, 2)).map(({ topic }) => topic),
        ['u/a', 'U/a'],
      )
      await unsubscribe5(client, 'u/+', 'U/a')
      await publish(speaker, 'u/a')
      await publish(speaker, 'U/a')
      t.same(await untilPong(client), [], 'then nothing new comes [MQTT-3.10.4-2, MQTT5-3.10.4-2]')
    })
    for (const topic of ['u/a', ROOM]) {
      await t.test(`${topic}: what was begun is completed [MQTT-3.10.4-3, MQTT5-3.10.4-3]`, async (t) => {
        const client = await open(broker, { id: `u ${topic}`, version, ...kept(version) })
        await subscribe5(client, topic, { qos: 2 })
        await publish(speaker, topic, 'one', { qos: 1 })
        await publish(speaker, topic, 'two', { qos: 2 })
        await publish(speaker, topic, 'three', { qos: 2 })
        const [one, two, three] = (await takePublishes(client, 3)) as [IPublishPacket, IPublishPacket, IPublishPacket]
        client.send({ cmd: 'pubrec', messageId: three.messageId! })
        await take(client, 'pubrel')
        await unsubscribe5(client, topic)
        await publish(speaker, topic, 'never', { qos: 2 })
        client.send({ cmd: 'pubcomp', messageId: three.messageId! })
        await finish(client, two)
        acknowledge(client, one)
        t.same(await untilPong(client), [])
        await cut(broker, client)
        const again = await open(broker, { id: `u ${topic}`, version, ...back(version) })
        t.same(await untilPong(again), [], 'and done with')
      })
      await t.test(`${topic}: and after a reconnect [MQTT-3.10.4-3, MQTT5-3.10.4-3]`, async (t) => {
        const id = `r ${topic}`
        const client = await open(broker, { id, version, ...kept(version) })
        await subscribe5(client, topic, { qos: 2 })
        for (const qos of [1, 2] as const) await publish(speaker, topic, `at ${qos}`, { qos })
        const sent = await takePublishes(client, 2)
        await unsubscribe5(client, topic)
        await cut(broker, client)
        await publish(speaker, topic, 'meanwhile', { qos: 1 })
        const again = await open(broker, { id, version, ...back(version) })
        t.same(
          (await takePublishes(again, 2)).map(({ messageId, dup }) => [messageId, dup]),
          sent.map(({ messageId }) => [messageId, true]),
        )
        await subscribe5(again, topic, { qos: 1 })
        await publish(speaker, topic, 'new', { qos: 1 })
        t.match(text((await takePublishes(again, 1))[0]!), 'new', 'nothing of what came while there was no filter')
        await cut(broker, again)
        const last = await open(broker, { id, version, ...back(version) })
        t.equal((await takePublishes(last, 3)).length, 3, 'and once more')
        t.same(await untilPong(last), [])
      })
    }
  })
}

/** The next message on a topic; others, such as the info of a room, are passed over. */
async function untilPublish(client: RawClient, topic: string): Promise<IPublishPacket> {
  for (;;) {
    const packet = await take(client, 'publish')
    if (packet.topic === topic) return packet
  }
}
