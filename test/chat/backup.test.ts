/** `topictalk backup`: a copy that a broker can be started on, made while people write. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { Backups } from '../../broker/admin/backups.js'
import { callAdmin } from '../../broker/admin/control-socket.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { storeLocation } from '../../broker/wiring/storage.js'
import { append, draft } from '../contract/store-suite.js'
import { startTestBroker } from '../helpers/broker.js'
import { CLI } from '../helpers/command.js'
import { Person } from '../helpers/people.js'
import { people, roomOf } from '../helpers/rooms.js'
import { onRedis } from '../helpers/test-store.js'

const NO_COPIES = { skip: onRedis && 'a store in Redis is not copied by its nodes' }

async function directory(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tt-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Runs `topictalk backup` in `cwd`. */
async function backUp(cwd: string, dataDir: string, target: string) {
  const child = spawn(process.execPath, [CLI, 'backup', target, '--set', `node.dataDir=${dataDir}`], {
    cwd,
    env: { PATH: process.env['PATH'] },
  })
  const [code, stdout, stderr] = await Promise.all([
    new Promise((resolve) => child.once('exit', resolve)),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}

/** Numbers of the messages of a room, in order. */
async function seqsOf(person: Person, room: string): Promise<number[]> {
  const seqs: number[] = []
  for (let more = true; more; ) {
    const page = await person.get('history', { room, after: seqs.at(-1) ?? 0, limit: 100 })
    seqs.push(...page.messages.map(({ seq }: { seq: number }) => seq))
    more = page.more
  }
  return seqs
}

t.test("a target that cannot be is refused at once, and stands in nobody's way", NO_COPIES, async (t) => {
  const broker = await startTestBroker(t)
  const start = (directory: string) => callAdmin(broker.dataDir, 'backup.start', { directory })
  await t.rejects(start('/proc/topictalk'), { code: 'bad_request', message: /^cannot write to \/proc\/topictalk/ })
  await t.rejects(start(join(broker.dataDir, 'inside')), { code: 'bad_request', message: /is in the data directory$/ })
  await t.rejects(start(broker.dataDir), { code: 'bad_request', message: /is in the data directory$/ })
  await t.rejects(start('/proc/topictalk'), { code: 'bad_request' }, 'none is under way')
})

t.test('a backup has all that was acknowledged before it, while people go on to write', NO_COPIES, async (t) => {
  const { broker, alice, bob, connect } = await people(t, ['alice', 'bob'])
  const root = await connect('root', { roles: ['admin'] })
  await roomOf('den', alice, [[bob, 'member']])
  const BEFORE = 300
  await Promise.all(Array.from({ length: BEFORE }, (_, i) => alice.say('den', `${i} ${'x'.repeat(5000)}`)))
  let writing = true
  const writer = (async () => {
    let count = 0
    for (; writing; count++) await bob.say('den', 'meanwhile')
    return count
  })()
  const cwd = await directory(t)
  const result = await backUp(cwd, broker.dataDir, 'copy')
  writing = false
  const meanwhile = await writer
  const copy = join(cwd, 'copy')
  t.match(result, { code: 0, stdout: /^backed up to .*copy \(\d+\.\d MB\)\n$/, stderr: '' })
  t.same((await readdir(copy)).sort(), ['secret', 'store', 'store.witness'])
  t.equal(await readFile(join(copy, 'secret'), 'utf8'), await readFile(join(broker.dataDir, 'secret'), 'utf8'))
  for (const [name, mode] of [
    ['', 0o700],
    ['secret', 0o600],
    ['store', 0o700],
  ] as const)
    t.equal((await stat(join(copy, name))).mode & 0o777, mode, `mode of ${name || 'the directory'}`)
  const acts = (await root.get('audit.list', { action: 'backup.start' })).entries
  t.match(acts, [{ actor: 'system', details: { directory: copy }, result: 'ok' }])

  const restored = await startTestBroker(t, { node: { dataDir: copy } })
  const password = await broker.token('alice')
  const again = await Person.connect(t, restored, 'alice', { password })
  const seqs = await seqsOf(again, 'den')
  t.ok(seqs.length >= BEFORE && seqs.length <= BEFORE + meanwhile, `${seqs.length} of ${BEFORE + meanwhile} messages`)
  t.same(
    seqs,
    seqs.map((_, i) => i + 1),
    'none is missing between them',
  )
  t.not((await again.get('sync')).epoch, (await alice.get('sync')).epoch, 'its numbers are of another life')
  t.equal((await seqsOf(alice, 'den')).length, BEFORE + meanwhile, 'and the broker has all of them')
})

t.test('a data directory that no broker has open', async (t) => {
  const cwd = await directory(t)
  const nothing = await backUp(cwd, join(cwd, 'data'), 'copy')
  t.match(nothing, { code: 1, stdout: '', stderr: /^topictalk: node\.dataDir: there is no store in .*data; nothing/ })
  const store = await openLevelStore({ location: join(cwd, 'data', 'store'), sync: true, limits: LIMITS })
  await append(store, draft('m:den', 'one'), draft('m:den', 'two'))
  const { epoch } = store
  await store.close()
  t.match(await backUp(cwd, join(cwd, 'data'), 'copy'), { code: 0, stderr: '' })
  const copy = await openLevelStore({ location: join(cwd, 'copy', 'store'), sync: true, limits: LIMITS })
  t.equal((await copy.log.open('m:den')).head, 2)
  t.not(copy.epoch, epoch)
  await copy.close()
})

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

t.test('where a backup may not go', NO_COPIES, async (t) => {
  const broker = await startTestBroker(t)
  const cwd = await directory(t)
  await writeFile(join(cwd, 'letter'), 'dear all')
  for (const [target, why] of [
    ['.', /^topictalk: .* is not empty\n$/],
    ['letter', /^topictalk: cannot write to .*letter: EEXIST/],
    ['letter/copy', /^topictalk: cannot write to .*letter.copy: ENOTDIR/],
  ] as const)
    t.match(await backUp(cwd, broker.dataDir, target), { code: 1, stdout: '', stderr: why })
  t.same(await readdir(cwd), ['letter'])
  for (const params of [{}, { directory: '' }, { directory: 7 }])
    await t.rejects(callAdmin(broker.dataDir, 'backup.start', params), { code: 'bad_request', field: 'directory' })
  await t.rejects(callAdmin(broker.dataDir, 'backup.status'), { code: 'not_found' })
})

t.test('one backup at a time; one that is cut short leaves nothing', async (t) => {
  const cwd = await directory(t)
  const dataDir = join(cwd, 'data')
  const store = await openLevelStore({ location: storeLocation(dataDir), sync: true, limits: LIMITS })
  t.teardown(() => store.close())
  for (let i = 0; i < 20; i++) await append(store, draft('m:den', `${i} ${'x'.repeat(60_000)}`))
  await writeFile(join(dataDir, 'secret'), 'a secret')
  const failed = (error: unknown) => t.fail(String(error))
  const backups = new Backups({ store, dataDir, locate: storeLocation, failed })
  const [first, second] = await Promise.allSettled([backups.start(join(cwd, 'one')), backups.start(join(cwd, 'two'))])
  t.match(first, { status: 'fulfilled', value: { directory: join(cwd, 'one'), done: false } })
  t.match(second, { status: 'rejected', reason: { code: 'conflict', message: /one is under way$/ } })
  await backups.close()
  t.match(backups.status, { done: true, error: { code: 'unavailable', message: /^the broker was stopped/ } })
  t.same(await readdir(join(cwd, 'one')), [])
  t.equal((await store.log.open('m:den')).head, 20)
})
