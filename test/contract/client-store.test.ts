/** The adapters of the client's store that run in Node, and in apps, pass the suite of all; the one of browsers does in `browser/client-store`. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { openAsBlob } from 'node:fs'
import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { DirectoryStore } from '../../client/node/directory-store.js'
import { KeyValueStore, keyValueStore } from '../../client/react-native/key-value-store.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import { AppStorage } from '../helpers/app-storage.js'
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

t.test('key-value storage of an app', async (t) => {
  const place = async () => {
    const storage = new AppStorage()
    return { open: async () => new KeyValueStore(storage, 'topictalk/host/ann/') }
  }
  clientStoreSuite(t, { place, lasts: true, keepsFiles: false })
})

t.test('of an app that ends in the middle of a write, all of the write is there later, or nothing', async (t) => {
  for (let calls = 0; ; calls++) {
    const storage = new AppStorage()
    const store = new KeyValueStore(storage, 'topictalk/host/ann/')
    await store.write([{ put: 'rooms', key: ['old'], value: 1 }])
    storage.endAfter(calls)
    const changes = [
      { put: 'rooms', key: ['new'], value: 2 },
      { put: 'messages', key: ['new', 1], value: 3 },
      { delete: 'rooms', key: ['old'] },
    ] as const
    const isWritten = await store.write(changes).then(
      () => true,
      () => false,
    )
    storage.beginAnew()
    const next = new KeyValueStore(storage, 'topictalk/host/ann/')
    const rooms = (await next.range('rooms')).map(({ key }) => key[0])
    const messages = (await next.range('messages')).length
    t.ok(isWritten || calls < 6, 'it comes to an end')
    if (isWritten || rooms[0] === 'new') t.same([rooms, messages], [['new'], 1])
    else t.same([rooms, messages], [['old'], 0])
    t.same(
      storage.names.filter((name) => name.endsWith('journal')),
      [],
    )
    if (isWritten) break
    t.same(
      (await store.range('rooms')).map(({ key }) => key[0]),
      rooms,
      'the same store sees it, too',
    )
  }
})

t.test('a full storage of an app can be read, and deleting makes space', async (t) => {
  const storage = new AppStorage()
  const open = () => new KeyValueStore(storage, 'topictalk/host/ann/')
  const store = open()
  await store.write([{ put: 'outbox', key: ['old'], value: 'x'.repeat(500) }])
  // What holds the write fits, and not what it holds.
  storage.capacity = storage.used + 2500
  const large = 'y'.repeat(1000)
  const write = store.write([
    { put: 'outbox', key: ['new', 1], value: large },
    { put: 'outbox', key: ['new', 2], value: large },
  ])
  await t.rejects(write, { code: 'storage' })
  const next = open()
  for (const one of [store, next]) {
    t.same(
      (await one.range('outbox')).map(({ key, value }) => [...key, (value as string).length]),
      [
        ['new', 1, 1000],
        ['new', 2, 1000],
        ['old', 500],
      ],
      'the write was made, or none of it',
    )
    t.same(await one.get('outbox', [['new', 2]]), [large])
  }
  await t.rejects(next.write([{ put: 'outbox', key: ['more'], value: large }]), { code: 'storage' })
  await next.write([{ delete: 'outbox', key: ['new', 1] }])
  t.same(
    (await next.range('outbox')).map(({ key }) => key),
    [['new', 2], ['old']],
  )
  t.same(
    storage.names.filter((name) => name.endsWith('journal')),
    [],
  )
})

t.test('what else an app keeps stays, and users do not see each other', async (t) => {
  const storage = new AppStorage()
  await storage.multiSet([['theme', 'dark']])
  const open = keyValueStore(storage)
  const [ann, ann2] = ['ann', 'ann/2'].map((user) => open({ broker: 'host:1', user }))
  await ann!.write([{ put: 'rooms', key: ['a'], value: 1 }])
  await ann2!.write([{ put: 'rooms', key: ['b'], value: 2 }])
  t.same(await ann!.range('rooms'), [{ key: ['a'], value: 1 }])
  await ann!.destroy()
  t.same(await ann2!.range('rooms'), [{ key: ['b'], value: 2 }])
  t.equal(storage.names.length, 2)
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

t.test('a directory stays open when a file cannot be read', async (t) => {
  const path = t.testdir({ kept: {}, photo: 'bytes' })
  const store = new DirectoryStore(join(path, 'kept'))
  t.teardown(() => store.close())
  const photo = await openAsBlob(join(path, 'photo'))
  await rm(join(path, 'photo'))
  const changes = [new Blob(['a']), photo].map((value, at) => ({ put: 'files', key: [at], value }) as const)
  await t.rejects(store.write(changes), { code: 'storage' })
  t.same(await readdir(join(path, 'kept', 'files')), [], 'no bytes are left of it')
  for (let i = 0; i < 3; i++)
    await t.rejects(
      new DirectoryStore(join(path, 'kept')).range('rooms'),
      { code: 'storage' },
      'another one cannot have it',
    )
})

t.test('bytes in a directory that no row names are removed', async (t) => {
  const path = t.testdir()
  const files = join(path, 'files')
  const first = new DirectoryStore(path)
  await first.write([{ put: 'files', key: ['a'], value: new Blob(['a']) }])
  await first.write([{ put: 'files', key: ['b'], value: new Blob(['b']) }])
  t.equal((await readdir(files)).length, 2)
  await first.write([{ delete: 'files', key: ['a'] }])
  t.equal((await readdir(files)).length, 1, 'with their row')
  await first.close()
  await writeFile(join(files, 'left-by-a-crash'), 'x')
  const second = new DirectoryStore(path)
  t.teardown(() => second.close())
  const [kept] = (await second.get('files', [['b']])) as [Blob]
  t.equal(await kept.text(), 'b')
  const names = await readdir(files)
  t.equal(names.length, 1, 'when it is opened')
  t.equal((await stat(join(files, names[0]!))).mode & 0o777, 0o600)
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
