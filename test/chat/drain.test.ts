/** Ordinary clients go through restarts: the broker is stopped by SIGTERM and started again while they publish. */
import mqtt, { type MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import { BrokerProcess } from '../helpers/broker-process.js'
import { inTime } from '../helpers/patience.js'

/** Messages of each client. */
const MESSAGES = 300
const RESTARTS = 3
const TOPIC = 'rooms/lobby/messages'

/** Reconnects by itself; its session is kept. */
async function connect(t: Test, broker: BrokerProcess, user: string, protocolVersion: 4 | 5): Promise<MqttClient> {
  const kept = protocolVersion === 5 ? { properties: { sessionExpiryInterval: 3600 } } : {}
  const password = await broker.token(user)
  const login = { username: user, password, clientId: user, clean: false }
  const client = mqtt.connect(broker.url, { ...login, protocolVersion, reconnectPeriod: 10, ...kept })
  client.on('error', () => {})
  t.teardown(() => client.endAsync(true))
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  return client
}

/**
 * Resolves when it is connected, and has sent again what has no acknowledgement: what MQTT.js is asked to publish meanwhile it gives up if that connection
 * ends, too.
 */
function readiness(client: MqttClient): () => Promise<void> {
  let isReady = client.connected
  client.on('connect', () => (isReady = true)).on('close', () => (isReady = false))
  return async () => {
    while (!isReady) await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  }
}

t.test('restarts lose nothing and repeat nothing, though no message has a cid', async (t) => {
  const broker = await BrokerProcess.make(t, ['limits.rates=off', 'node.drain.spread=0.3'])
  await broker.start()
  const heard: string[] = []
  const ear = await connect(t, broker, 'ear', 5)
  await ear.subscribeAsync(TOPIC, { qos: 2 })
  let progress: () => void = () => {}
  ear.on('message', (_topic, payload) => {
    heard.push(JSON.parse(String(payload)).text)
    progress()
  })
  const speakers = await Promise.all([connect(t, broker, 'ann', 4), connect(t, broker, 'bob', 5)])
  let sent = 0
  const speak = async (client: MqttClient, qos: 1 | 2): Promise<void> => {
    const { username } = client.options
    const pending: Promise<unknown>[] = []
    const ready = readiness(client)
    for (let i = 0; i < MESSAGES; i++) {
      await ready()
      pending.push(client.publishAsync(TOPIC, `${username} ${i}`, { qos }))
      sent++
      if (pending.length >= 20) await pending.shift()
    }
    await Promise.all(pending)
  }
  const spoken = Promise.all([speak(speakers[0]!, 1), speak(speakers[1]!, 2)])
  for (let i = 1; i <= RESTARTS; i++) {
    // In the middle of it.
    while (sent < (2 * MESSAGES * i) / (RESTARTS + 1)) await new Promise(setImmediate)
    t.equal(await broker.stop(), 0)
    await broker.start()
  }
  await spoken
  const expected = ['ann', 'bob'].flatMap((user) => Array.from({ length: MESSAGES }, (_, i) => `${user} ${i}`))
  const all = (async () => {
    while (heard.length < expected.length) await new Promise<void>((resolve) => (progress = resolve))
  })()
  await inTime(all, 2400, () => new Error(`${heard.length} of ${expected.length} were heard`))
  t.same(
    ['ann', 'bob'].flatMap((user) => heard.filter((text) => text.startsWith(user))),
    expected,
    'each once, and in order',
  )
  t.same(broker.complaints, [])
})
