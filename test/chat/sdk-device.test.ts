/** The SDK of devices, with a real broker: over TCP and TLS, while that is killed, and with commands that come meanwhile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { connectDevice, type Device, type DeviceOptions, type Live } from '../../client/device/index.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { CERTIFICATE, certificateFiles } from '../helpers/certificate.js'
import { until } from '../helpers/patience.js'
import { personOf } from '../helpers/sdk/crowd.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look into any JSON
type Json = any

async function when<T>(live: Live<T>, holds: (value: T) => boolean): Promise<T> {
  for await (const value of live) if (holds(value)) return value
  throw new Error('it has ended')
}

async function cast(t: Test, overrides = {}) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const owner = await personOf(broker, 'owner')
  const { key } = await owner.devices.register({ device: 'lamp' })
  const proxy = await ByteProxy.start(t, () => broker.port)
  const start = (options: Partial<DeviceOptions> = {}): Device => {
    const device = connectDevice({ url: `mqtt://127.0.0.1:${proxy.port}`, auth: { token: key }, ...options })
    t.teardown(() => device.close())
    return device
  }
  const outcome = async (id: string): Promise<Json> => {
    const found = async (): Promise<Json> =>
      (await owner.devices.commands({ device: 'lamp' })).commands.find((one) => one.id === id)
    await until(`the outcome of ${id}`, async () => (await found())?.finishedAt !== null)
    return found()
  }
  return { broker, owner, key, proxy, start, outcome }
}

/** What the owner, by MQTT.js, hears on the topics of the device. */
async function heard(broker: TestBroker) {
  const client = await broker.connect('owner')
  const told: { topic: string; body: Json; retain: boolean }[] = []
  client.on('message', (topic, payload, { retain }) => {
    told.push({ topic, body: JSON.parse(payload.toString()), retain })
  })
  await client.subscribeAsync('devices/lamp/#', { qos: 1 })
  return told
}

t.test('what is measured is told with its time; the state is told to who looks later', async (t) => {
  const files = certificateFiles(t)
  const { broker, start } = await cast(t, { listen: { mqtts: 0, tls: files } })
  const told = await heard(broker)
  const port = (name: string): number => broker.running.listeners.find((one) => one.name === name)!.port
  const urls = [`mqtt://localhost:${port('mqtt')}`, `mqtts://localhost:${port('mqtts')}`, broker.wsUrl]
  for (const url of urls) {
    const device = start({ url, tls: { ca: CERTIFICATE } })
    const before = Date.now()
    device.telemetry('motor/speed', 21.5)
    device.state({ on: true, url })
    await device.flush()
    t.match(device.waiting.current, { messages: 0, bytes: 0, dropped: 0, refused: 0, error: null })
    await until('heard', async () => told.some(({ topic }) => topic === 'devices/lamp/telemetry/motor/speed'))
    const { body } = told.find(({ topic }) => topic === 'devices/lamp/telemetry/motor/speed')!
    t.equal(body.value, 21.5)
    t.ok(body.ts >= before && body.ts <= Date.now())
    told.length = 0
    await device.close()
    const later = await heard(broker)
    await until('the state', async () => later.some(({ retain, body }) => retain && body.url === url))
  }
})

t.test('what is said without a connection, and while the broker is killed, arrives in order', async (t) => {
  const { broker, proxy, start } = await cast(t)
  proxy.refuse()
  const device = start()
  for (let i = 0; i < 50; i++) device.telemetry('count', i)
  device.state({ at: 'first' })
  device.state({ at: 'second' })
  t.match(device.waiting.current, { messages: 51, dropped: 0 })
  const first = await heard(broker)
  proxy.heal()
  await device.flush()
  // The broker has it; who follows the device hears of it a moment later.
  await until('the state', async () => first.some(({ body }) => body.at === 'second'))
  t.same(
    first.filter(({ topic }) => topic === 'devices/lamp/state').map(({ body }) => body.at),
    ['second'],
    'only the last state',
  )
  proxy.holdAnswers()
  for (let i = 50; i < 80; i++) device.telemetry('count', i)
  await until('sent, but not acknowledged', async () => first.some(({ body }) => body.value === 60))
  await broker.restart()
  const second = await heard(broker)
  proxy.heal()
  await device.flush()
  await until('the last', async () => second.some(({ body }) => body.value === 79))
  const all = [...first, ...second].filter(({ topic }) => topic.endsWith('count')).map(({ body }) => body.value)
  t.same(
    [...new Set(all)],
    Array.from({ length: 80 }, (_, i) => i),
    'each, and in order; some twice',
  )
})

t.test('what waits has bounds: the oldest is given up, or the newest, as it was told', async (t) => {
  const { broker, proxy, start } = await cast(t)
  const told = await heard(broker)
  proxy.refuse()
  const few = start({ buffer: { messages: 3 } })
  const small = start({ buffer: { bytes: 150 } })
  const firm = start({ buffer: { messages: 3, drop: 'newest' } })
  for (let i = 0; i < 10; i++) {
    few.telemetry('few', i)
    small.telemetry('small', i)
    firm.telemetry('firm', i)
  }
  t.match(few.waiting.current, { messages: 3, dropped: 7 })
  t.match(firm.waiting.current, { messages: 3, dropped: 7 })
  const { messages, bytes, dropped } = small.waiting.current
  t.ok(messages > 0 && bytes <= 150 && messages + dropped === 10)
  small.telemetry('small', 'x'.repeat(200))
  t.match(
    small.waiting.current,
    { messages, dropped: dropped + 1 },
    'for what does not fit at all nothing else is given up',
  )
  proxy.heal()
  await Promise.all([few.flush(), firm.flush()])
  const values = (name: string): Json[] =>
    told.filter(({ topic }) => topic === `devices/lamp/telemetry/${name}`).map(({ body }) => body.value)
  await until('told', async () => values('few').length === 3 && values('firm').length === 3)
  t.same(values('few'), [7, 8, 9])
  t.same(values('firm'), [0, 1, 2])
})

t.test('commands find their handler, one after the other, and who asked is told what became of them', async (t) => {
  const { owner, start, outcome } = await cast(t)
  const device = start()
  const levels: number[] = []
  device.onCommand('dim', async (params) => {
    const { to } = params as { to: number }
    await new Promise((resolve) => setImmediate(resolve))
    levels.push(to)
    return { level: to }
  })
  device.onCommand('burn', () => {
    throw new Error('it would be hot')
  })
  device.onCommand('odd', () => 1n)
  const stop = device.onCommand('blink', () => undefined)
  t.throws(() => device.onCommand('dim', () => {}), { code: 'conflict' })
  const ask = (name: string, params?: unknown) =>
    owner.devices.command({ device: 'lamp', name, ...(params !== undefined && { params }) })
  const dims = [await ask('dim', { to: 1 }), await ask('dim', { to: 2 }), await ask('dim', { to: 3 })]
  for (const [i, { id }] of dims.entries()) t.match(await outcome(id), { state: 'done', result: { level: i + 1 } })
  t.same(levels, [1, 2, 3])
  t.match(await outcome((await ask('burn')).id), { state: 'failed', error: 'it would be hot' })
  t.match(await outcome((await ask('odd')).id), { state: 'failed', error: /BigInt/ })
  t.match(await outcome((await ask('blink')).id), { state: 'done', result: undefined })
  stop()
  t.match(await outcome((await ask('blink')).id), { state: 'failed', error: /knows no command blink/ })
})

t.test(
  'a command that comes while the device is off waits for it; one whose receipt was lost is not done again',
  async (t) => {
    const { broker, owner, proxy, start, outcome } = await cast(t)
    const asked = await owner.devices.command({ device: 'lamp', name: 'dim', params: 1 })
    const done: unknown[] = []
    const device = start()
    device.onCommand('dim', (params) => void done.push(params))
    t.match(await outcome(asked.id), { state: 'done' })
    let finish = (): void => {}
    device.onCommand('slow', () => new Promise<void>((resolve) => (finish = resolve)))
    const slow = await owner.devices.command({ device: 'lamp', name: 'slow' })
    await until('it has begun', async () => (await state(owner, slow.id)) === 'delivered')
    proxy.refuse()
    finish()
    await when(device.waiting, ({ messages }) => messages === 1)
    await broker.restart()
    proxy.heal()
    t.match(await outcome(slow.id), { state: 'done' }, 'it came again, and was answered by the receipt that is there')
    t.same(done, [1])
    const next = await owner.devices.command({ device: 'lamp', name: 'slow' })
    await until('it has begun', async () => (await state(owner, next.id)) === 'delivered')
    await device.close()
    const other = start()
    other.onCommand('slow', () => 'by the next program')
    t.match(await outcome(next.id), { state: 'done', result: 'by the next program' })
  },
)

async function state(owner: Awaited<ReturnType<typeof personOf>>, id: string): Promise<string | undefined> {
  return (await owner.devices.commands({ device: 'lamp' })).commands.find((one) => one.id === id)?.state
}

t.test('what the broker does not take is counted, and what follows goes on', async (t) => {
  const { broker, start } = await cast(t, { limits: { payloadBytes: 1000, rates: 'off' } })
  const told = await heard(broker)
  const device = start()
  device.telemetry('image', 'x'.repeat(5000))
  device.telemetry('count', 1)
  await device.flush()
  t.match(device.waiting.current, { messages: 0, refused: 1, error: { name: 'ChatError', code: 'too_large' } })
  await until('told', async () => told.some(({ body }) => body.value === 1))
  for (const name of ['', '/', 'a//b', 'a/+', '#', 'a\0'])
    t.throws(() => device.telemetry(name, 1), { code: 'bad_request' })
  t.throws(() => device.telemetry('count', undefined), { code: 'bad_request', field: 'value' })
})

t.test('who is not known is told so; a device that is closed is over', async (t) => {
  const { proxy, start } = await cast(t)
  const nobody = start({ auth: { token: 'ttk.nobody' } })
  t.match(await when(nobody.status, ({ state }) => state === 'signedOut'), { why: 'refused' })
  proxy.refuse()
  const device = start()
  device.telemetry('count', 1)
  const flushing = device.flush()
  await Promise.all([t.rejects(flushing, { code: 'closed' }), device.close()])
  t.equal(device.status.current.state, 'closed')
  t.throws(() => start({ url: 'nowhere' }), { code: 'bad_request', field: 'url' })
})

t.test('a device that is closed does not keep its process running', async (t) => {
  const { broker, key } = await cast(t)
  const told = await heard(broker)
  const program = fileURLToPath(new URL('../helpers/device-process.js', import.meta.url))
  const child = spawn(process.execPath, [program, broker.mqttUrl, key], { stdio: 'inherit' })
  t.teardown(() => child.kill())
  t.same(await once(child, 'exit'), [0, null])
  await until('it is told', async () => told.length > 0)
  t.match(told, [{ topic: 'devices/lamp/telemetry/count', body: { value: 1 } }])
})
