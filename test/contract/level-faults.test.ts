/** What the embedded store promises when the disk, or the process, fails. */

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { setImmediate as turn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Level } from 'level'
import t, { type Test } from 'tap'
import { StoreError } from '../../broker/store/changes.js'
import { type LevelStoreOptions, openLevelStore } from '../../broker/store/level/level-store.js'
import type { AppendedBatch } from '../../broker/store/logs.js'
import { dropLog } from '../../broker/store/op.js'
import { dequeueOp, enqueueOp } from '../../broker/store/queue-ops.js'
import { ROOM_DEFAULTS } from '../../broker/store/rooms.js'
import type { Store } from '../../broker/store/store.js'
import fc from '../helpers/fast-check.js'
import { FaultyLevel, noSpace } from '../helpers/faulty-level.js'
import { all, append, commit, DAY, draft, drop, folded, texts } from './store-suite.js'

const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

interface Setup {
  location: string
  level: FaultyLevel
  faults: unknown[]
  open(options?: Partial<LevelStoreOptions>): Promise<Store>
}

function setup(t: Test): Setup {
  const location = `${t.testdir()}/store`
  const level = new FaultyLevel(location)
  const faults: unknown[] = []
  const open = async (options: Partial<LevelStoreOptions> = {}): Promise<Store> => {
    const onFault = (error: unknown): void => void faults.push(error)
    // Nothing happens by the clock, unless asked for.
    const fold = { idleMs: 2 ** 30, ...options.fold }
    const all = { location, sync: true, limits: LIMITS, openDatabase: level.open, onFault, ...options, fold }
    return openLevelStore(all)
  }
  return { location, level, faults, open }
}

/** The texts that a follower of these logs is told. */
async function toldOf(store: Store, ...logs: string[]): Promise<string[]> {
  const told: string[] = []
  const listener = ({ entries }: AppendedBatch): void => void told.push(...texts(entries))
  for (const log of logs) await store.log.follow(log, listener)
  return told
}

/** The result or the error of each, in order. */
async function outcomes(...appends: Promise<string>[]): Promise<string[]> {
  const results = await Promise.allSettled(appends)
  return results.map((result) => (result.status === 'fulfilled' ? result.value : `failed: ${result.reason.message}`))
}

/** Looks into the files of a store that is closed. */
async function inFiles<T>(location: string, look: (level: Level<string, Buffer>) => Promise<T>): Promise<T> {
  const level = new Level<string, Buffer>(location, { valueEncoding: 'buffer' })
  await level.open()
  try {
    return await look(level)
  } finally {
    await level.close()
  }
}

async function damage(location: string, kind: string, place: number): Promise<void> {
  await inFiles(location, async (level) => {
    const entries = await level.iterator({ gte: kind, lt: `${kind}\xff` }).all()
    const [key, value] = entries[place]!
    value[value.length - 1]! ^= 1
    await level.put(key, value)
  })
}

t.test('a write that fails', async (t) => {
  const { level, faults, open } = setup(t)
  const store = await open()
  const told = await toldOf(store, 'm:a', 'm:b')
  await append(store, draft('m:a', 'before'))
  let next = Promise.resolve('')
  const during = (): void => void (next = append(store, draft('m:a', 'pending')))
  level.writeFaults.push({ error: new Error('IO error: broken'), during })
  const details = { access: 'public', direct: false, name: null, topic: null, avatar: null } as const
  const room = { id: 'r', ...details, ...ROOM_DEFAULTS }
  const op = store.directory.roomOp({ ...room, createdBy: 'ann', createdAt: 1 })
  const queued = enqueueOp({ topic: 't', payload: Buffer.from('x'), qos: 1, retain: false, clientId: null }, [
    { sessionId: 'ann/a', qos: 1 },
  ])
  const group = await outcomes(
    append(store, draft('m:a', 'one', { cid: 'c' })),
    append(store, draft('m:b', 'two')),
    commit(store, [], [op, queued]).then(() => 'ok'),
  )
  const failed = 'failed: writing failed: IO error: broken'
  t.same(group, [failed, failed, failed], 'all of the commit fail')
  t.equal(await next, 'appended 2', 'what waited is written, the number is not lost')
  t.equal(await append(store, draft('m:a', 'one', { cid: 'c' })), 'appended 3', 'a failed message is not a duplicate')
  t.equal(level.opened, 2, 'the database was reopened')
  t.equal(store.directory.room('r'), undefined, 'nothing of it is in memory')
  t.same(store.queue.size('ann/a'), { messages: 0, bytes: 0 })
  t.equal(store.counts.failures, 1)
  t.equal(faults.length, 1)
  t.same(told, ['before', 'pending', 'one'])
  await store.close()
})

t.test('a write that fails but reached the disk', async (t) => {
  const { level, open } = setup(t)
  const store = await open()
  const told = await toldOf(store, 'm:a')
  await append(store, draft('m:a', 'before'))
  level.writeFaults.push({ error: new Error('IO error: fsync'), written: true })
  const results = await outcomes(
    append(store, draft('m:a', 'one', { cid: 'c' })),
    commit(store, [], [store.directory.departedOp('r', 'ann')]).then(() => 'ok'),
  )
  t.same(new Set(results), new Set(['failed: writing failed: IO error: fsync']))
  t.equal(await append(store, draft('m:a', 'two')), 'appended 3', 'its number is taken')
  t.equal(await append(store, draft('m:a', 'one', { cid: 'c' })), 'duplicate 2', 'a retry finds it')
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['before', 'one', 'two'])
  t.same(told, ['before', 'two'], 'but it was not delivered')
  t.ok(store.directory.departed('r', 'ann'), 'memory is what the disk says')
  await store.close()
})

t.test('whatever fails, a number is given once and a retried message is there once', async (t) => {
  const fault = fc.option(fc.record({ error: fc.constant(new Error('IO error')), written: fc.boolean() }), {
    nil: undefined,
  })
  const groups = fc.array(fc.array(fc.nat(40), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 25 })
  let run = 0
  await fc.assert(
    fc.asyncProperty(groups, fc.array(fault, { maxLength: 40 }), async (groups, writeFaults) => {
      const directory = `${t.testdirName}-${++run}`
      const location = `${directory}/store`
      // With what lies beside the store; a run that was cut short may have left it.
      const remove = () => rm(directory, { recursive: true, force: true })
      t.teardown(remove)
      await remove()
      const level = new FaultyLevel(location)
      const options = {
        location,
        sync: true,
        limits: LIMITS,
        openDatabase: level.open,
        fold: { entries: 5, idleMs: 2 ** 30 },
      }
      let store = await openLevelStore(options)
      level.writeFaults.push(...writeFaults)
      const acked = new Map<number, number>()
      for (const group of groups) {
        // A number stands for a message: drawn again, it is a retry.
        const send = async (message: number): Promise<void> => {
          const [result] = await commit(store, [draft(`m:${message % 3}`, `${message}`, { cid: `${message}` })])
          if (acked.has(message))
            assert.equal(result!.seq, acked.get(message), 'a retry is given the number of the first')
          acked.set(message, result!.seq)
        }
        await Promise.allSettled(group.map(send)).then((results) => {
          for (const result of results)
            if (result.status === 'rejected' && !(result.reason instanceof StoreError)) throw result.reason
        })
      }
      level.writeFaults.length = 0
      for (const again of [false, true]) {
        for (const log of ['m:0', 'm:1', 'm:2']) {
          const entries = await store.log.read(log, 0, 1000, 1e6)
          assert.deepEqual(
            entries.map(({ seq }) => seq),
            entries.map((_, i) => i + 1),
            'dense',
          )
          assert.equal(new Set(texts(entries)).size, entries.length, 'each once')
          for (const [message, seq] of acked)
            if (`m:${message % 3}` === log)
              assert.equal(texts(entries)[seq - 1], `${message}`, 'acknowledged is stored')
        }
        await store.close()
        if (!again) store = await openLevelStore(options)
      }
    }),
    { numRuns: 40 },
  )
})

t.test('who waits for the disk', async (t) => {
  const { level, open } = setup(t)
  for (const sync of [true, false]) {
    const store = await open({ sync })
    level.synced.length = 0
    await append(store, draft('m:a', 'x'))
    t.same(level.synced.splice(0), [sync], 'an append')
    await store.sessions.writeLazily([store.sessions.cursorOp('ann/a', 'm:a', 1)])
    t.same(level.synced.splice(0), [false], 'a lazy write does not')
    await Promise.all([
      store.sessions.writeLazily([store.sessions.cursorOp('ann/a', 'm:a', 2)]),
      commit(store, [], [store.directory.departedOp('r', 'ann')]),
    ])
    t.same(level.synced.splice(0), [sync], 'unless it shares a commit')
    await store.close()
  }
})

t.test('a store without work folds by itself', async (t) => {
  const { level, location, open } = setup(t)
  const store = await open({ fold: { idleMs: 1 } })
  // The store's own timer keeps no process alive.
  const awake = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(awake))
  await append(store, draft('m:a', 'x'))
  // Chunks, then the end of the journal.
  for (const _ of [1, 2]) await once(level.writes, 'begin')
  await store.close()
  const left = await inFiles(location, (level) => level.keys({ gte: 'j', lt: 'k' }).all())
  t.same(left, [])
})

t.test('a full disk', async (t) => {
  let now = 1_000_000
  const { level, open } = setup(t)
  const store = await open({ now: () => now })
  await append(store, draft('m:a', 'before'))
  level.writeFaults.push({ error: noSpace() })
  level.openFaults.push(noSpace(), noSpace())
  const refused = { name: 'StoreError', full: true, message: /No space left/ }
  await t.rejects(append(store, draft('m:a', 'x')), refused)
  await t.rejects(append(store, draft('m:a', 'y')), refused)
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), ['before'], 'recent messages are still read')
  t.equal(level.openFaults.length, 1, 'no second try before its time')
  now += 10_000
  await t.rejects(append(store, draft('m:a', 'z')), refused)
  t.equal(level.openFaults.length, 0)
  now += 10_000
  t.equal(await append(store, draft('m:a', 'room again')), 'appended 2')
  t.equal(level.opened, 2)
  await store.close()
})

t.test('folding that fails', async (t) => {
  const { level, faults, open } = setup(t)
  const fold = { entries: 3 }
  const step = { error: new Error('IO error: step') }
  // Each time one write later: chunks, dedupe records, the end of the journal.
  for (let passed = 0; passed < 3; passed++) {
    const store = await open({ fold })
    const expected = Array.from({ length: passed * 4 }, (_, i) => `${i}`)
    level.writeFaults.push(undefined, ...Array(passed).fill(undefined), step)
    const more = Array.from({ length: 4 }, (_, i) => `${passed * 4 + i}`)
    await append(store, ...more.slice(0, 3).map((text) => draft('m:a', text, { cid: text })))
    await folded(store)
    t.match(faults.splice(0), [{ message: 'writing failed: IO error: step' }])
    await append(store, draft('m:a', more[3]!))
    t.same(texts(await store.log.read('m:a', 0, 100, 1e6)), [...expected, ...more], 'nothing is lost or doubled')
    t.equal(await append(store, draft('m:a', more[1]!, { cid: more[1]! })), `duplicate ${passed * 4 + 2}`)
    await folded(store)
    await store.close()
  }
  const store = await open({ fold })
  level.clearFaults.push(new Error('IO error: clear'))
  await append(store, ...['12', '13', '14'].map((text) => draft('m:a', text)))
  await folded(store)
  await store.close()
  const reopened = await open({ fold })
  t.match(faults, [{ message: 'writing failed: IO error: clear' }])
  t.equal((await reopened.log.readBefore('m:a', 100, 100, 1e6)).length, 15, 'a journal left behind is not read twice')
  await reopened.close()
})

/** A log with entries in chunks and in the journal, an erased one, notes and client-chosen ids. */
async function fillLog(store: Store): Promise<void> {
  const note = (text: string) => ({ notes: [{ kind: 'pin', target: null, name: '', value: text }] as const })
  await append(store, ...['old', 'older'].map((text) => draft('m:a', text, { cid: text, effect: note(text) })))
  await drop(store, 'm:nothing')
  const erase = { seqs: [1], gone: { why: 'deleted', by: 'ann', at: 1 } } as const
  await append(store, draft('m:a', 'new', { cid: 'new', effect: { ...note('new'), erase } }))
}

t.test('whatever fails when a log is dropped, nothing of it comes back', async (t) => {
  const error = new Error('IO error: broken')
  for (const restarts of [false, true])
    for (const [kind, count] of [
      ['writeFaults', 8],
      ['clearFaults', 6],
    ] as const)
      for (let passed = 0; passed < count; passed++)
        await t.test(`${kind} ${passed}, ${restarts ? 'with' : 'without'} a restart`, async (t) => {
          const { level, faults, open } = setup(t)
          let store = await open()
          await fillLog(store)
          // The commit itself succeeds.
          if (kind === 'writeFaults') level.writeFaults.push(undefined, ...Array(passed).fill(undefined), { error })
          else level.clearFaults.push(...Array(passed).fill(undefined), error)
          await drop(store, 'm:a')
          const left = async (): Promise<unknown> => [
            texts(await store.log.read('m:a', 0, 10, 1e6, 'shown')),
            await store.notes.list('m:a', { kind: 'pin', targets: [1, 9], limit: 9 }),
          ]
          t.same(await left(), [[], []])
          level.writeFaults.length = level.clearFaults.length = 0
          const restart = async (): Promise<void> => {
            await store.close()
            store = await open()
          }
          if (restarts) await restart()
          t.same(await left(), [[], []])
          t.equal(await append(store, draft('m:a', 'new', { cid: 'new' })), 'appended 1')
          for (let starts = 0; starts < 2; starts++) {
            t.same(await left(), [['new'], []])
            await restart()
          }
          await store.close()
          if (passed === 0) t.match(faults, [{ message: 'writing failed: IO error: broken' }])
        })
})

t.test('a log that is dropped while it is folded stays dropped', async (t) => {
  const { level, open } = setup(t)
  let store = await open({ fold: { entries: 2 } })
  let release = (): void => {}
  const after = new Promise<void>((resolve) => (release = resolve))
  level.writeFaults.push(undefined, { after })
  await append(store, draft('m:a', '1'), draft('m:a', '2'))
  await once(level.writes, 'begin')
  const dropping = drop(store, 'm:a')
  for (let turns = 0; turns < 20; turns++) await turn()
  release()
  await dropping
  t.equal(await append(store, draft('m:a', 'anew')), 'appended 1')
  for (let starts = 0; starts < 2; starts++) {
    t.same(texts(await store.log.read('m:a', 0, 9, 1e6)), ['anew'])
    await store.close()
    store = await open()
  }
  await store.close()
})

t.test('a log that is dropped again while others are removed stays dropped', async (t) => {
  const { level, open } = setup(t)
  let store = await open()
  const logs = Array.from({ length: 1000 }, (_, i) => `m:${1000 + i}`)
  await append(store, ...logs.map((log) => draft(log, 'old')))
  // Nothing is removed before the next start.
  level.writeFaults.push(undefined, { error: new Error('IO error: broken') })
  await commit(store, [], logs.map(dropLog))
  await store.close()
  store = await open()
  t.equal(await append(store, draft(logs.at(-1)!, 'anew')), 'appended 1')
  await commit(store, [], [dropLog(logs.at(-1)!)])
  await store.log.sweep()
  await store.close()
  store = await open()
  for (const log of logs) t.match(await store.log.open(log), { head: 0 })
  await store.close()
})

t.test('damage', async (t) => {
  const { location, open } = setup(t)
  await t.test('to the journal stops the start', async (t) => {
    const store = await open()
    for (let i = 0; i < 3; i++) await append(store, draft('m:a', `${i}`))
    await store.close()
    await damage(location, 'j', 1)
    const message = `${location}: the journal is damaged: the checksum of commit 2 does not match`
    await t.rejects(open(), { name: 'StoreError', message })
    await damage(location, 'j', 1)
    await (await open()).close()
    const value = await inFiles(location, async (level) => {
      const [, second] = await level.iterator({ gte: 'j', lt: 'k' }).all()
      await level.del(second![0])
      return second!
    })
    await t.rejects(open(), { message: `${location}: the journal is damaged: commit 2 is missing` })
    await inFiles(location, (level) => level.put(...value))
  })
  await t.test('to a chunk is an error of the reads that need it', async (t) => {
    let store = await open({ fold: { entries: 1 } })
    await append(store, ...Array.from({ length: 150 }, (_, i) => draft('m:a', `${i}`)))
    await folded(store)
    await store.close()
    await damage(location, 'c', 1)
    store = await open({ fold: { entries: 1 } })
    const error = {
      name: 'StoreError',
      message: /log m:a is damaged: the checksum of entries 65 to 128 does not match/,
    }
    await t.rejects(async () => store.log.read('m:a', 60, 10, 1e6), error)
    await t.rejects(store.log.readBefore('m:a', 130, 10, 1e6), error)
    t.equal((await store.log.read('m:a', 0, 64, 1e6)).length, 64)
    t.equal((await store.log.readBefore('m:a', 154, 25, 1e6)).length, 25)
    t.equal(await append(store, draft('m:a', 'on')), 'appended 154')
    await store.close()
    await inFiles(location, async (level) => {
      const [, second] = await level.iterator({ gte: 'c', lt: 'd' }).all()
      await level.del(second![0])
    })
    store = await open()
    await t.rejects(async () => store.log.read('m:a', 60, 10, 1e6), /log m:a is damaged: entry 65 is missing/)
    await store.close()
  })
})

t.test('opening refuses what it cannot own or understand', async (t) => {
  const { location, open } = setup(t)
  const store = await open()
  const inUse = `${location}: the store is already in use by another process; stop that, or set node.dataDir`
  await t.rejects(openLevelStore({ location, sync: true, limits: LIMITS }), { name: 'StoreError', message: inUse })
  await store.close()
  await inFiles(location, (level) => level.put('!format', Buffer.from('topictalk 99')))
  await t.rejects(open(), {
    message:
      `${location}: the store has format "topictalk 99", this version reads topictalk 1. ` +
      'Start the version that wrote it, or start on a backup of an earlier one',
  })
  await inFiles(location, (level) => level.del('!format'))
  await inFiles(location, (level) => level.put('foreign', Buffer.from('x')))
  await t.rejects(open(), { message: `${location}: not a TopicTalk store` })
})

t.test('a listener that throws harms nobody else', async (t) => {
  const { faults, open } = setup(t)
  const store = await open()
  const broken = (): never => {
    throw new Error('listener')
  }
  await store.log.follow('m:a', broken)
  const told = await toldOf(store, 'm:a')
  const grown: number[] = []
  store.log.onGrowth(broken)
  store.log.onGrowth((_log, head) => grown.push(head))
  t.same(await Promise.all([append(store, draft('m:a', '1')), append(store, draft('m:a', '2'))]), [
    'appended 1',
    'appended 2',
  ])
  t.same(
    faults.map((error) => (error as Error).message),
    ['listener', 'listener'],
  )
  t.same([told, grown], [['1', '2'], [2]])
  const foreign = commit(store, [draft('m:a', 'x')], [{ type: 'of another store' } as never])
  await t.rejects(foreign, StoreError, 'an op of someone else fails its commit')
  t.equal(await append(store, draft('m:a', '3')), 'appended 3')
  await store.close()
})

t.test('the cost of client-chosen ids', async (t) => {
  const { location, level, open } = setup(t)
  let now = 100 * DAY
  const options = { fold: { entries: 1 }, now: () => now }
  const ids = Array.from({ length: 500 }, (_, i) => draft('m:a', `${i}`, { cid: `c${i}` }))
  let store = await open(options)
  await append(store, ...ids)
  await folded(store)
  await store.close()
  now += 3 * DAY
  store = await open(options)
  await append(store, draft('m:a', 'a new day', { cid: 'new' }))
  await folded(store)
  const before = level.keysRead
  for (let i = 0; i < 500; i++) await append(store, draft('m:b', `${i}`, { cid: `c${i}` }))
  t.ok(level.keysRead - before < 10, `a fresh id needs no read: ${level.keysRead - before} of 500 did`)
  t.equal(await append(store, ids[7]!), 'duplicate 8', 'an old one is found')
  const plain = level.keysRead
  await append(store, draft('m:a', 'no id'))
  t.equal(level.keysRead, plain)
  await store.close()

  // The seventh day after is still promised, the one after that is not.
  now = 107 * DAY + DAY / 2
  for (const expected of ['duplicate 8', 'appended 503']) {
    store = await open(options)
    await append(store, draft('m:c', 'any'))
    await folded(store)
    t.equal(await append(store, ids[7]!), expected)
    await store.close()
    now += DAY
  }
  const days = await inFiles(location, async (level) => (await level.keys({ gte: 'g', lt: 'h' }).all()).length)
  t.equal(days, 2, 'old days are dropped whole')
})

t.test('a payload goes with its last reference', async (t) => {
  const { location, open } = setup(t)
  const store = await open()
  const message = { topic: 't', payload: Buffer.from('x'), qos: 1, retain: false, clientId: null } as const
  const targets = ['ann/a', 'bob/b'].map((sessionId) => ({ sessionId, qos: 1 as const }))
  await commit(store, [], [enqueueOp(message, targets), enqueueOp(message, targets)])
  const [{ number } = { number: 0 }] = await store.queue.read('ann/a', 0, 1, 1e6)
  await commit(store, [], [dequeueOp('ann/a', number), dequeueOp('bob/b', number)])
  await commit(store, [], store.sessions.discardOps('ann/a'))
  await store.close()
  const left = await inFiles(location, (level) => level.keys({ gte: 'p', lt: 's' }).all())
  t.equal(left.filter((key) => key.startsWith('p')).length, 1, 'one payload')
  t.equal(left.filter((key) => key.startsWith('r')).length, 1, 'for one session')
})

t.test('kill -9 at any moment loses nothing that was acknowledged', { timeout: 600_000 }, async (t) => {
  const { location, open } = setup(t)
  const acked: { log: string; cid: string; seq: number }[] = []
  for (const messages of [100, 1500, 4000]) {
    const child = fork(fileURLToPath(new URL('../helpers/appending-process.js', import.meta.url)), [location])
    const until = acked.length + messages
    child.on('message', (ack: (typeof acked)[number]) => {
      if (acked.push(ack) === until) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    const store = await open()
    const logs = new Map<string, string[]>()
    for (const log of await all(store.log.names())) {
      const entries = await store.log.read(log, 0, 1e6, 1e9)
      logs.set(
        log,
        entries.map(({ payload }) => JSON.parse(payload.toString()).cid),
      )
      t.same(
        entries.map(({ seq }) => seq),
        entries.map((_, i) => i + 1),
        `${log} is dense`,
      )
    }
    t.same(
      acked.filter(({ log, cid, seq }) => logs.get(log)?.[seq - 1] !== cid),
      [],
      `${acked.length} acknowledged, all there`,
    )
    const retries = acked.slice(-300).map(({ log, cid }) => draft(log, cid, { cid, hash: 'h' }))
    t.ok(
      (await commit(store, retries)).every(({ outcome }) => outcome === 'duplicate'),
      'retries are known',
    )
    await store.close()
  }
})
