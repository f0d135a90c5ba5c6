/** A disk that is nearly full: what would be stored is refused before the store is in trouble, and the rest goes on. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import t, { type Test } from 'tap'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { Person } from '../helpers/people.js'

const SECRET = 'a secret of at least thirty-two bytes'
const MB = 1024 * 1024
/** More than any disk has. */
const TOO_MUCH = 2 ** 52
const NEARLY_FULL = /nearly full: what would be stored is refused/

function logged() {
  const lines: string[] = []
  let heard = (): void => {}
  const write = (line: string): void => {
    lines.push(line)
    heard()
  }
  const said = (what: RegExp) => lines.filter((line) => what.test(line)).length
  const saying = async (what: RegExp): Promise<void> => {
    while (said(what) === 0) await new Promise<void>((resolve) => (heard = resolve))
  }
  return { log: pino({ base: null }, { write }), said, saying }
}

const UNAVAILABLE = { status: 503, body: { code: 'unavailable', detail: /store\.level\.minFree/ } }

async function asker(broker: TestBroker, user: string) {
  const headers = { authorization: `Bearer ${await broker.token(user)}` }
  return (method: string, path: string, body?: object) =>
    fetchFrom(broker, `/v1/${path}`, { method, headers, ...(body && { body }) })
}

t.test('what would be stored is refused, and what reads, deletes or lets in goes on', async (t) => {
  const { log, said } = logged()
  const rules = [{ allow: 'all', who: 'any', topics: ['plant/#'] }]
  const broker = await startTestBroker(t, { acl: { rules }, store: { level: { minFree: 0 } } }, { log })
  const before = await Person.connect(t, broker, 'alice')
  const { refreshToken } = await before.get('auth.register', { user: 'carl', password: 'carl-pw' })
  await before.get('rooms.create', { room: 'den' })
  const { result } = await before.send('rooms/den/messages', { text: 'first' })
  await before.publish('plant/a', 'kept', { retain: true })
  await before.leave()
  t.equal(said(NEARLY_FULL), 0)

  await broker.restart({ store: { level: { minFree: TOO_MUCH } } })
  t.equal(said(NEARLY_FULL), 1)
  const ask = await asker(broker, 'alice')
  t.match(await fetchFrom(broker, '/healthz'), { status: 200, body: { status: 'ok', disk: 'nearly full' } })

  await t.test('over HTTP', async (t) => {
    t.match(await ask('POST', 'rooms/den/messages', { text: 'second' }), UNAVAILABLE)
    t.match(await ask('POST', 'rooms', { room: 'attic' }), UNAVAILABLE)
    t.match(await ask('POST', 'keys', { name: 'k' }), UNAVAILABLE)
    const register = { method: 'POST', body: { user: 'dora', password: 'dora-pw' } }
    t.match(await fetchFrom(broker, '/v1/auth/register', register), UNAVAILABLE)
    t.match(await ask('GET', 'rooms/den/messages'), { status: 200, body: { messages: [{ text: 'first' }] } })
    const login = { method: 'POST', body: { user: 'carl', password: 'carl-pw' } }
    t.equal((await fetchFrom(broker, '/v1/auth/login', login)).status, 200)
    t.equal((await fetchFrom(broker, '/v1/auth/token', { method: 'POST', body: { refreshToken } })).status, 200)
  })

  const topics = ['rooms/den/messages', 'users/carl/messages', 'users/carl/notifications', 'broadcast/news', 'plant/a']
  for (const topic of topics)
    await t.test(`a publish on ${topic} is not acknowledged`, async (t) => {
      const roles = ['admin']
      const root = await Person.connect(t, broker, 'alice', { clientId: topic, roles })
      let acks = 0
      root.client.on('packetreceive', ({ cmd }) => void (cmd === 'puback' && acks++))
      root.client.publish(topic, 'second', { qos: 1 }, () => {})
      await root.gone()
      t.equal(acks, 0)
    })

  const alice = await Person.connect(t, broker, 'alice')
  await alice.subscribe(['rooms/den/messages', 'rooms/den/typing', 'plant/#'])
  await alice.hears('kept')
  t.match(await alice.ask('rooms.create', { room: 'attic' }), { ok: false, error: { code: 'unavailable' } })
  await alice.publish('rooms/den/typing', { typing: true })
  await alice.publish('rooms/den/receipts', { read: result.seq })
  await alice.publish('plant/a', '', { retain: true })
  t.match(await alice.send('rooms/den/messages', { type: 'delete', target: result.seq }), { ok: true })
  await alice.get('rooms.delete', { room: 'den' })
  t.equal(said(NEARLY_FULL), 1)
})

const dataDir = smallDisk(t, 64 * MB)
const skip = dataDir === null && 'only root can mount a small disk'

t.test('it begins and ends with the room on the disk', { skip }, async (t) => {
  const { log, saying } = logged()
  const broker = await startTestBroker(
    t,
    { node: { dataDir: dataDir! }, auth: { jwt: { secret: SECRET } }, store: { level: { minFree: 32 * MB } } },
    { log },
  )
  const ask = await asker(broker, 'alice')
  const say = (text: string) => ask('POST', 'rooms/lobby/messages', { text })
  await ask('POST', 'rooms/lobby/join', {})
  t.match(await say('one'), { status: 201 })
  const ballast = join(dataDir!, 'ballast')
  writeFileSync(ballast, Buffer.alloc(48 * MB))
  await saying(NEARLY_FULL)
  t.match(await say('two'), UNAVAILABLE)
  rmSync(ballast)
  await saying(/the disk has room again/)
  t.match(await say('three'), { status: 201 })
  t.match((await ask('GET', 'rooms/lobby/messages')).body, { messages: [{ text: 'one' }, { text: 'three' }] })
})

/** Null where this process may not. */
function smallDisk(t: Pick<Test, 'teardown'>, bytes: number): string | null {
  const path = mkdtempSync(join(tmpdir(), 'topictalk-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    rmSync(path, { recursive: true })
    return null
  }
  t.teardown(() => {
    execFileSync('umount', ['--lazy', path])
    rmSync(path, { recursive: true })
  })
  return path
}
