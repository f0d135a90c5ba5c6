/** Real clients of MQTT 5: MQTT.js, and the mosquitto command line, doing what the README's tour does. */
import { spawn } from 'node:child_process'
import type { IPublishPacket, Packet } from 'mqtt'
import t from 'tap'
import { serveHttp, startTestBroker } from '../helpers/broker.js'
import { login, MosquittoSub, mosquitto } from '../helpers/mosquitto.js'
import { Person } from '../helpers/people.js'

serveHttp()

const LOBBY = 'rooms/lobby/messages'
const V5 = ['-V', '5'] as const

/** Resolves with the next PUBLISH on `topic`, as it came. */
function nextOn({ client }: Person, topic: string): Promise<IPublishPacket> {
  return new Promise((resolve) => {
    const onMessage = (received: string, _payload: Buffer, packet: IPublishPacket): void => {
      if (received !== topic) return
      client.off('message', onMessage)
      resolve(packet)
    }
    client.on('message', onMessage)
  })
}

t.test('the tour with mosquitto and MQTT 5 [MQTT5-4.2.0-1]', async (t) => {
  const broker = await startTestBroker(t)
  const [alice, bob] = [await login(broker, 'alice'), await login(broker, 'bob')]
  const phone = ['-i', 'phone', '-c', '-q', '1', '-t', LOBBY, '-t', 'users/bob/messages', '-x', '60', ...V5]
  t.match(await mosquitto('sub', bob, [...phone, '-E']), { code: 0, lines: [] })
  const say = (topic: string, text: string) => mosquitto('pub', alice, [...V5, '-q', '1', '-t', topic, '-m', text])
  t.match(await say(LOBBY, 'hello, room'), { code: 0, stderr: '' })
  t.match(await say('users/bob/messages', 'hello, bob'), { code: 0, stderr: '' })
  for (let i = 0; i < 2; i++) await say(LOBBY, '{"cid":"c1","text":"once"}')
  const { lines } = await mosquitto('sub', bob, [...phone, '-C', '3', '-F', '%q %t %C %F %p'])
  t.same(lines.map((line) => line.split(' ', 4).join(' ')).sort(), [
    '1 rooms/lobby/messages application/json 1',
    '1 rooms/lobby/messages application/json 1',
    '1 users/bob/messages application/json 1',
  ])
  await t.test('mosquitto_rr, as it comes: response topic and correlation data', async (t) => {
    for (const answers of ['users/alice/replies', 'users/alice/messages']) {
      const child = spawn('mosquitto_rr', [
        ...['-p', String(alice.port), '-u', alice.user, '-P', alice.password, '-q', '1', '-W', '5', '-v'],
        ...['-D', 'publish', 'correlation-data', 'abc', '-F', '%t %D %p', '-e', answers],
        ...['-t', 'users/alice/requests/history', '-m', '{"id":"h1","room":"lobby"}'],
      ])
      let out = ''
      for await (const chunk of child.stdout.setEncoding('utf8')) out += chunk
      const [topic, correlation, ...json] = out.trimEnd().split(' ')
      t.same([topic, correlation], [answers, 'abc'])
      t.match(JSON.parse(json.join(' ')), {
        re: 'h1',
        ok: true,
        result: { messages: [{ text: 'hello, room' }, { text: 'once' }], more: false },
      })
    }
  })
  await t.test('what is refused is answered too', async (t) => {
    const rr = ['-q', '1', '-W', '5', '-e', 'users/alice/replies', '-t', 'rooms/nowhere/messages', '-m', 'hi']
    const answer = await mosquitto('rr', alice, [...V5, ...rr])
    t.match(JSON.parse(answer.lines.at(-1)!), { re: null, ok: false, error: { code: 'not_found' } })
    t.match(await say('rooms/nowhere/messages', 'hi'), {
      stderr: /Publish 1 failed: Topic Name invalid.\nthere is no room nowhere/,
    })
    t.match(await say('users/bob/replies', 'hi'), { stderr: /Publish 1 failed: Not authorized/ })
  })
  await t.test('a subscription with options; what a publisher adds', async (t) => {
    const sub = await MosquittoSub.start(t, bob, [...V5, '-q', '1', '-t', LOBBY, '-F', '> %q %r %t %R|%D|%P'])
    t.same(sub.granted, [1])
    const more = ['-D', 'publish', 'user-property', 'k', 'v', '-D', 'publish', 'response-topic', 'users/alice/messages']
    await mosquitto('pub', alice, [
      ...V5,
      '-q',
      '1',
      '-t',
      LOBBY,
      '-m',
      'x',
      ...more,
      '-D',
      'publish',
      'correlation-data',
      'c',
    ])
    t.same((await sub.wait(1))[0]!.payload, 'users/alice/messages|c|k:v')
    await sub.stop()
  })
})

t.test('MQTT.js 5 in a room with a client of 3.1.1', async (t) => {
  const broker = await startTestBroker(t)
  const five = { protocolVersion: 5, properties: { requestResponseInformation: true, topicAliasMaximum: 8 } } as const
  const alice = await Person.connect(t, broker, 'alice', {
    ...five,
    autoAssignTopicAlias: true,
    autoUseTopicAlias: true,
  })
  const bob = await Person.connect(t, broker, 'bob', { ...five, ws: true })
  const carol = await Person.connect(t, broker, 'carol')
  for (const person of [alice, bob, carol]) t.same(await person.subscribe(LOBBY), [1])
  for (let i = 0; i < 5; i++) await alice.say('lobby', `alice ${i}`)
  await carol.say('lobby', 'carol')
  await bob.say('lobby', 'bob')
  const seen = await alice.on(LOBBY, 7)
  t.same(seen.map(({ seq, text }: { seq: number; text: string }) => `${seq} ${text}`).slice(0, 6), [
    '1 alice 0',
    '2 alice 1',
    '3 alice 2',
    '4 alice 3',
    '5 alice 4',
    '6 carol',
  ])
  t.same(await bob.on(LOBBY, 7), seen)
  t.same(await carol.on(LOBBY, 7), seen)

  await t.test('requests, by their ids', async (t) => {
    t.match(await alice.get('history', { room: 'lobby', limit: 1 }), { messages: [{ text: 'bob' }], more: true })
    t.match(await bob.fails('rooms.create', { room: 'x', nonsense: 1 }), /bad_request/)
  })
  await t.test('requests, by correlation data on a topic of one’s own', async (t) => {
    const answers = 'users/alice/signals'
    await alice.subscribe(answers)
    const answer = nextOn(alice, answers)
    const correlationData = Buffer.from([1, 2, 3])
    await alice.client.publishAsync('users/alice/requests/rooms.list', '{}', {
      qos: 1,
      properties: { responseTopic: answers, correlationData },
    })
    const { payload, properties } = await answer
    t.match(JSON.parse(payload.toString()), { method: 'rooms.list', ok: true, result: { rooms: [{ id: 'lobby' }] } })
    t.same(properties?.correlationData, correlationData)
  })
  await t.test('the acknowledgement says what became of it', async (t) => {
    await alice.client.unsubscribeAsync(LOBBY)
    const taken = new Promise<Packet>((resolve) => alice.client.once('packetreceive', resolve))
    await alice.client.publishAsync(LOBBY, 'numbered', { qos: 1 })
    t.match(await taken, {
      cmd: 'puback',
      reasonCode: 0,
      properties: { userProperties: { seq: '8', id: /^[0-9a-f-]{36}$/, ts: /^\d+$/ } },
    })
    await t.rejects(alice.client.publishAsync('rooms/nowhere/messages', 'x', { qos: 1 }), { code: 0x90 })
    t.ok(alice.client.connected)
  })
  await t.test('no local, and its own session back after an absence', async (t) => {
    const options = { ...five, clientId: 'phone', clean: false, properties: { sessionExpiryInterval: 60 } }
    const phone = await Person.connect(t, broker, 'bob', options)
    await phone.client.subscribeAsync(LOBBY, { qos: 1, nl: true, properties: { subscriptionIdentifier: 300 } })
    await phone.say('lobby', 'mine')
    await carol.say('lobby', 'hers')
    await phone.hears('hers')
    t.same(phone.lines, [`${LOBBY} hers`])
    await phone.vanish()
    await carol.say('lobby', 'meanwhile')
    const back = await Person.connect(t, broker, 'bob', options)
    await back.hears('meanwhile')
    const next = nextOn(back, LOBBY)
    await carol.say('lobby', 'live')
    t.equal((await next).properties?.subscriptionIdentifier, 300)
    t.same(back.lines, [`${LOBBY} meanwhile`, `${LOBBY} live`])
  })
})

t.test('workers that share a subscription: mosquitto_sub and MQTT.js', async (t) => {
  const rules = [{ allow: 'all' as const, who: 'any', topics: ['jobs/#'] }]
  const broker = await startTestBroker(t, { acl: { rules } })
  const worker = await login(broker, 'worker')
  const sub = await MosquittoSub.start(t, worker, [...V5, '-q', '1', '-t', '$share/g/jobs/+', '-F', '> %q %r %t %p'])
  t.same(sub.granted, [1])
  const [first, second] = [
    await Person.connect(t, broker, 'first', { protocolVersion: 5 }),
    await Person.connect(t, broker, 'second', { ws: true }),
  ]
  for (const person of [first, second]) t.same(await person.subscribe('$share/g/jobs/+'), [1])
  const boss = await Person.connect(t, broker, 'boss')
  const jobs = Array.from({ length: 9 }, (_, i) => `job ${i}`)
  for (const job of jobs) await boss.publish('jobs/print', job)
  const theirs = (await sub.wait(3)).map(({ payload }) => payload)
  const mine = await first.inbox.wait(3)
  const hers = await second.inbox.wait(3)
  const all = [...theirs, ...[...mine, ...hers].map(({ payload }) => payload.toString())]
  t.same(all.sort(), jobs, 'each job once, a third for each')
  await sub.stop()
  await boss.publish('jobs/print', 'another')
  await boss.publish('jobs/print', 'and another')
  await Promise.all([first.inbox.wait(4), second.inbox.wait(4)])
})
