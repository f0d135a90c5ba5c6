/** What nobody may read any more is not in the files either, a day later. */
import { randomBytes } from 'node:crypto'
import t from 'tap'
import type { FoldLimits } from '../../broker/store/level/folding.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import type { GoneEntries } from '../../broker/store/logs.js'
import { retainOp } from '../../broker/store/queue-ops.js'
import type { Store } from '../../broker/store/store.js'
import { filesIn, found, secret } from '../helpers/disk.js'
import { append, commit, draft, drop, folded, texts } from './store-suite.js'

const START = 1_800_000_000_000
const HOUR = 3_600_000
const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }

const NEVER = { idleMs: 2 ** 30 }
const ALWAYS = { ...NEVER, commits: 1 }

const WAYS = [
  { how: 'in a chunk', fold: ALWAYS, reopened: false },
  { how: 'in the journal', fold: NEVER, reopened: false },
  { how: 'in a chunk, having gone through many files', fold: ALWAYS, reopened: true },
  { how: 'in the journal, having gone through many files', fold: NEVER, reopened: true },
]

t.test('what expired or was erased is off the disk within a day, without any traffic', async (t) => {
  for (const { how, fold, reopened, erased } of WAYS.flatMap((way) => [
    { ...way, erased: false },
    { ...way, erased: true },
  ])) {
    t.test(`${erased ? 'erased' : 'expired'} ${how}`, async (t) => {
      const location = `${t.testdir()}/store`
      let now = START
      const open = (fold: Partial<FoldLimits>): Promise<Store> =>
        openLevelStore({ location, sync: true, limits: LIMITS, fold, now: () => now })
      let store = await open(fold)
      const extra = erased ? null : { properties: Buffer.alloc(0), expiresAt: START + HOUR }
      const secrets = Array.from({ length: 100 }, secret)
      const kept = secret()
      for (const [i, word] of secrets.entries()) {
        const log = `m:${i % 3}`
        await append(store, draft(log, word, { extra }), draft(log, `${i}`))
        if (!reopened || i % 10 > 0) continue
        // A start moves what is in the journal of LevelDB into a file.
        await store.close()
        store = await open(fold)
      }
      await append(store, draft('m:0', kept))
      if (extra) {
        const word = secret()
        secrets.push(word)
        const message = { topic: 't', payload: Buffer.from(word), qos: 1, retain: true, clientId: null, extra } as const
        await commit(store, [], [retainOp(message)])
      }
      await folded(store)
      t.same(found(await filesIn(location), secrets), secrets, 'all there before')
      const gone = { why: 'deleted', by: 'ann', at: START } as const
      for (const log of erased ? ['m:0', 'm:1', 'm:2'] : []) {
        const seqs = (await store.log.read(log, 0, 1000, 1e6)).map(({ seq }) => seq)
        const secretSeqs = seqs.filter((seq) => seq % 2 === 1 && seq < 68)
        await append(store, draft(log, 'delete', { effect: { erase: { seqs: secretSeqs, gone } } }))
      }
      now = START + HOUR
      if (fold === NEVER) {
        // An idle broker folds.
        await store.close()
        store = await open(ALWAYS)
        await folded(store)
      }
      for (let hours = 2; hours <= 24; hours++) {
        now = START + hours * HOUR
        await store.log.sweep()
      }
      t.same(found(await filesIn(location), [...secrets, kept]), [kept], 'only what is kept')
      await store.close()
    })
  }
})

t.test('so is a log that was dropped before any of it was in chunks', async (t) => {
  const location = `${t.testdir()}/store`
  let now = START
  const store = await openLevelStore({ location, sync: true, limits: LIMITS, fold: NEVER, now: () => now })
  const words = Array.from({ length: 10 }, secret)
  for (const word of words) await append(store, draft('m:a', word))
  t.same(found(await filesIn(location), words), words)
  await drop(store, 'm:a')
  for (let hours = 1; hours <= 24; hours++) {
    now += HOUR
    await store.log.sweep()
  }
  t.same(found(await filesIn(location), words), [])
  await store.close()
})

t.test('a log that is dropped, and an account that is removed, are off the disk within a day', async (t) => {
  const location = `${t.testdir()}/store`
  let now = START
  const open = (fold: Partial<FoldLimits>): Promise<Store> =>
    openLevelStore({ location, sync: true, limits: LIMITS, fold, now: () => now })
  for (const fold of [ALWAYS, NEVER]) {
    let store = await open(fold)
    const [kept, ...words] = Array.from({ length: 100 }, secret)
    // One word in small letters: as in the records by which users are found.
    const name = randomBytes(18).toString('hex')
    const gone = [name, ...words]
    const profile = { user: 'ann', name, avatar: null, fields: {}, updatedAt: 1 }
    await commit(store, [], store.directory.profileOps(profile, null))
    await append(store, draft('m:b', kept!))
    for (const [i, word] of words.entries()) {
      await append(store, draft('m:a', word))
      if (i % 30 > 0) continue
      await store.close()
      store = await open(fold)
    }
    await folded(store)
    t.same(found(await filesIn(location), [kept!, ...gone]), [kept, ...gone], 'all there before')
    await commit(store, [], store.directory.deleteUserOps('ann', now, profile))
    await drop(store, 'm:a')
    for (let hours = 1; hours <= 24; hours++) {
      now += HOUR
      await store.log.sweep()
    }
    t.same(found(await filesIn(location), [kept!, ...gone]), [kept])
    await drop(store, 'm:b')
    await store.close()
  }
})

t.test('what expired before it was folded is there for whom it was sent to, until its hour is over', async (t) => {
  const location = `${t.testdir()}/store`
  let now = START + 60_000
  const open = () => openLevelStore({ location, sync: true, limits: LIMITS, fold: ALWAYS, now: () => now })
  let store = await open()
  const short = draft('m:a', 'short', { extra: { properties: Buffer.alloc(0), expiresAt: now - 1000 } })
  await append(store, short, draft('m:a', 'long'))
  await folded(store)
  await store.close()
  store = await open()
  const read = async (gone: GoneEntries) => texts(await store.log.read('m:a', 0, 10, 1e6, gone))
  t.same(await read('expired too'), ['short', 'long'])
  t.same(await read('passed over'), ['long'])
  now = START + HOUR
  await store.log.sweep()
  t.same(await read('expired too'), ['long'])
  await store.close()
})
