/** Clauses of 3.1.1 and 5 that say the same, held on both: connections, sessions, wills. */
import type { Packet } from 'mqtt-packet'
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { acknowledge, frame, message, section, subscribe5 } from '../helpers/mqtt5.js'
import {
  connectPacket,
  cut,
  leave,
  OPEN_ACL,
  open,
  publish,
  take,
  takePublishes,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'
import { back, kept, VERSIONS } from '../helpers/versions.js'

const ROOM = 'rooms/lobby/messages'

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: the bytes of what the broker sends`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const client = await open(broker, { version })
    const five = version === 5
    const none = five ? '00' : ''
    const publishOf = (qos: 0 | 1 | 2, messageId = 5): Packet => message('t', 'x', { qos, messageId })
    const steps: [string, Packet, string[]][] = [
      [
        'SUBACK: reserved bits are 0; no properties are a length of 0 [MQTT-2.2.2-1, MQTT5-2.1.3-1, MQTT5-2.2.2-1]',
        { cmd: 'subscribe', messageId: 10, subscriptions: [{ topic: 't', qos: 2 }] } as Packet,
        [`90 0${five ? 4 : 3} 000a ${none} 02`],
      ],
      [
        'PUBLISH of QoS 0: DUP 0 and no packet id [MQTT-2.3.1-5, MQTT-4.3.1-1, MQTT5-2.2.1-2, MQTT5-4.3.1-1]',
        publishOf(0),
        [`30 0${five ? 5 : 4} 0001 74 ${none} 78`],
      ],
      [
        'PUBACK, and PUBLISH of QoS 1: DUP 0 [MQTT-4.3.2-1, MQTT5-4.3.2-2]',
        publishOf(1),
        [`32 0${five ? 7 : 6} 0001 74 0001 ${none} 78`, '40 02 0005'],
      ],
      [
        'PUBREC, and PUBLISH of QoS 2: DUP 0, another packet id [MQTT-4.3.3-1, MQTT5-4.3.3-1, MQTT5-4.3.3-2]',
        publishOf(2),
        [`34 0${five ? 7 : 6} 0001 74 0002 ${none} 78`, '50 02 0005'],
      ],
      ['PUBCOMP [MQTT-2.2.2-1]', { cmd: 'pubrel', messageId: 5 }, ['70 02 0005']],
      ['PUBREL [MQTT-2.2.2-1]', { cmd: 'pubrec', messageId: 2 }, ['62 02 0002']],
      [
        'UNSUBACK [MQTT-2.2.2-1]',
        { cmd: 'unsubscribe', messageId: 11, unsubscriptions: ['t'] },
        [five ? 'b0 04 000b 00 00' : 'b0 02 000b'],
      ],
      ['PINGRESP [MQTT-3.12.4-1, MQTT5-3.12.4-1]', { cmd: 'pingreq' }, ['d0 00']],
    ]
    for (const [name, packet, expected] of steps) {
      await t.test(name, async (t) => {
        const bytes = recorded(client)
        client.send(packet)
        for (const _ of expected) await client.next()
        t.same(frames(bytes()), expected.map((hex) => hex.replaceAll(' ', '')).sort())
      })
    }
  })

  t.test(`MQTT ${version}: CONNACK comes first, and once`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker)
    const client = await open(broker, { id: 'c', version, ...kept(version) })
    await subscribe5(client, ['t/a', ROOM])
    await cut(broker, client)
    for (let i = 0; i < 5; i++) for (const topic of ['t/a', ROOM]) await publish(speaker, topic, `${i}`)
    const again = new RawClient(broker, version)
    const bytes = recorded(again)
    again.send(await connectPacket(broker, { id: 'c', version, ...back(version) }))
    const first = await again.next()
    await takePublishes(again, 10)
    t.equal(first?.cmd, 'connack', '[MQTT-3.2.0-1, MQTT5-3.2.0-1]')
    t.equal(bytes()[2], 1, 'of its flags session present alone is set [MQTT5-3.2.2-1]')
    const more = await untilPong(again)
    t.same([...again.packets].filter(({ cmd }) => cmd === 'connack').length, 1, 'once [MQTT5-3.2.0-2]')
    t.same(more, [])
  })

  t.test(`MQTT ${version}: a refused CONNECT`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const watcher = await open(broker)
    await subscribe5(watcher, ['#', 'will/#'])
    await leave(broker, await open(broker, { id: 'c', version, ...kept(version) }))
    const good = await connectPacket(broker, { id: 'c', version, ...back(version) })
    const long = frame(
      0x10,
      'MQTT',
      version,
      0xc2,
      0,
      0,
      version === 5 ? section() : Buffer.alloc(0),
      'x'.repeat(1025),
      'ann',
      good.password!.toString(),
    )
    const cases: [string, Buffer | Packet, number, number][] = [
      ['a client id that is too long [MQTT-3.1.3-9, MQTT5-3.1.3-8]', long, 2, 0x85],
      ['a wrong password [MQTT5-3.1.4-2]', { ...good, password: Buffer.from('wrong') }, 4, 0x86],
    ]
    for (const [name, connect, returnCode, reasonCode] of cases) {
      await t.test(name, async (t) => {
        const client = new RawClient(broker, version)
        client.send(connect, message('t/behind', 'x', { qos: 0, retain: true }), { cmd: 'pingreq' })
        const expected = version === 5 ? { reasonCode } : { returnCode }
        t.match(
          await take(client, 'connack'),
          { ...expected, sessionPresent: false },
          'a code of the list, and no session, though there is one [MQTT-3.2.2-4, MQTT5-3.2.2-6, MQTT5-3.2.2-8]',
        )
        await client.whenClosed()
        t.same(client.pending, [], 'then closed [MQTT-3.2.2-5, MQTT5-3.2.2-7]')
        t.same(await untilPong(watcher), [], 'what came behind is not handled [MQTT-3.1.4-5, MQTT5-3.1.4-6]')
      })
    }
    await t.test('the session is there as before', async (t) => {
      const client = new RawClient(broker, version)
      client.send(good)
      t.match(await take(client, 'connack'), { sessionPresent: true })
    })
  })

  t.test(`MQTT ${version}: client ids`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const every = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
    const ids = ['a', '0', 'Z', every.slice(0, 23), every.slice(23, 46), every.slice(39)]
    await t.test('1 to 23 letters and digits are accepted [MQTT-3.1.3-5, MQTT5-3.1.3-5]', async (t) => {
      for (const id of ids) {
        const client = await open(broker, { id, version })
        t.same(await untilPong(client), [], id)
      }
    })
    await t.test('each names a session of its own, to the letter [MQTT-3.1.3-2, MQTT5-3.1.3-2]', async (t) => {
      for (const id of ['one', 'One', 'one ']) {
        const client = await open(broker, { id, version, ...kept(version) })
        await subscribe5(client, `s/${id}`)
        await leave(broker, client)
      }
      const speaker = await open(broker)
      for (const id of ['one', 'One', 'one ']) await publish(speaker, `s/${id}`)
      for (const id of ['one ', 'one', 'One']) {
        const client = await open(broker, { id, version, ...back(version) })
        t.same((await takePublishes(client, 1)).map(told), [`s/${id} s/${id} q1`])
        t.same(await untilPong(client), [])
      }
    })
    await t.test(
      'an empty one gets one of its own [MQTT-3.1.3-6, MQTT5-3.1.3-6, MQTT5-3.1.3-7, MQTT5-3.2.2-16]',
      async (t) => {
        const login = ['ann', await broker.token('ann')]
        const connect = frame(
          0x10,
          'MQTT',
          version,
          0xc2,
          0,
          0,
          version === 5 ? section() : Buffer.alloc(0),
          '',
          ...login,
        )
        const assigned = new Set<string | undefined>()
        const clients: RawClient[] = []
        for (let i = 0; i < 3; i++) {
          const client = new RawClient(broker, version)
          client.send(connect)
          assigned.add((await take(client, 'connack')).properties?.assignedClientIdentifier)
          clients.push(client)
        }
        for (const client of clients) t.same(await untilPong(client), [], 'none takes over another')
        t.equal(assigned.size, version === 5 ? 3 : 1)
        t.equal(assigned.has(undefined), version !== 5, 'MQTT 5 tells it')
      },
    )
  })

  t.test(`MQTT ${version}: sessions`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const speaker = await open(broker)
    const present = async (opening: object): Promise<boolean> => {
      const client = new RawClient(broker, version)
      client.send(await connectPacket(broker, { id: 'c', version, ...opening }))
      const connack = await take(client, 'connack')
      t.equal(version === 5 ? connack.reasonCode : connack.returnCode, 0, '[MQTT-3.1.4-4, MQTT5-3.1.4-5]')
      await leave(broker, client)
      return connack.sessionPresent
    }
    await t.test('session present tells whether there was one, and how it goes on', async (t) => {
      const steps: [string, object, boolean][] = [
        ['none yet: a new one [MQTT-3.2.2-3, MQTT5-3.1.2-6, MQTT5-3.2.2-3]', back(version), false],
        ['the one of before [MQTT-3.1.2-4, MQTT-3.2.2-2, MQTT5-3.1.2-5]', back(version), true],
        ['discarded [MQTT-3.1.2-6, MQTT-3.2.2-1, MQTT5-3.1.2-4, MQTT5-3.2.2-2]', { clean: true }, false],
        ['and gone [MQTT-3.1.4-3, MQTT5-3.1.4-4]', back(version), false],
      ]
      for (const [name, opening, expected] of steps) {
        await t.test(name, async (t) => {
          t.equal(await present(opening), expected)
        })
      }
    })
    await t.test(
      'subscriptions and messages wait for who is away [MQTT-3.1.2-4, MQTT-3.1.2-5, MQTT-4.1.0-1, MQTT5-3.1.2-23]',
      async (t) => {
        const client = await open(broker, { id: 'away', version, ...kept(version) })
        await subscribe5(client, ['w/1', ROOM], { qos: 1 })
        await subscribe5(client, 'w/2', { qos: 2 })
        await leave(broker, client)
        for (const topic of ['w/1', 'w/2', ROOM]) await publish(speaker, topic, 'm', { qos: 2 })
        const again = await open(broker, { id: 'away', version, ...back(version) })
        const got = await takePublishes(again, 3)
        t.same(got.map(({ topic, qos, dup }) => [topic, qos, dup]).sort(), [
          [ROOM, 1, false],
          ['w/1', 1, false],
          ['w/2', 2, false],
        ])
        await publish(speaker, 'w/1', 'live')
        t.equal((await takePublishes(again, 1))[0]!.topic, 'w/1', 'the subscription is there')
      },
    )
    await t.test(
      'an open one lasts, a closed one ends with its expiry [MQTT-4.1.0-2, MQTT5-4.1.0-1, MQTT5-4.1.0-2]',
      async (t) => {
        const { store, maintenance } = broker.running
        const open1 = await open(broker, { id: 'open', version, ...kept(version) })
        await subscribe5(open1, 'w/3', { qos: 2 })
        await leave(broker, await open(broker, { id: 'closed', version, ...kept(version) }))
        const year = 365 * 86_400_000
        await maintenance.sweep(Date.now() + year)
        t.equal(await store.sessions.load('ann/closed'), null)
        await cut(broker, open1)
        await publish(speaker, 'w/3', 'm', { qos: 2 })
        const again = await open(broker, { id: 'open', version, ...back(version) })
        t.match((await takePublishes(again, 1))[0], { topic: 'w/3', qos: 2 })
      },
    )
    await t.test('retained messages stay when the session that sent them ends [MQTT-3.1.2-7]', async (t) => {
      const client = await open(broker, { id: 'brief', version, clean: true })
      await publish(client, 'keep/a', 'x', { retain: true })
      await leave(broker, client)
      await present({ id: 'brief', clean: true })
      const late = await open(broker, { version })
      await subscribe5(late, 'keep/+')
      t.same((await takePublishes(late, 1)).map(told), ['keep/a x q1 retain'])
    })
  })

  t.test(`MQTT ${version}: wills`, async (t) => {
    const broker = await startTestBroker(t, { acl: OPEN_ACL })
    const { persistence } = broker.running.store
    const speaker = await open(broker)
    const hearer = await open(broker)
    await subscribe5(hearer, 'will/#', { qos: 2 })
    /** All wills that came until now. */
    const heard = async (): Promise<string[]> => {
      await publish(speaker, 'will/marker')
      const found: string[] = []
      for (;;) {
        const packet = await hearer.next()
        if (packet?.cmd === 'pubrel') hearer.send({ cmd: 'pubcomp', messageId: packet.messageId! })
        if (packet?.cmd !== 'publish') continue
        acknowledge(hearer, packet)
        if (packet.topic === 'will/marker') return found
        found.push(told(packet))
      }
    }
    // Retained messages come filter by filter: this one is behind those asked for.
    await publish(speaker, 'the/end', 'x', { retain: true })
    const retainedOn = async (filter: string): Promise<string[]> => {
      const late = await open(broker)
      await subscribe5(late, [filter, 'the/end'], { qos: 2 })
      const found: string[] = []
      for (let one = await take(late, 'publish'); one.topic !== 'the/end'; one = await take(late, 'publish'))
        found.push(told(one))
      return found
    }
    const stored = () => persistence.getWill({ id: 'ann/w' } as never)
    for (const qos of [0, 1, 2] as const) {
      for (const retain of [false, true]) {
        await t.test(
          `QoS ${qos}, retain ${retain} [MQTT-3.1.2-16, MQTT-3.1.2-17, MQTT5-3.1.2-14, MQTT5-3.1.2-15]`,
          async (t) => {
            const topic = `will/${qos}${retain}`
            const client = await open(broker, { id: 'w', version, will: { topic, payload: 'gone', qos, retain } })
            t.match(await stored(), { topic }, 'stored with the connection [MQTT-3.1.2-8, MQTT5-3.1.2-7]')
            await cut(broker, client)
            t.same(await heard(), [`${topic} gone${qos > 0 ? ` q${qos}` : ''}`])
            t.notOk(await stored(), 'sent, and forgotten [MQTT-3.1.2-10, MQTT5-3.1.2-10]')
            t.same(await retainedOn(topic), retain ? [`${topic} gone${qos > 0 ? ` q${qos}` : ''} retain`] : [])
          },
        )
      }
    }
    await t.test('DISCONNECT: forgotten [MQTT-3.1.2-10, MQTT-3.14.4-3, MQTT5-3.1.2-10, MQTT5-3.14.4-3]', async (t) => {
      await leave(broker, await open(broker, { id: 'w', version, will: { topic: 'will/a', payload: 'gone' } }))
      t.notOk(await stored())
      t.same(await heard(), [])
      await cut(broker, await open(broker, { id: 'w', version }))
      t.same(await heard(), [], 'nor when the next connection fails, which has none [MQTT-3.1.2-12]')
    })
  })
}

/** What a client receives from now on, as bytes. */
function recorded(client: RawClient): () => Buffer {
  const chunks: Buffer[] = []
  client.stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks)
}

/** Packets shorter than 128 bytes as hex, sorted: an ack and a delivery may come in either order. */
function frames(bytes: Buffer): string[] {
  const found: string[] = []
  for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]!)
    found.push(bytes.toString('hex', at, at + 2 + bytes[at + 1]!))
  return found.sort()
}
