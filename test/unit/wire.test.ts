/** The MQTT client of the SDK, where the test decides what the broker says, and when. */

import mqttPacket, { type Packet } from 'mqtt-packet'
import t, { type Test } from 'tap'
import type { MqttLimits } from '../../client/wire/mqtt/limits.js'
import { mqttOverSocket } from '../../client/wire/mqtt/mqtt-wire.js'
import { utf8 } from '../../client/wire/utf8.js'
import type { Incoming, Login, Wire, WireError } from '../../client/wire/wire.js'
import fc from '../helpers/fast-check.js'
import { damage } from '../helpers/fuzz-mutations.js'
import { ManualClock, settled } from '../helpers/manual-clock.js'
import { MemorySocket } from '../helpers/memory-socket.js'
import { Random } from '../helpers/random.js'
import { fromBroker } from '../helpers/wire-packets.js'

const LOGIN: Login = { clientId: 'c', token: 'a.b.c' }
const CONNACK: Packet = { cmd: 'connack', sessionPresent: false, reasonCode: 0 }

interface Line {
  readonly clock: ManualClock
  readonly socket: MemorySocket
  readonly wire: Promise<Wire>
  readonly messages: Incoming[]
  readonly ends: WireError[]
  readonly abort: AbortController
  /** A packet from the broker. */
  says(packet: object): void
  /** The packets that the client has sent since the last call. */
  sent(): Promise<Packet[]>
}

interface Options {
  limits?: Partial<MqttLimits>
  login?: Login
  message?: (message: Incoming) => void | Promise<void>
}

function line({ limits = {}, login = LOGIN, message }: Options = {}): Line {
  const clock = new ManualClock()
  const socket = new MemorySocket()
  const messages: Incoming[] = []
  const ends: WireError[] = []
  const abort = new AbortController()
  const open = mqttOverSocket({ socket: () => socket, clock, limits })
  const wire = open(
    login,
    {
      message: (one) => {
        messages.push(one)
        return message?.(one)
      },
      ended: (error) => void ends.push(error),
    },
    abort.signal,
  )
  wire.catch(() => {})
  return {
    ...{ clock, socket, wire, messages, ends, abort },
    says: (packet) => socket.receives(mqttPacket.generate(packet as Packet, { protocolVersion: 5 })),
    sent: async () => {
      await settled()
      const packets: Packet[] = []
      const parser = mqttPacket.parser({ protocolVersion: 5 })
      parser.on('packet', (packet) => packets.push(packet))
      parser.parse(Buffer.concat(socket.sent.splice(0)))
      return packets
    },
  }
}

/** A line that is logged in; CONNECT was taken. */
async function open(options: Options = {}, properties: object = {}): Promise<Line & { open: Wire }> {
  const one = line(options)
  one.socket.opens()
  one.says({ ...CONNACK, properties })
  const wire = await one.wire
  await one.sent()
  return { ...one, open: wire }
}

const publish = (n: number, qos: 0 | 1 = 1) => ({ topic: 't', payload: utf8(String(n)), qos })
const incoming = (messageId: number) => ({
  ...{ cmd: 'publish', topic: 't', payload: String(messageId), qos: 1, dup: false, retain: false },
  messageId,
})

/** Nothing is left of an ended connection. */
async function leavesNothing(t: Test, { clock, socket }: Line): Promise<void> {
  await settled()
  t.equal(clock.running, 0, 'no timer runs')
  t.ok(socket.closed, 'the socket is closed')
}

t.test('CONNECT leaves when the socket is open, and CONNACK opens the connection', async (t) => {
  const one = line()
  t.same(await one.sent(), [])
  one.socket.opens()
  t.match(await one.sent(), [{ cmd: 'connect', clientId: 'c', clean: true, keepalive: 120 }])
  one.says({ ...CONNACK, properties: { receiveMaximum: 3, responseInformation: 'users/ann/replies' } })
  t.same((await one.wire).properties, { receiveMaximum: 3, responseInformation: 'users/ann/replies' })
  await (await one.wire).close()
  t.match(await one.sent(), [{ cmd: 'disconnect', reasonCode: 0 }])
  t.same(one.ends, [], 'who closes it is not told')
  await leavesNothing(t, one)
})

t.test('a login that is refused says why', async (t) => {
  const one = line()
  one.socket.opens()
  one.says({
    ...CONNACK,
    reasonCode: 0x9f,
    properties: { reasonString: 'too many', userProperties: { retryAfter: '7' } },
  })
  await t.rejects(one.wire, {
    name: 'WireError',
    kind: 'refused',
    reason: 0x9f,
    message: 'the broker refused the login: too many',
    properties: { userProperties: [['retryAfter', '7']] },
  })
  t.same(one.ends, [])
  await leavesNothing(t, one)
})

t.test('a connection that is not made in time, is cut or given up meanwhile leaves nothing', async (t) => {
  const late = line()
  late.socket.opens()
  await late.clock.pass(20_000)
  await t.rejects(late.wire, { name: 'WireError', kind: 'network', message: 'there was no connection within 20000 ms' })
  await leavesNothing(t, late)
  const cut = line()
  cut.socket.close()
  await t.rejects(cut.wire, { name: 'WireError', kind: 'network' })
  await leavesNothing(t, cut)
  const given = line()
  given.abort.abort()
  await t.rejects(given.wire, { name: 'WireError', kind: 'aborted' })
  await leavesNothing(t, given)
  const before = new AbortController()
  before.abort()
  const never = mqttOverSocket({ socket: () => t.fail('no socket is made') as never, clock: late.clock })
  await t.rejects(never(LOGIN, { message: () => {}, ended: () => {} }, before.signal), {
    name: 'WireError',
    kind: 'aborted',
  })
  const wrong = mqttOverSocket({
    socket: () => {
      throw new SyntaxError('the URL is invalid')
    },
    clock: late.clock,
  })
  await t.rejects(wrong(LOGIN, { message: () => {}, ended: () => {} }, new AbortController().signal), {
    name: 'WireError',
    kind: 'network',
    message: 'a socket cannot be made: the URL is invalid',
  })
})

t.test('publishes wait until the broker takes more, and are answered one by one', async (t) => {
  const one = await open({}, { receiveMaximum: 2 })
  const answers = [1, 2, 3].map((n) => one.open.publish(publish(n)))
  const [first, second] = await one.sent()
  t.match([first, second], [{ messageId: 1 }, { messageId: 2 }])
  one.says({ cmd: 'puback', messageId: 2, reasonCode: 0x97, properties: { reasonString: 'slow' } })
  t.match(await answers[1], { reason: 0x97, properties: { reasonString: 'slow' } })
  t.match(await one.sent(), [{ cmd: 'publish', messageId: 3, payload: Buffer.from('3') }])
  one.says({ cmd: 'puback', messageId: 1, reasonCode: 0 })
  one.says({ cmd: 'puback', messageId: 3, reasonCode: 0 })
  t.match(await Promise.all([answers[0], answers[2]]), [{ reason: 0 }, { reason: 0 }])
})

t.test(
  'what is given up before it was sent is never sent; later its packet id stays taken until the answer',
  async (t) => {
    const one = await open({}, { receiveMaximum: 1 })
    const [sent, held] = [new AbortController(), new AbortController()]
    const first = one.open.publish(publish(1), sent.signal)
    const second = one.open.publish(publish(2), held.signal)
    const third = one.open.publish(publish(3))
    await one.sent()
    sent.abort()
    held.abort()
    await t.rejects(first, { name: 'WireError', kind: 'aborted', message: /may have been carried out/ })
    await t.rejects(second, { name: 'WireError', kind: 'aborted', message: 'given up unsent' })
    await t.rejects(one.open.publish(publish(4), sent.signal), {
      name: 'WireError',
      kind: 'aborted',
      message: 'given up unsent',
    })
    t.same(await one.sent(), [], 'the broker still owes an answer')
    one.says({ cmd: 'puback', messageId: 1, reasonCode: 0 })
    t.match(await one.sent(), [{ payload: Buffer.from('3') }])
    one.says({ cmd: 'puback', messageId: 2, reasonCode: 0 })
    t.equal((await third).reason, 0)
  },
)

t.test('requests, bytes and packets beyond the bounds are refused, and the connection goes on', async (t) => {
  const one = await open({ limits: { requests: 2, buffered: 1000 } }, { maximumPacketSize: 400 })
  const pending = [one.open.publish(publish(1)), one.open.subscribe([{ filter: 'a', qos: 1 }])]
  await t.rejects(one.open.unsubscribe(['a']), { name: 'WireError', kind: 'rejected', message: /2 requests wait/ })
  const large = { topic: 't', payload: new Uint8Array(500), qos: 0 as const }
  await t.rejects(one.open.publish(large), { name: 'WireError', kind: 'rejected', reason: 0x95 })
  one.socket.bufferedAmount = 900
  await t.rejects(one.open.publish({ ...large, payload: new Uint8Array(200) }), {
    kind: 'rejected',
    message: /wait to be sent/,
  })
  await one.open.publish(publish(5, 0))
  one.says({ cmd: 'puback', messageId: 1, reasonCode: 0 })
  one.says({ cmd: 'suback', messageId: 2, granted: [0x87] })
  t.match(await Promise.all(pending), [{ reason: 0 }, [0x87]])
  t.same(one.ends, [])
})

t.test('messages are acknowledged when they were taken, in their order', async (t) => {
  const taken: (() => void)[] = []
  const one = await open({ message: () => new Promise<void>((resolve) => taken.push(resolve)) })
  for (const id of [5, 6, 7]) one.says(incoming(id))
  taken[1]!()
  t.same(await one.sent(), [])
  taken[0]!()
  t.match(await one.sent(), [{ cmd: 'puback', messageId: 5 }, { messageId: 6 }])
  taken[2]!()
  t.match(await one.sent(), [{ cmd: 'puback', messageId: 7 }])
})

t.test('a broker that sends more than it may, or an id twice, is disconnected', async (t) => {
  const never = { message: () => new Promise<void>(() => {}), limits: { receiveMaximum: 2 } }
  const one = await open(never)
  for (const id of [1, 2, 3]) one.says(incoming(id))
  t.match(await one.sent(), [{ cmd: 'disconnect', reasonCode: 0x93 }])
  t.match(one.ends, [{ name: 'WireError', kind: 'protocol', reason: 0x93 }])
  t.equal(one.messages.length, 2)
  await leavesNothing(t, one)
  const two = await open(never)
  for (const id of [1, 1]) two.says(incoming(id))
  t.match(two.ends, [{ name: 'WireError', kind: 'protocol', reason: 0x82 }])
})

t.test('a message that the listener does not take ends the connection, unacknowledged', async (t) => {
  const fails = {
    sync: () => {
      throw new Error('no room')
    },
    async: () => Promise.reject(new Error('no room')),
  }
  for (const message of Object.values(fails)) {
    const one = await open({ message })
    one.says(incoming(1))
    t.match(await one.sent(), [{ cmd: 'disconnect', reasonCode: 0x83 }])
    t.match(one.ends, [{ name: 'WireError', kind: 'failed', message: 'a message could not be taken: no room' }])
    await leavesNothing(t, one)
  }
})

t.test('a listener may close the connection while it takes a message: it gets no other', async (t) => {
  const one: Line & { open: Wire } = await open({ message: () => void one.open.close() })
  const bytes = [1, 2].map((id) => mqttPacket.generate(incoming(id) as Packet, { protocolVersion: 5 }))
  one.socket.receives(Buffer.concat(bytes))
  await settled()
  t.equal(one.messages.length, 1)
  t.same(one.ends, [])
  await leavesNothing(t, one)
})

t.test('the end rejects all that waits, and later requests', async (t) => {
  const one = await open()
  const waiting = [
    one.open.publish(publish(1)),
    one.open.subscribe([{ filter: 'a', qos: 1 }]),
    one.open.renew('d.e.f'),
    one.open.check(4000),
  ]
  one.says({ cmd: 'disconnect', reasonCode: 0x8b, properties: { reasonString: 'going down' } })
  const error = {
    name: 'WireError',
    kind: 'disconnected',
    reason: 0x8b,
    message: 'the broker ended the connection: going down',
  }
  for (const promise of waiting) await t.rejects(promise as Promise<unknown>, error)
  t.match(one.ends, [error])
  await t.rejects(one.open.publish(publish(2)), { name: 'WireError', kind: 'closed' })
  await t.rejects(one.open.publish(publish(2, 0)), { name: 'WireError', kind: 'closed' })
  await one.open.close()
  await leavesNothing(t, one)
})

t.test('silence is broken by pings, and ends when they are not answered', async (t) => {
  const one = await open()
  await one.clock.pass(30_000)
  t.match(await one.sent(), [{ cmd: 'pingreq' }])
  one.says({ cmd: 'pingresp' })
  for (let i = 0; i < 3; i++) {
    await one.open.publish(publish(i, 0))
    await settled()
    one.says({ ...incoming(i + 1) })
    await one.sent()
    await one.clock.pass(30_000)
    t.match(await one.sent(), [], 'what goes in both directions needs no ping')
  }
  one.says(incoming(9))
  await one.sent()
  await one.clock.pass(60_000)
  t.match(await one.sent(), [{ cmd: 'pingreq' }])
  await one.clock.pass(10_000)
  t.match(one.ends, [{ name: 'WireError', kind: 'network', message: 'the broker did not answer for 10000 ms' }])
  await leavesNothing(t, one)
})

t.test('a keep alive that the broker sets lower makes pings more frequent', async (t) => {
  const one = await open({}, { serverKeepAlive: 20 })
  await one.clock.pass(10_000)
  t.match(await one.sent(), [{ cmd: 'pingreq' }])
})

t.test('a check finds a dead connection within its time', async (t) => {
  const one = await open()
  const alive = one.open.check(4000)
  t.match(await one.sent(), [{ cmd: 'pingreq' }])
  one.says({ cmd: 'pingresp' })
  await alive
  const dead = one.open.check(4000)
  dead.catch(() => {})
  await one.clock.pass(4000)
  await t.rejects(dead, { name: 'WireError', kind: 'network', message: 'the broker did not answer for 4000 ms' })
  await leavesNothing(t, one)
})

t.test('a socket that does not close is given up', async (t) => {
  const one = await open()
  one.socket.close = () => {}
  let ended = false
  let terminated = false
  Object.assign(one.socket, { terminate: () => (terminated = true) })
  void one.open.close().then(() => (ended = true))
  await settled()
  t.notOk(ended)
  await one.clock.pass(2000)
  t.ok(ended && terminated)
  t.equal(one.clock.running, 0)
})

t.test('the login is renewed by AUTH', async (t) => {
  const one = await open()
  const renewed = one.open.renew('d.e.f')
  await t.rejects(one.open.renew('g.h.i'), { name: 'WireError', kind: 'rejected' })
  t.match(await one.sent(), [
    { cmd: 'auth', reasonCode: 0x19, properties: { authenticationData: Buffer.from('d.e.f') } },
  ])
  one.says({ cmd: 'auth', reasonCode: 0, properties: { authenticationMethod: 'JWT' } })
  await renewed
  one.says({ cmd: 'auth', reasonCode: 0, properties: { authenticationMethod: 'JWT' } })
  t.match(one.ends, [{ name: 'WireError', kind: 'protocol' }], 'nobody asked for this one')
  const byPassword = await open({ login: { clientId: 'c', user: 'ann', password: 'pw' } })
  await t.rejects(byPassword.open.renew('d.e.f'), { name: 'WireError', kind: 'rejected' })
})

t.test('answers that nobody asked for, and packets out of place, end the connection', async (t) => {
  const strange: readonly object[] = [
    { cmd: 'puback', messageId: 9, reasonCode: 0 },
    { cmd: 'suback', messageId: 1, granted: [0] },
    { cmd: 'unsuback', messageId: 1, granted: [0] },
    { cmd: 'pingresp' },
    CONNACK,
  ]
  for (const packet of strange) {
    const one = await open()
    one.open.publish(publish(1)).catch(() => {})
    await one.sent()
    one.says(packet)
    t.match(one.ends, [{ name: 'WireError', kind: 'protocol', reason: 0x82 }], JSON.stringify(packet))
    await leavesNothing(t, one)
  }
  const counts = await open()
  counts.open.subscribe([{ filter: 'a', qos: 0 }]).catch(() => {})
  counts.says({ cmd: 'suback', messageId: 1, granted: [0, 0] })
  t.match(counts.ends, [{ name: 'WireError', kind: 'protocol', message: /suback has 2 reason codes/ }])
  const early = line()
  early.socket.opens()
  early.says({ cmd: 'pingresp' })
  await t.rejects(early.wire, { name: 'WireError', kind: 'protocol' })
  const resumed = line()
  resumed.socket.opens()
  resumed.says({ ...CONNACK, sessionPresent: true })
  await t.rejects(resumed.wire, { name: 'WireError', kind: 'protocol', message: /clean start/ })
  const textual = await open()
  textual.socket.receives('hello')
  t.match(textual.ends, [{ name: 'WireError', kind: 'protocol', message: /text frame/ }])
})

t.test('whatever bytes come, nothing is thrown and nothing stays behind', async (t) => {
  const random = Random.from('WIRE_SEED')
  t.comment(`WIRE_SEED=${random.seed} repeats this run`)
  let ended = 0
  for (let run = 0; run < 1500; run++) {
    const one = random.chance(0.2) ? line() : await open({ limits: { maxPacket: 2000, receiveMaximum: 5 } })
    one.socket.opens()
    if (random.chance(0.5)) one.wire.then((wire) => wire.publish(publish(1))).catch(() => {})
    const packets = fc
      .sample(fromBroker, { numRuns: random.between(1, 5), seed: random.below(2 ** 31) })
      .map(({ theirs }) => mqttPacket.generate(theirs, { protocolVersion: 5 }))
    if (random.chance(0.7)) damage(random, packets)
    if (random.chance(0.2)) packets.push(random.bytes(random.between(1, 100)))
    for (const bytes of packets) one.socket.receives(bytes)
    await settled()
    const opened = one.wire.then(
      () => null,
      (error) => error,
    )
    const error = one.ends[0] ?? (await Promise.race([opened, settled()]))
    if (error) ended++
    if (one.ends.length > 1) t.fail('the end was told twice')
    one.abort.abort()
    await one.wire.then((wire) => wire.close()).catch(() => {})
    if (one.clock.running > 0 || !one.socket.closed) throw new Error(`something is left in run ${run}`)
  }
  t.ok(ended > 100, `${ended} of 1500 connections were ended`)
})
