/** A store whose files have lost something says so, and is not opened as if nothing had been there. */
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { firstDamage } from '../../broker/store/level/write-ahead-log.js'
import { Random } from '../helpers/random.js'
import { append, draft } from './store-suite.js'

const LIMITS = { queueMessages: 10, queueBytes: 1000 }

/** A closed store whose write-ahead log has some hundred records, a few of them longer than a block of it. */
async function written(t: Test) {
  const location = `${t.testdir()}/store`
  const faults: Error[] = []
  const open = (more = {}) => {
    const onFault = (error: unknown): void => void faults.push(error as Error)
    return openLevelStore({ location, sync: false, limits: LIMITS, fold: { idleMs: 2 ** 30 }, onFault, ...more })
  }
  const store = await open()
  for (let i = 0; i < 100; i++) await append(store, draft('m:a', i % 30 === 7 ? 'x'.repeat(70_000) : `message ${i}`))
  await store.close()
  const name = (await readdir(location)).find((file) => file.endsWith('.log'))!
  const file = join(location, name)
  return { location, file, open, faults, epoch: store.epoch, log: await readFile(file) }
}

t.test('a bit that is not what was written stops the start, wherever it is', async (t) => {
  const { location, file, open, log, epoch, faults } = await written(t)
  t.equal(firstDamage(log), null)
  const random = new Random(7)
  for (let i = 0; i < 300; i++) {
    const at = i === 0 ? 0 : i === 1 ? log.length - 1 : random.below(log.length)
    const damaged = Buffer.from(log)
    damaged[at]! ^= 1 << random.below(8)
    const found = firstDamage(damaged)
    // The last bytes of a block that have no room for a header are filled up, and read by nobody.
    if (at % 32_768 > 32_768 - 7) continue
    if (found === null || found > at) t.fail(`byte ${at} of ${log.length}: ${found}`)
  }
  const damaged = Buffer.from(log)
  damaged[20]! ^= 1
  await writeFile(file, damaged)
  await t.rejects(open(), { name: 'StoreError', message: /\.log is damaged at byte 0: .*store\.level\.onDamage=drop/ })
  t.strictSame(await readFile(file), damaged, 'and nothing is touched')
  await writeFile(file, log)
  const store = await open()
  t.equal(store.epoch, epoch)
  t.strictSame(faults, [])
  await store.close()
  t.equal((await stat(location)).mode & 0o777, 0o700)
})

t.test('a log that ends anywhere is what a crash leaves', async (t) => {
  const { log } = await written(t)
  const random = new Random(7)
  for (let i = 0; i < 300; i++) {
    const length = random.below(log.length)
    const found = firstDamage(log.subarray(0, length))
    if (found !== null) t.fail(`${length} of ${log.length} bytes: ${found}`)
  }
  t.equal(firstDamage(Buffer.concat([log, Buffer.alloc(5000)])), null, 'nor are zeros damage that a file system left')
})

t.test('what cannot be read is given up when asked to, and clients hear that numbers are void', async (t) => {
  const { file, open, log, epoch, faults } = await written(t)
  const damaged = Buffer.from(log)
  damaged[log.length - 1]! ^= 1
  await writeFile(file, damaged)
  await t.rejects(open(), { name: 'StoreError' })
  const store = await open({ dropDamaged: true })
  t.not(store.epoch, epoch)
  t.equal(await append(store, draft('m:a', 'on')), 'appended 100')
  await store.close()
  t.match(faults, [{ message: /damaged/ }])
  const again = await open({ dropDamaged: true })
  t.equal(again.epoch, store.epoch, 'a sound one keeps its numbers')
  await again.close()
})

t.test('a store that has lost all it had is not taken for a new one', async (t) => {
  const { location, open } = await written(t)
  await rm(location, { recursive: true })
  await t.rejects(open(), { name: 'StoreError', message: /the store is empty, but had data .*remove that file/ })
  await rm(`${location}.witness`)
  await (await open()).close()
})

t.test('a store that has less than it had says so', async (t) => {
  const { file, open, faults, log } = await written(t)
  await truncate(file, log.length >> 1)
  await (await open()).close()
  t.match(faults, [{ message: /has less than it had/ }])
})
