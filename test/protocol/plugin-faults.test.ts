/** Plugins are code of others: what a listener or hook of theirs throws, or rejects with, is logged, and the broker goes on. */
import { Writable } from 'node:stream'
import pino from 'pino'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import {
  connectPacket,
  OPEN_ACL,
  open,
  publish,
  subscribe,
  take,
  takePublishes,
  told,
  untilPong,
} from '../helpers/protocol.js'
import { RawClient } from '../helpers/raw-client.js'

/** Events of Aedes, and what makes a client the cause of them. */
const EVENTS = [
  'client',
  'clientReady',
  'clientDisconnect',
  'clientError',
  'connectionError',
  'connackSent',
  'subscribe',
  'unsubscribe',
  'publish',
  'ack',
  'ping',
] as const

/** Bytes that are no packet of MQTT: a type that is reserved. */
const MALFORMED = Buffer.from([0xf7, 0])

const FAULTS = {
  throws: (): void => {
    throw new Error('the plugin is broken')
  },
  rejects: async (): Promise<void> => {
    throw new Error('the plugin is broken')
  },
}

async function start(t: Test): Promise<{ broker: TestBroker; logged: () => string }> {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  const broker = await startTestBroker(t, { acl: OPEN_ACL }, { log: pino({ level: 'error' }, stream) })
  return { broker, logged: () => lines.join('') }
}

/** A client does all that plugins hear of and comes to a bad end; another is served all the while. */
async function live(t: Test, broker: TestBroker): Promise<void> {
  const witness = await open(broker, { user: 'bob' })
  await subscribe(witness, ['t/#', 0])
  const client = await open(broker, { id: 'c', clean: false })
  await subscribe(client, ['t/a', 1])
  await publish(await open(broker), 't/a', 'x')
  const { messageId } = await take(client, 'publish')
  client.send(
    { cmd: 'puback', messageId: messageId ?? 0 },
    { cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['t/a'] },
  )
  await take(client, 'unsuback')
  await untilPong(client)
  client.send(MALFORMED)
  await client.whenClosed()
  const stranger = new RawClient(broker)
  stranger.send(MALFORMED)
  await stranger.whenClosed()
  const refused = new RawClient(broker)
  refused.send({ ...(await connectPacket(broker)), password: Buffer.from('wrong') })
  await refused.whenClosed()
  const again = await open(broker, { id: 'c', clean: false })
  await publish(again, 't/b')
  t.same((await takePublishes(witness, 2)).map(told), ['t/a x', 't/b t/b'])
}

for (const [fails, listener] of Object.entries(FAULTS)) {
  for (const event of EVENTS) {
    t.test(`a listener of ${event} that ${fails} ends neither the process nor a connection`, async (t) => {
      const { broker, logged } = await start(t)
      const { aedes } = broker.running
      aedes.on(event as never, listener as never)
      const heard = new Promise((resolve) => aedes.once(event as never, resolve as never))
      await live(t, broker)
      await heard
      t.match(logged(), /the plugin is broken/)
    })
  }

  t.test(`a listener of keepaliveTimeout that ${fails}: the client is gone, and its session kept`, async (t) => {
    const { broker, logged } = await start(t)
    broker.running.aedes.on('keepaliveTimeout', listener)
    const client = await open(broker, { id: 'c', clean: false, keepalive: 1 })
    await client.whenClosed()
    await live(t, broker)
    t.match(logged(), /the plugin is broken/)
  })

  t.test(`a listener of a client's errors that ${fails}: its session is kept`, async (t) => {
    const { broker, logged } = await start(t)
    broker.running.aedes.on('client', (client) => client.on('error', listener))
    await live(t, broker)
    t.match(logged(), /the plugin is broken/)
  })

  t.test(`a subscriber of broker.mq, or a published hook, that ${fails}: messages go on`, async (t) => {
    const { broker, logged } = await start(t)
    const { aedes } = broker.running
    aedes.mq.on('t/#', listener as never)
    aedes.published = listener as never
    await live(t, broker)
    t.match(logged(), /the plugin is broken/)
  })
}

t.test(
  'an authorizeForward hook that throws: who it is asked for does not get the message, and the others do',
  async (t) => {
    const { broker, logged } = await start(t)
    const mallory = await open(broker, { user: 'mallory' })
    await subscribe(mallory, ['t/#', 0])
    const bob = await open(broker, { user: 'bob' })
    await subscribe(bob, ['t/#', 0])
    broker.running.aedes.authorizeForward = ((client: { id: string }, packet: object) => {
      if (client.id.startsWith('mallory')) throw new Error('the plugin is broken')
      return packet
    }) as never
    await publish(bob, 't/a', 'x', { qos: 0 })
    t.same((await takePublishes(bob, 1)).map(told), ['t/a x'])
    t.same(await untilPong(mallory), [])
    t.match(logged(), /the plugin is broken/)
  },
)

for (const [fails, hook] of Object.entries(FAULTS)) {
  t.test(`a hook that ${fails} refuses what it is asked about`, async (t) => {
    const { broker, logged } = await start(t)
    const { aedes } = broker.running
    const bob = await open(broker, { user: 'bob' })
    await subscribe(bob, ['t/#', 0])
    const ann = await open(broker)
    const { authorizePublish, authorizeSubscribe, preConnect } = aedes
    aedes.authorizePublish = hook as never
    await publish(ann, 't/a')
    t.same(await untilPong(bob), [], 'authorizePublish')
    aedes.authorizePublish = authorizePublish
    aedes.authorizeSubscribe = hook as never
    t.same(await subscribe(ann, ['t/#', 0]), [128], 'authorizeSubscribe')
    aedes.authorizeSubscribe = authorizeSubscribe
    aedes.preConnect = hook as never
    await t.rejects(open(broker), /CONNACK said 5/, 'preConnect')
    aedes.preConnect = preConnect
    aedes.authenticate = hook as never
    await t.rejects(open(broker), /CONNACK said 5/, 'authenticate')
    t.match(logged(), /the plugin is broken/)
    t.same(await untilPong(bob), [])
  })
}
