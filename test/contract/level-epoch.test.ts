/** The epoch of the embedded store: the same as long as nothing was taken back. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import t from 'tap'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { append, draft } from './store-suite.js'

const LIMITS = { queueMessages: 10, queueBytes: 1000 }

t.test('an epoch lasts until a backup is restored', async (t) => {
  const location = `${t.testdir()}/store`
  const opened = async (
    work: (store: Awaited<ReturnType<typeof openLevelStore>>) => Promise<unknown> = async () => {},
  ) => {
    const store = await openLevelStore({ location, sync: true, limits: LIMITS })
    await work(store)
    await store.close()
    return store.epoch
  }
  const restore = async (): Promise<void> => {
    await rm(location, { recursive: true })
    await cp(`${location}.backup`, location, { recursive: true })
  }
  const first = await opened((store) => append(store, draft('m:a', '1')))
  t.match(first, /^[0-9a-f-]{36}$/)
  t.equal(await opened((store) => append(store, draft('m:a', '2'))), first, 'a restart')
  await cp(location, `${location}.backup`, { recursive: true })
  await restore()
  t.equal(await opened((store) => append(store, draft('m:a', '3'))), first, 'a backup of the very same')
  await restore()
  const second = await opened()
  t.not(second, first, 'a backup that has less')
  t.equal(await opened((store) => append(store, draft('m:a', '3'), draft('m:a', '4'))), second)
  await restore()
  const third = await opened()
  t.not(third, first, 'a backup from before the last epoch')
  t.not(third, second)
  await writeFile(`${location}.witness`, 'damaged')
  t.equal(await opened(), third, 'what is not known says nothing')
  await rm(`${location}.witness`)
  t.equal(await opened(), third)
  t.match(JSON.parse(await readFile(`${location}.witness`, 'utf8')), { epoch: third })
})

t.test('in memory each store has its own', async (t) => {
  const open = () => openLevelStore({ location: null, sync: true, limits: LIMITS })
  const [one, other] = [await open(), await open()]
  t.not(one.epoch, other.epoch)
  await one.close()
  await other.close()
})
