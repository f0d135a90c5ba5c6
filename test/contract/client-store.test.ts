/** The adapters of the client's store that run in Node pass the suite of all; the one of browsers does in `browser/client-store`. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DirectoryStore } from '../../client/node/directory-store.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import { endWithUs } from '../helpers/end-with-us.js'
import { clientStoreSuite } from './client-store-suite.js'

t.test('memory', async (t) => {
  clientStoreSuite(t, { place: async () => ({ open: async () => new MemoryStore() }), lasts: false })
})

t.test('directory', async (t) => {
  const place = async (t: Test) => {
    const path = join(t.testdir(), 'made', 'for', 'it')
    const opened: DirectoryStore[] = []
    t.teardown(() => Promise.all(opened.map((store) => store.close())))
    const open = async () => {
      opened.push(new DirectoryStore(path))
      return opened.at(-1)!
    }
    return { open }
  }
  clientStoreSuite(t, { place, lasts: true })
})

t.test('a directory is of one client at a time', async (t) => {
  const path = t.testdir()
  const [first, second] = [new DirectoryStore(path), new DirectoryStore(path)]
  t.teardown(() => Promise.all([first.close(), second.close()]))
  await first.range('rooms')
  await t.rejects(second.range('rooms'), { code: 'storage', message: `${path} is in use: one client at a time` })
  await first.close()
  t.same(await second.range('rooms'), [], 'the next call finds it free')
})

t.test('others cannot read what is in a directory', async (t) => {
  const path = join(t.testdir(), 'made')
  const store = new DirectoryStore(path)
  await store.range('rooms')
  await store.close()
  t.equal((await stat(path)).mode & 0o777, 0o700)
})

t.test('of a process that is killed, all is there that was durable', async (t) => {
  const path = t.testdir()
  const child = fork('dist/test/helpers/storing-process.js', [path])
  endWithUs(child)
  const gone = once(child, 'exit')
  let told = 0
  child.on('message', (at: number) => {
    told = at
    if (at === 200) child.kill('SIGKILL')
  })
  await gone
  const store = new DirectoryStore(path)
  t.teardown(() => store.close())
  const rows = await store.range('outbox')
  t.ok(told >= 200 && rows.length >= told, `${rows.length} rows, ${told} told`)
  t.same(
    rows.map(({ key }) => key),
    rows.map((_, at) => [at + 1]),
  )
})
