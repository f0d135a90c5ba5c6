/** Clauses of 3.1.1 and 5 that say the same, held on both: WebSocket, and what a connection ends with that the broker cannot serve. */
import { once } from 'node:events'
import mqttPacket, { type Packet } from 'mqtt-packet'
import t from 'tap'
import { WebSocket } from 'ws'
import { StoreError } from '../../broker/store/changes.js'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { disconnected, message, subscribe5 } from '../helpers/mqtt5.js'
import { connectPacket, OPEN_ACL, open, take, takePublishes, told } from '../helpers/protocol.js'
import { back, kept, VERSIONS } from '../helpers/versions.js'

serveHttp()

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: packets and WebSocket frames need not begin or end together`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const bytes = Buffer.concat(
      [
        await connectPacket(broker, { version }),
        { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 't/a', qos: 0 }] } as Packet,
        message('t/a', 'x'.repeat(300), { messageId: 2 }),
        { cmd: 'pingreq' } as Packet,
      ].map((packet) => mqttPacket.generate(packet, { protocolVersion: version })),
    )
    const cuts: Record<string, number> = { 'a byte a frame': 1, 'seven bytes': 7, 'all in one': bytes.length }
    for (const [name, size] of Object.entries(cuts)) {
      await t.test(`${name} [MQTT-6.0.0-2, MQTT5-6.0.0-2]`, async (t) => {
        const ws = new WebSocket(broker.wsUrl, ['mqtt'])
        const parser = mqttPacket.parser({ protocolVersion: version })
        const packets: string[] = []
        const done = new Promise<void>((resolve) => {
          parser.on('packet', ({ cmd }) => {
            if (packets.push(cmd) === 5) resolve()
          })
        })
        let texts = 0
        ws.on('message', (data: Buffer, isBinary) => {
          if (!isBinary) texts++
          parser.parse(data)
        })
        await once(ws, 'open')
        t.equal(ws.protocol, 'mqtt', '[MQTT-6.0.0-4, MQTT5-6.0.0-4]')
        for (let at = 0; at < bytes.length; at += size) ws.send(bytes.subarray(at, at + size))
        await done
        t.same(packets.sort(), ['connack', 'pingresp', 'puback', 'publish', 'suback'])
        t.equal(texts, 0, 'in binary frames [MQTT-6.0.0-1, MQTT5-6.0.0-1]')
        ws.terminate()
      })
    }
    await t.test('a text frame ends the connection, and leaves the will [MQTT-6.0.0-1, MQTT5-6.0.0-1]', async (t) => {
      const hearer = await open(broker)
      await subscribe5(hearer, 'will/#')
      const ws = new WebSocket(broker.wsUrl, ['mqtt'])
      await once(ws, 'open')
      const connect = await connectPacket(broker, { version, will: { topic: 'will/ws', payload: 'gone' } })
      ws.send(mqttPacket.generate(connect, { protocolVersion: version }))
      await once(ws, 'message')
      ws.send('c000')
      await once(ws, 'close')
      t.same((await takePublishes(hearer, 1)).map(told), ['will/ws gone'])
    })
  })

  t.test(`MQTT ${version}: what fails for now closes its connection, and no other [MQTT-4.8.0-2]`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const { store } = broker.running
    const { commit } = store
    const hearer = await open(broker)
    await subscribe5(hearer, ['t/a', 'rooms/lobby/messages'], { qos: 0 })
    const packets: [string, Packet][] = [
      ['PUBLISH of QoS 1', message('t/a', 'x', { messageId: 7, retain: true })],
      ['PUBLISH of QoS 2', message('t/a', 'x', { qos: 2, messageId: 7 })],
      ['PUBLISH to a room', message('rooms/lobby/messages', 'x', { messageId: 7 })],
      ['UNSUBSCRIBE', { cmd: 'unsubscribe', messageId: 7, unsubscriptions: ['t/b'] }],
      ['PUBREL', { cmd: 'pubrel', messageId: 7 }],
    ]
    for (const [name, packet] of packets) {
      await t.test(name, async (t) => {
        const client = await open(broker, { id: name, version, ...kept(version) })
        await subscribe5(client, ['t/b', 'rooms/lobby/events'], { qos: 1 })
        if (packet.cmd === 'pubrel') {
          client.send(message('t/c', 'x', { qos: 2, messageId: 7 }))
          await take(client, 'pubrec')
        }
        store.commit = (change) => change.settled(new StoreError('the disk is full'), [])
        client.send(packet)
        if (version === 5) t.ok((await disconnected(client))! >= 0x80)
        else await client.whenClosed()
        store.commit = commit
        t.same(client.pending, [], 'nothing was acknowledged')
        t.notOk(hearer.closed)
        const again = await open(broker, { id: name, version, ...back(version) })
        if (packet.cmd !== 'publish') return
        again.send({ ...packet, dup: true })
        await take(again, packet.qos === 1 ? 'puback' : 'pubrec')
        t.equal((await takePublishes(hearer, 1))[0]!.topic, packet.topic, 'sent again it is taken, once')
      })
    }
  })
}
