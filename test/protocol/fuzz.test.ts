/**
 * Clients that say anything at all, over TCP and WebSocket, while two well-behaved ones write to each other: those must not notice, and
 * the broker must neither complain nor keep anything. FUZZ_SEED repeats a run, FUZZ_CASES says how many clients there are, FUZZ_FROM
 * with which of them it begins.
 */
import t, { type Test } from 'tap'
import { completeConfig } from '../../broker/config/config.js'
import { openStore } from '../../broker/wiring/storage.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { within } from '../helpers/crash-cast.js'
import { freePort } from '../helpers/free-port.js'
import { describe, type FuzzCase, makeCase } from '../helpers/fuzz-cases.js'
import { Lingerer, play } from '../helpers/fuzz-client.js'
import { plainConnect, ROOMS, USERS } from '../helpers/fuzz-grammar.js'
import { HealthyPair } from '../helpers/healthy-pair.js'
import { Random } from '../helpers/random.js'

const CASES = Number(process.env['FUZZ_CASES'] ?? 1000)
const FROM = Number(process.env['FUZZ_FROM'] ?? 0)
/** Clients at the same time. */
const AT_ONCE = 8
/** The pair beats once for so many clients that are done. */
const CASES_PER_BEAT = 4
const MB = 1024 * 1024
/** What the broker may grow by, once a third of the clients warmed it up. */
const GROWTH = 80 * MB
/** Seconds that one beat may take on a busy machine. */
const PATIENCE = 20

interface Stage {
  readonly broker: BrokerProcess
  readonly ports: Readonly<Record<'mqtt' | 'http', number>>
  readonly random: Random
  readonly tokens: ReadonlyMap<string, string>
  readonly pair: HealthyPair
  /** Clients that got in. */
  accepted: number
}

async function setStage(t: Test): Promise<Stage> {
  const random = Random.from('FUZZ_SEED')
  t.comment(`FUZZ_SEED=${random.seed} repeats this run`)
  const http = await freePort()
  const rules = ['{allow: all, who: any, topics: ["fuzz/#", "fuzz"]}', ...HealthyPair.rules]
  const broker = await BrokerProcess.make(t, [
    `listen.http=${http}`,
    'log.level=warn',
    // Damaged passwords are many, and all from one address.
    'auth.throttle.attempts=1000000',
    'auth.throttle.addressAttempts=1000000',
    `rooms.list=[${ROOMS.map((id) => `{id: ${id}}`).join(',')}]`,
    `acl.rules=[${rules.join(',')}]`,
  ])
  await broker.start()
  const tokens = new Map<string, string>()
  for (const user of USERS) tokens.set(user, await broker.token(user))
  const pair = await HealthyPair.meet(broker, http)
  return { broker, ports: { mqtt: broker.port, http }, random, tokens, pair, accepted: 0 }
}

/** Plays the cases `from` to `to`, several at a time, the pair in between; resolves with all there were. Stops at the first fault. */
async function playAll(t: Test, stage: Stage, from: number, to: number): Promise<FuzzCase[]> {
  const { broker, ports, random, tokens, pair } = stage
  const played: FuzzCase[] = []
  const underWay = new Set<FuzzCase>()
  let next = from
  let failed = false
  const fail = (why: string, cases: Iterable<FuzzCase>): void => {
    if (!failed) t.fail(`${why} (FUZZ_SEED=${random.seed})\n${[...cases].map(describe).join('\n')}`)
    failed = true
  }
  const attack = async (): Promise<void> => {
    while (next < to && !failed) {
      const fuzz = makeCase(random, next++, tokens)
      played.push(fuzz)
      underWay.add(fuzz)
      const { fault, accepted } = await play(ports, fuzz)
      if (accepted) stage.accepted++
      if (fault) fail(fault, [fuzz])
      if (broker.complaints.length > 0) fail(broker.complaints.join('\n'), underWay)
      if (pair.faults.length > 0) fail(pair.faults.join('\n'), underWay)
      underWay.delete(fuzz)
      if (fuzz.number % CASES_PER_BEAT === 0)
        beats = beats.then(() => within(PATIENCE, pair.beat(), () => 'a beat of the pair'))
    }
  }
  let beats = Promise.resolve()
  await Promise.all(Array.from({ length: AT_ONCE }, attack))
  await beats
  return played
}

/** Some that send half a packet and stay, before their CONNECT and after it, and some that ask for everything and read nothing. */
function linger({ ports, tokens }: Stage): { before: Lingerer[]; after: Lingerer[] } {
  const before: Lingerer[] = []
  const after: Lingerer[] = []
  for (let i = 0; i < 6; i++) {
    const user = USERS[i % USERS.length]!
    const connect = plainConnect({ user, token: tokens.get(user)!, clientId: `slow${i}` })
    before.push(new Lingerer(ports.mqtt, connect.subarray(0, 5 + i * 4)))
    const rest = i < 3 ? Buffer.from('30ffff0a000166', 'hex') : Buffer.from('820c0001000766757a7a2f23', 'hex')
    after.push(new Lingerer(ports.mqtt, Buffer.concat([connect, rest]), i < 3))
  }
  return { before, after }
}

/** Sessions in the store that no CONNECT of these cases can have made. */
async function strangers(dataDir: string, known: ReadonlySet<string>): Promise<string[]> {
  const { store } = await openStore(completeConfig({ node: { dataDir } }))
  const found: string[] = []
  for await (const { id } of store.sessions.all()) if (!known.has(id)) found.push(id)
  await store.close()
  return found
}

t.test('whatever clients send, others do not notice, and nothing of it stays', { timeout: 3_600_000 }, async (t) => {
  const stage = await setStage(t)
  const { broker, pair } = stage
  await pair.beat()
  const sockets = await broker.sockets()
  const slow = linger(stage)
  const warmUp = FROM + Math.ceil(CASES / 3)
  const cases = await playAll(t, stage, FROM, warmUp)
  let before = await broker.memory()
  cases.push(...(await playAll(t, stage, warmUp, FROM + CASES)))
  let after = await broker.memory()
  if (after - before >= GROWTH) {
    // The garbage collector may be late, on a busy machine above all. A leak goes on as before.
    t.comment(`memory grew from ${Math.round(before / MB)} MB to ${Math.round(after / MB)} MB: as many clients again`)
    before = after
    cases.push(...(await playAll(t, stage, FROM + CASES, FROM + 2 * CASES - Math.ceil(CASES / 3))))
    after = await broker.memory()
  }
  t.comment(`${cases.length} clients, ${pair.beats} beats, the slowest ${Math.round(pair.slowest)} ms`)
  t.ok(stage.accepted > cases.length / 3, `the broker let ${stage.accepted} of them in`)
  t.comment(`memory: ${Math.round(before / MB)} MB before the last clients, ${Math.round(after / MB)} MB after them`)
  t.ok(after - before < GROWTH, 'memory stays bounded')

  t.strictSame(
    slow.after.map(({ closed }) => closed),
    slow.after.map(() => false),
    'who is slow after CONNECT is left alone',
  )
  for (const one of [...slow.before, ...slow.after]) await one.end()
  const goneBy = performance.now() + PATIENCE * 1000
  while ((await broker.sockets()) > sockets && performance.now() < goneBy) await pair.beat()
  t.equal(await broker.sockets(), sockets, 'all connections but those of the pair are gone')

  t.strictSame(pair.faults, [], 'the pair missed nothing')
  t.strictSame(broker.complaints, [], 'the broker logged no warning and no error')
  await pair.part()
  t.equal(await broker.stop(), 0, 'the broker drains and goes')
  const known = new Set(['hana/hana', 'hugo/hugo'])
  for (const { session } of cases) if (session !== null) known.add(session)
  t.strictSame(await strangers(broker.dataDir, known), [], 'no session but of those who asked for one')
})
