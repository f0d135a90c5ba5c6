/** The SDK's connection, with a real broker and a network that fails. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import type { Env } from '../../client/base/platform.js'
import { Connection, type ConnectionOptions } from '../../client/connection/connection.js'
import type { Status } from '../../client/connection/status.js'
import { httpCalls } from '../../client/requests/http-calls.js'
import { methods } from '../../client/requests/methods.js'
import type { MqttLimits } from '../../client/wire/mqtt/limits.js'
import { mqttOverSocket } from '../../client/wire/mqtt/mqtt-wire.js'
import { textOf } from '../../client/wire/utf8.js'
import type { Wire } from '../../client/wire/wire.js'
import { topics } from '../../schemas/topics.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { movableClock } from '../helpers/clock.js'
import { httpUrl } from '../helpers/http.js'
import { inTime } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

interface Client {
  readonly user: string
  readonly connection: Connection
  readonly statuses: Status[]
  readonly texts: string[]
  hint(): void
  /** Resolves with the first status from now on for which `is` holds; the present one counts. */
  becomes(is: Status['state'] | ((status: Status) => boolean)): Promise<Status>
  /** Resolves when a message with this text has come. */
  heard(text: string): Promise<void>
}

interface Options {
  limits?: Partial<MqttLimits>
  credentials?: ConnectionOptions['credentials']
  port?: number
  env?: Env
  /** Called with each connection. */
  opened?: (wire: Wire) => void
}

/** Follows the room tea; closed with the test. */
function client(t: Test, broker: TestBroker, user: string, options: Options = {}): Client {
  const { limits = {}, credentials, port, env = realEnv, opened } = options
  const statuses: Status[] = []
  const texts: string[] = []
  const listeners = new Set<() => void>()
  let hint = (): void => {}
  let told = (): void => {}
  const url = port === undefined ? () => broker.wsUrl : () => `ws://127.0.0.1:${port}/mqtt`
  const connection = new Connection({
    open: async (...given) => {
      const wire = await mqttOverSocket({ socket: () => webSocket(url()), clock: realEnv, limits })(...given)
      opened?.(wire)
      return wire
    },
    credentials: credentials ?? { getToken: () => broker.token(user) },
    device: user,
    env: {
      ...env,
      hints: (listener) => {
        hint = listener
        return () => (hint = () => {})
      },
    },
    message: ({ payload }) => {
      texts.push(JSON.parse(textOf(payload)!).text)
      for (const listener of listeners) listener()
    },
    sync: async (wire) => {
      await wire.subscribe([{ filter: topics.room('tea', 'messages'), qos: 1 }])
    },
  })
  connection.status.subscribe((status) => {
    statuses.push(status)
    told()
  })
  t.teardown(() => connection.close())
  const when = (what: string, holds: () => boolean, listen: (look: () => void) => void): Promise<void> => {
    const event = new Promise<void>((resolve) => {
      const look = (): void => {
        if (holds()) resolve()
      }
      listen(look)
      look()
    })
    return inTime(event, 600, () => new Error(`${user}: ${what} did not come; ${JSON.stringify(statuses.at(-1))}`))
  }
  return {
    user,
    connection,
    statuses,
    texts,
    hint: () => hint(),
    becomes: async (is) => {
      const holds = typeof is === 'string' ? ({ state }: Status) => state === is : is
      await when(
        String(is),
        () => holds(connection.status.current),
        (look) => (told = look),
      )
      return connection.status.current
    },
    heard: (text) =>
      when(
        text,
        () => texts.includes(text),
        (look) => listeners.add(look),
      ),
  }
}

async function tea(t: Test, overrides: Parameters<typeof startTestBroker>[1] = {}) {
  const broker = await startTestBroker(t, overrides)
  const token = await broker.token('owner')
  const owner = () => methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  await owner().rooms.create({ room: 'tea' })
  return { broker, say: (text: string) => owner().send({ room: 'tea', text }) }
}

t.test('a connection that is cut comes back by itself, and so does one to a broker that was restarted', async (t) => {
  const { broker, say } = await tea(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const ann = client(t, broker, 'ann', { port: proxy.port })
  await ann.connection.connect()
  proxy.cut()
  await ann.becomes('waiting')
  await ann.becomes('online')
  await say('after the cut')
  await ann.heard('after the cut')
  await broker.restart()
  await isOnline(ann)
  const isSaid = (status: Status): boolean => status.state === 'waiting' && status.why === 'server'
  t.match(ann.statuses.find(isSaid), { error: { code: 'unavailable' } }, 'the broker has said that it goes')
  await say('after the restart')
  await ann.heard('after the restart')
})

t.test('a connection that is dead without a word is found by a hint, and by its silence', async (t) => {
  const { broker } = await tea(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const limits = { silence: 100, pingTimeout: 100, openTimeout: 500, closeTimeout: 50 }
  const ann = client(t, broker, 'ann', { port: proxy.port, limits })
  await ann.connection.connect()
  proxy.blackhole()
  t.match(await ann.becomes('waiting'), { why: 'network', error: { message: /did not answer/ } })
  proxy.heal()
  await ann.becomes('online')
  const bob = client(t, broker, 'bob', { port: proxy.port, limits: { closeTimeout: 50 } })
  await bob.connection.connect()
  proxy.blackhole()
  bob.hint()
  t.match(await bob.becomes('waiting'), { why: 'network', error: { message: /did not answer for 4000 ms/ } })
})

t.test('a login is renewed in place ahead of its end; one that has ended signs out', async (t) => {
  const { broker, say } = await tea(t)
  const clock = movableClock(t)
  let renewed = (): void => {}
  const renewal = new Promise<void>((resolve) => (renewed = resolve))
  const ann = client(t, broker, 'ann', {
    // Minutes of the client pass in seconds.
    env: hastened(100),
    credentials: { getToken: ({ why }) => token(broker, 'ann', why === 'start' ? 600 : 7200) },
    opened: (wire) => {
      const renew = wire.renew.bind(wire)
      wire.renew = (token) => renew(token).then(renewed)
    },
  })
  const bob = client(t, broker, 'bob', { credentials: { token: await token(broker, 'bob', 600) } })
  await Promise.all([ann.connection.connect(), bob.connection.connect()])
  await inTime(renewal, 1200, () => new Error('the login was not renewed'))
  clock.forward(601)
  t.match(await bob.becomes('signedOut'), { why: 'expired', error: { code: 'unauthorized' } })
  await say('later')
  await ann.heard('later')
  t.equal(ann.statuses.filter(({ state }) => state === 'connecting').length, 1, 'it is the same connection')
})

t.test('whoever is logged out everywhere is signed out, and a wrong password does not press the broker', async (t) => {
  const { broker } = await tea(t, { auth: { throttle: { attempts: 2, registrations: 10, window: '1h' } } })
  const open = methods(httpCalls({ url: httpUrl(broker) }))
  const { token } = await open.auth.register({ user: 'ann', password: 'ann-pw-1' })
  const ann = client(t, broker, 'ann', { credentials: { user: 'ann', password: 'ann-pw-1' } })
  await ann.connection.connect()
  await methods(httpCalls({ url: httpUrl(broker), token: () => token })).auth.logoutEverywhere()
  t.match(await ann.becomes('signedOut'), { why: 'revoked' })
  const wrong = { user: 'ann', password: 'wrong' }
  for (let i = 0; i < 2; i++) {
    const bob = client(t, broker, 'ann', { credentials: wrong })
    await t.rejects(bob.connection.connect(), { name: 'ChatError', code: 'unauthorized' })
    t.match(bob.connection.status.current, { state: 'signedOut', why: 'refused' })
  }
  const bob = client(t, broker, 'ann', { credentials: wrong })
  bob.connection.connect().catch(() => {})
  const { error, retryAt } = (await bob.becomes('waiting')) as Extract<Status, { state: 'waiting' }>
  t.match(error, { code: 'rate_limited' })
  t.ok(error.retryAfter! > 0 && retryAt - Date.now() > (error.retryAfter! - 5) * 1000, 'as long as the broker asks for')
})

t.test('whatever the network does, the client is online again and hears what is said then', async (t) => {
  const random = Random.from('CONNECTION_SEED')
  t.comment(`CONNECTION_SEED=${random.seed} repeats the faults`)
  const { broker, say } = await tea(t)
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const limits = { silence: 200, pingTimeout: 300, openTimeout: 1000, closeTimeout: 100 }
  const people = ['ann', 'bob', 'eve'].map((user) => client(t, broker, user, { port: proxy.port, limits }))
  for (const { connection } of people) connection.connect().catch(() => {})
  const pause = () => new Promise((resolve) => setTimeout(resolve, random.below(150)))
  for (let round = 0; round < 12; round++) {
    const fault = random.pick(['cut', 'blackhole', 'refuse', 'restart', 'close'] as const)
    t.comment(fault)
    if (fault === 'restart') await broker.restart()
    else if (fault === 'close') await random.pick(people).connection.close()
    else proxy[fault]()
    await pause()
    if (random.chance(0.5)) random.pick(people).hint()
    await pause()
    proxy.heal()
    for (const { connection } of people) {
      connection.connect().catch(() => {})
      if (random.chance(0.5)) connection.retryNow()
    }
    if (random.chance(0.5)) for (const person of people) await isOnline(person)
  }
  for (const person of people) {
    await isOnline(person)
    await say(person.user)
    await person.heard(person.user)
    await person.connection.close()
  }
})

/** Resolves when the client is online; a person presses the button meanwhile. */
async function isOnline({ connection, becomes }: Client): Promise<void> {
  const pressing = setInterval(() => connection.retryNow(), 100)
  await becomes('online').finally(() => clearInterval(pressing))
}

t.test('a program ends when it has closed its connection, also in the middle of a silence', async (t) => {
  const { broker } = await tea(t)
  for (const fault of ['none', 'cut', 'blackhole', 'refuse'] as const) {
    const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
    const program = fileURLToPath(new URL('../helpers/sdk-process.js', import.meta.url))
    const url = `ws://127.0.0.1:${proxy.port}/mqtt`
    const child = fork(program, [url, await broker.token('ann')], { stdio: 'inherit' })
    t.teardown(() => child.kill())
    const ended = once(child, 'exit')
    const online = new Promise<void>((resolve) => child.on('message', (state) => state === 'online' && resolve()))
    await inTime(online, 1200, () => new Error('the program is not online'))
    if (fault !== 'none') proxy[fault]()
    child.send('close')
    const [code] = await inTime(ended, 1200, () => new Error(`the program does not end after ${fault}`))
    t.equal(code, 0, fault)
  }
})

/** Lives so many seconds. */
async function token(broker: TestBroker, user: string, ttl: number): Promise<string> {
  return mintToken(await loadTokenSecret(broker.config.auth.jwt, broker.dataDir), user, { ttl })
}

/** Time that passes so many times as fast. */
function hastened(times: number): Env {
  const start = Date.now()
  const now = performance.now()
  return {
    ...realEnv,
    now: () => start + (performance.now() - now) * times,
    timer: (ms, act) => realEnv.timer(ms / times, act),
  }
}
