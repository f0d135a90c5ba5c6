/**
 * `kill -9`, again and again, at moments that CRASH_SEED repeats: whatever was acknowledged is in the log exactly once, under the number
 * that was told, and reaches everyone, in order (DESIGN §1, 1 to 4).
 */
import type { MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import { request } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import {
  enduringClient,
  FaithfulPublisher,
  Faults,
  ForgetfulPublisher,
  Progress,
  type Publisher,
  type Sent,
  type Stage,
  Subscriber,
  within,
} from '../helpers/crash-cast.js'
import { Random } from '../helpers/random.js'

const ROOMS = ['alpha', 'beta', 'gamma']
/** Patience with one step, in seconds: reached only when something is lost. */
const PATIENCE = 90

interface Message {
  id: string
  room: string
  seq: number
  from: string
  cid: string
}

async function setStage(t: Test, settings: readonly string[]): Promise<Stage> {
  const random = Random.from('CRASH_SEED')
  t.comment(`CRASH_SEED=${random.seed} repeats this run`)
  const broker = await BrokerProcess.make(t, settings)
  t.teardown(() => broker.complaints.forEach((line) => void t.comment(line)))
  await broker.start()
  return { broker, faults: new Faults(), random, acks: new Progress() }
}

/** Kills and starts the broker. In between: some acknowledgements, or as little time as its own start takes. */
async function killAgainAndAgain(stage: Stage, times: number, between: () => Promise<void>): Promise<void> {
  const { broker, random, acks } = stage
  for (let i = 0; i < times; i++) {
    if (!random.chance(0.15)) {
      const goal = acks.count + 1 + random.below(random.chance(0.3) ? 20 : 400)
      await within(
        PATIENCE,
        acks.reach(goal),
        () => `acknowledgement ${goal} (there are ${acks.count}), after kill ${i}`,
      )
    }
    await broker.kill()
    await between()
    await broker.start()
  }
}

async function standStill(publishers: readonly Publisher[]): Promise<void> {
  const still = (): string => publishers.map(({ user, sent, acked }) => `${user} ${acked.size}/${sent.size}`).join(', ')
  await within(PATIENCE, Promise.all(publishers.map((publisher) => publisher.stop())), () => `acknowledged ${still()}`)
}

function checkFaults(t: Test, { broker, faults }: Stage): void {
  t.strictSame(faults.unexpected, [], 'no error of a client but those that a dead broker explains')
  t.ok([...faults.expected.values()].reduce((sum, count) => sum + count, 0) > 0, 'clients noticed the crashes')
  t.strictSame(broker.complaints, [], 'the broker logged no error')
  t.comment(`connection errors: ${JSON.stringify(Object.fromEntries(faults.expected))}`)
}

/** The whole log of a room, page by page. */
async function readHistory(stage: Stage, user: string, room: string): Promise<Message[]> {
  const client = await enduringClient(stage, user, { clientId: `${user}-history`, clean: true })
  const messages: Message[] = []
  for (let more = true; more; ) {
    const after = messages.length
    const { ok, result } = await request(client, user, 'history', { room, after, limit: 100 })
    if (!ok || result.messages.length === 0) break
    messages.push(...result.messages)
    more = result.more
  }
  await client.endAsync(true)
  return messages
}

function parse(subscriber: Subscriber): (Message & { qos: number })[] {
  return subscriber.received.map(({ payload, qos }) => ({ ...JSON.parse(payload), qos }))
}

function numbered({ id, seq }: Message): string {
  return `${seq} ${id}`
}

function ascending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)
}

/** Every id once, where it came first. */
function firsts<M extends { id: string }>(messages: readonly M[]): M[] {
  return [...new Map([...messages].reverse().map((message) => [message.id, message])).values()].reverse()
}

t.test('rooms and direct conversations survive kill -9', { timeout: 600_000 }, async (t) => {
  const stage = await setStage(t, [`rooms.list=[${ROOMS.map((id) => `{id: ${id}}`).join(',')}]`])
  const { random } = stage
  const toRooms = (qos: 1 | 2) => (cid: string) => {
    const text = 'x'.repeat(random.chance(0.1) ? random.below(20_000) + 1 : random.below(100) + 1)
    return { topic: `rooms/${random.pick(ROOMS)}/messages`, payload: JSON.stringify({ cid, text }), qos }
  }
  const toPeer =
    (peer: string) =>
    (cid: string): Sent => ({
      topic: `users/${peer}/messages`,
      payload: JSON.stringify({ cid, text: cid }),
      qos: 1,
    })
  const publishers = [
    new FaithfulPublisher(stage, 'fay', toRooms(1)),
    new FaithfulPublisher(stage, 'fox', toRooms(2)),
    new ForgetfulPublisher(stage, 'gus', toRooms(1)),
    new ForgetfulPublisher(stage, 'gil', toRooms(2)),
    new FaithfulPublisher(stage, 'dan', toPeer('sue')),
  ]
  const exact = (qos: 0 | 1 | 2) => Object.fromEntries(ROOMS.map((room) => [`rooms/${room}/messages`, qos]))
  const sue = new Subscriber(stage, 'sue', { ...exact(1), 'rooms/+/messages': 1, 'users/sue/messages': 1 })
  const two = new Subscriber(stage, 'two', exact(2))
  const five = new Subscriber(stage, 'five', exact(1), {
    protocolVersion: 5,
    properties: { sessionExpiryInterval: 3600 },
  })
  const away = new Subscriber(stage, 'away', exact(1))
  const now = new Subscriber(stage, 'now', exact(0))
  const subscribers = [sue, two, five, away]
  const shared = sharing(
    stage,
    ['sam', 'sam'],
    ROOMS.map((room) => `rooms/${room}/messages`),
  )
  for (const subscriber of [...subscribers, ...shared, now]) await subscriber.begin()
  for (const publisher of publishers) await publisher.start()

  await killAgainAndAgain(stage, 18, async () => {
    if (away.online) await away.goOffline()
    else if (random.chance(0.6)) await away.comeOnline()
  })
  await standStill(publishers)
  await away.comeOnline()

  const conversation = 'dm:dan:sue'
  const histories = new Map<string, Message[]>()
  for (const room of [...ROOMS, conversation]) histories.set(room, await readHistory(stage, 'sue', room))
  t.comment(`${stage.acks.count} messages acknowledged`)

  await t.test('each message is in the log exactly once, under the number that was told', async (t) => {
    const logged = [...histories.values()].flat()
    for (const [room, messages] of histories) {
      const numbers = messages.map(({ seq }) => seq)
      t.strictSame(
        numbers,
        Array.from(numbers, (_, i) => i + 1),
        `${room} is numbered without gaps`,
      )
    }
    const count = new Map<string, number>()
    for (const { cid } of logged) count.set(cid, (count.get(cid) ?? 0) + 1)
    const acked = publishers.flatMap((publisher) => [...publisher.acked])
    t.strictSame(
      acked.filter((cid) => count.get(cid) !== 1),
      [],
      'acknowledged and stored once',
    )
    t.equal(
      logged.length,
      publishers.reduce((sum, { sent }) => sum + sent.size, 0),
      'nothing else is stored',
    )
    const numbers = new Map(logged.map(({ cid, seq }) => [cid, seq]))
    for (const publisher of publishers) {
      if (!(publisher instanceof ForgetfulPublisher)) continue
      const wrong = [...publisher.replied].filter(([cid, seq]) => numbers.get(cid) !== seq)
      t.strictSame(wrong, [], `what ${publisher.user} was told is what is stored`)
    }
  })

  await t.test('every member received all of it, in order', async (t) => {
    for (const subscriber of subscribers) {
      const rooms = subscriber === sue ? [...ROOMS, conversation] : ROOMS
      const total = rooms.reduce((sum, room) => sum + histories.get(room)!.length, 0)
      const distinct = (): number => new Set(parse(subscriber).map(({ id }) => id)).size
      await within(
        PATIENCE,
        subscriber.until(() => distinct() >= total),
        () => missing(subscriber, rooms, histories),
      )
      const received = firsts(parse(subscriber))
      for (const room of rooms) {
        const theirs = received.filter((message) => message.room === room)
        const stored = histories.get(room)!.map(numbered)
        t.strictSame(new Set(theirs.map(numbered)), new Set(stored), `${subscriber.user} has all of ${room}`)
        // Between messages of different QoS the client's own handshakes decide [MQTT-4.6.0-6].
        for (const level of [1, 2]) {
          const numbers = theirs.filter(({ qos }) => qos === level).map(({ seq }) => seq)
          t.ok(ascending(numbers), `${subscriber.user} has ${room} in order, at QoS ${level}`)
        }
      }
      t.comment(`${subscriber.user}: ${subscriber.received.length - total} redeliveries`)
    }
  })

  await t.test('a share group received all of it too, of QoS 2 each once', async (t) => {
    const stored = new Set(ROOMS.flatMap((room) => histories.get(room)!.map(({ id }) => id)))
    const id = (payload: string): string => JSON.parse(payload).id
    await checkShared(t, shared, stored, id)
  })

  await t.test('what came at QoS 2 came once; what came live is in the log', async (t) => {
    const twice = parse(two).filter(({ qos }) => qos === 2)
    t.ok(twice.length > 0)
    t.equal(firsts(twice).length, twice.length, 'no message of QoS 2 is delivered twice')
    const stored = new Set([...histories.values()].flat().map(numbered))
    t.strictSame(
      parse(now).filter((message) => !stored.has(numbered(message))),
      [],
      'seen means stored, at QoS 0 too',
    )
    const times = parse(now).map(({ id }) => id)
    t.equal(new Set(times).size, times.length, 'nothing live came twice')
  })

  for (const one of [...publishers, ...subscribers, ...shared, now]) await ('end' in one ? one.end() : one.goOffline())
  checkFaults(t, stage)
})

/** Sessions of `users` that share what `topics` match. */
function sharing(stage: Stage, users: readonly string[], filters: readonly string[]): Subscriber[] {
  const wanted = Object.fromEntries(filters.map((filter) => [`$share/g/${filter}`, 2 as const]))
  return users.map((user, i) => new Subscriber(stage, user, wanted, { clientId: `sharing-${i}` }))
}

/** Together the sessions have everything that `expected` names, and nothing of QoS 2 twice. */
async function checkShared(
  t: Test,
  sessions: readonly Subscriber[],
  expected: ReadonlySet<string>,
  nameOf: (payload: string) => string,
): Promise<void> {
  const received = () => sessions.flatMap((session) => session.received)
  const lost = (): string[] => {
    const seen = new Set(received().map(({ payload }) => nameOf(payload)))
    return [...expected].filter((name) => !seen.has(name))
  }
  const complete = sessions.map((session) => session.until(() => lost().length === 0))
  await within(PATIENCE, Promise.race(complete), () => `the group misses ${lost().length}: ${lost().slice(0, 20)}`)
  t.comment(`shares: ${sessions.map((session) => session.received.length)}`)
  t.ok(
    sessions.every((session) => session.received.length > 0),
    'each session had its share',
  )
  const exact = received()
    .filter(({ qos }) => qos === 2)
    .map(({ payload }) => nameOf(payload))
  t.ok(exact.length > 0)
  t.equal(new Set(exact).size, exact.length, 'no message of QoS 2 is delivered twice')
}

function missing(subscriber: Subscriber, rooms: readonly string[], histories: ReadonlyMap<string, Message[]>): string {
  const seen = new Set(parse(subscriber).map(({ id }) => id))
  const lost = rooms.flatMap((room) => histories.get(room)!.filter(({ id }) => !seen.has(id)))
  return `${subscriber.user} misses ${lost.length}: ${lost.slice(0, 20).map(({ room, seq, cid }) => `${room}/${seq} (${cid})`)}`
}

t.test('plain topics survive kill -9', { timeout: 600_000 }, async (t) => {
  const stage = await setStage(t, [
    'acl.rules=[{allow: all, who: any, topics: ["plant/#"]}]',
    'limits.queueMessages=100000',
    'limits.queueBytes=100000000',
  ])
  const { random } = stage
  const valves = ['a', 'b', 'c']
  const measure =
    (qos: 1 | 2) =>
    (cid: string): Sent => ({ topic: `plant/values/${cid}`, payload: cid, qos })
  const publishers = [
    new FaithfulPublisher(stage, 'pat', measure(1)),
    new FaithfulPublisher(stage, 'pip', measure(2)),
    new ForgetfulPublisher(stage, 'quin', measure(1)),
  ]
  const here = new Subscriber(stage, 'here', { 'plant/values/#': 1 })
  const two = new Subscriber(stage, 'two', { 'plant/values/+': 2 })
  const away = new Subscriber(stage, 'away', { 'plant/#': 1 })
  const subscribers = [here, two, away]
  const shared = sharing(stage, ['pal', 'pol'], ['plant/values/#'])
  for (const subscriber of [...subscribers, ...shared]) await subscriber.begin()
  const setter = await enduringClient(stage, 'setter')
  for (const publisher of publishers) await publisher.start()

  const settings = new Map<string, { sent: number; acked: number }>(
    valves.map((valve) => [valve, { sent: 0, acked: 0 }]),
  )
  let turning = true
  /** Sets the valves as fast as it is acknowledged: the retained value of each is its last setting. */
  const turned = valves.map(async (valve) => {
    const setting = settings.get(valve)!
    while (turning) {
      setting.sent++
      await setUntilAcknowledged(setter, `plant/valves/${valve}`, String(setting.sent))
      setting.acked = setting.sent
    }
  })
  const checkRetained = async (): Promise<void> => {
    const least = new Map([...settings].map(([valve, { acked }]) => [valve, acked]))
    const retained = await readRetained(stage, valves.length)
    for (const [valve, value] of retained) {
      if (value < least.get(valve)!) t.fail(`valve ${valve} is at ${value}, acknowledged was ${least.get(valve)}`)
    }
  }
  await away.goOffline()
  await killAgainAndAgain(stage, 10, async () => {
    if (away.online) await away.goOffline()
    else if (random.chance(0.3)) await away.comeOnline()
  })
  await checkRetained()
  turning = false
  await within(PATIENCE, Promise.all(turned), () => 'the last settings are acknowledged')
  await standStill(publishers)
  await stage.broker.kill()
  await stage.broker.start()
  await away.comeOnline()

  const acked = publishers.flatMap((publisher) => [...publisher.acked])
  t.comment(`${acked.length} messages acknowledged, ${[...settings.values()].map(({ acked }) => acked)} settings`)
  for (const subscriber of subscribers) {
    const lost = (): string[] => {
      const seen = new Set(subscriber.received.map(({ payload }) => payload))
      return acked.filter((cid) => !seen.has(cid))
    }
    const told = (): string => `${subscriber.user} misses ${lost().length}: ${lost().slice(0, 20)}`
    await within(
      PATIENCE,
      subscriber.until(() => lost().length === 0),
      told,
    )
    t.pass(`${subscriber.user} has every acknowledged message`)
  }
  await checkShared(t, shared, new Set(acked), (payload) => payload)
  for (const [valve, value] of await readRetained(stage, valves.length))
    t.equal(value, settings.get(valve)!.sent, `valve ${valve} kept its last setting`)
  const exact = two.received.filter(({ qos, payload }) => qos === 2 && payload.startsWith('pip-'))
  t.ok(exact.length > 0)
  t.equal(new Set(exact.map(({ payload }) => payload)).size, exact.length, 'QoS 2 from end to end: exactly once')

  await setter.endAsync(true)
  for (const one of [...publishers, ...subscribers, ...shared]) await ('end' in one ? one.end() : one.goOffline())
  checkFaults(t, stage)
})

/** MQTT.js fails what it had not begun to send when the connection went; all else it sends again by itself. */
async function setUntilAcknowledged(client: MqttClient, topic: string, value: string): Promise<void> {
  for (let error: Error | null = new Error(); error; )
    error = await client.publishAsync(topic, value, { qos: 1, retain: true }).then(
      () => null,
      (failure: Error) => failure,
    )
}

/** The retained setting of each valve, as a newcomer sees it. */
async function readRetained(stage: Stage, count: number): Promise<Map<string, number>> {
  const client = await enduringClient(stage, 'newcomer', { clean: true })
  const values = new Map<string, number>()
  const complete = new Promise<void>((resolve) =>
    // A setting that comes live meanwhile stands for the retained one it replaced.
    client.on('message', (topic, payload) => {
      values.set(topic.split('/')[2]!, Number(payload.toString()))
      if (values.size === count) resolve()
    }),
  )
  await client.subscribeAsync('plant/valves/+', { qos: 1 })
  await within(PATIENCE, complete, () => `${count} retained values; there are ${[...values.keys()]}`)
  await client.endAsync(true)
  return values
}
