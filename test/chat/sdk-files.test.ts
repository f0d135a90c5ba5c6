/** Files that the SDK sends: uploaded before their message, through whatever happens, and shown to those who may read it. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { loadTokenSecret, mintToken } from '../../broker/auth/tokens.js'
import type { Chat, ChatOptions } from '../../client/chat.js'
import { Links } from '../../client/files/links.js'
import { fileTransfers, type Methods, type Outgoing, type SendState } from '../../client/index.js'
import { createChat as createNodeChat, directoryStore, fileAt } from '../../client/node/index.js'
import { keyValueStore } from '../../client/react-native/key-value-store.js'
import { AppStorage } from '../helpers/app-storage.js'
import { type Overrides, startTestBroker, type TestBroker } from '../helpers/broker.js'
import { fetchFrom } from '../helpers/http.js'
import { chatAt, when } from '../helpers/outbox-app.js'
import { until } from '../helpers/patience.js'
import { aFile, filesOf, noise, SeenRequests } from '../helpers/sdk-files.js'
import { filesOnDisk } from '../helpers/uploads.js'

interface Scene {
  readonly broker: TestBroker
  readonly seen: SeenRequests
  readonly ann: Chat
}

const portOf = (broker: TestBroker): number => Number(new URL(broker.wsUrl).port)

function chatOf(
  t: Test,
  broker: TestBroker,
  user: string,
  seen = new SeenRequests(),
  options: Partial<ChatOptions> = {},
) {
  return chatAt(t, broker, portOf(broker), user, { files: seen.transfers(), ...options })
}

/** Ann has the rooms tea and milk. */
async function scene(
  t: Test,
  media: Overrides['media'] = {},
  options: Parameters<typeof startTestBroker>[2] = {},
): Promise<Scene> {
  const broker = await startTestBroker(t, { media: { shared: true, ...media } }, options)
  const seen = new SeenRequests()
  const ann = chatOf(t, broker, 'ann', seen)
  await ann.connect()
  for (const room of ['tea', 'milk']) await ann.ask.rooms.create({ room, access: 'public' })
  return { broker, seen, ann }
}

const becomes = <A extends SendState['at']>(out: Outgoing, at: A): Promise<SendState> =>
  when(out.state, (state) => state.at === at)

t.test('a file is uploaded, then its message is sent, and those who may read it have it', async (t) => {
  const { broker, ann, seen } = await scene(t)
  const bytes = noise(300_000)
  const states: SendState[] = []
  const sound = { ...aFile(bytes, 'C:\\Grüße 😀.ogg'), attachment: { alt: 'birds' } }
  const out = ann.send('tea', { text: 'listen' }, { attach: [sound] })
  t.match(out.input, {
    text: 'listen',
    attachments: [{ type: 'audio', name: 'C:\\Grüße 😀.ogg', mime: 'audio/ogg', size: 300_000, alt: 'birds' }],
  })
  t.same(new Uint8Array(await out.attachments[0]!.arrayBuffer()), bytes, 'it can be shown meanwhile')
  out.state.subscribe((state) => states.push(state))
  await out.stored
  await out.sent
  t.same(
    states.map(({ at }) => at).filter((at, i, all) => at !== all[i - 1]),
    ['uploading', 'queued', 'sending', 'sent'],
  )
  const progress = states.filter((state) => state.at === 'uploading')
  t.same(progress[0], { at: 'uploading', done: 0, total: 300_000 })
  t.same(progress.at(-1), { at: 'uploading', done: 300_000, total: 300_000 })
  t.same(
    progress.map(({ done }) => done),
    progress.map(({ done }) => done).sort((a, b) => a - b),
  )
  t.ok(progress.length > 2, 'progress is told')
  t.same(seen.methods, ['POST', 'PATCH'])

  const bob = chatOf(t, broker, 'bob')
  await bob.connect()
  await t.rejects(bob.files.blob(out.input.attachments![0]!), { code: 'not_found' }, 'he is not in the room')
  await bob.ask.rooms.join({ room: 'tea' })
  const { messages } = await bob.ask.history({ room: 'tea' })
  t.match(messages, [
    { text: 'listen', attachments: [{ type: 'audio', file: String, mime: 'audio/ogg', size: 300_000, alt: 'birds' }] },
  ])
  t.same((await filesOf(bob, 'tea'))[0]![0], Buffer.from(bytes))
  t.same(ann.outbox.current, [])
})

t.test(
  'all that can be attached: a Blob, a File, bytes with a name, an empty file, beside a file that is there',
  async (t) => {
    const { ann } = await scene(t)
    const bytes = new Uint8Array([1, 2, 3])
    const attach = [
      new Blob(['in a blob'], { type: 'text/plain' }),
      new File(['in a file'], 'notes.txt', { type: 'text/plain' }),
      { bytes, name: 'three' },
      { bytes: new Blob([]), name: 'nothing', attachment: { type: 'hole' } },
    ]
    const there = ann.send('milk', {}, { attach: [new Blob(['there'])] })
    await there.sent
    const [known] = there.input.attachments!
    const out = ann.send('tea', { attachments: [known!] }, { attach })
    bytes.fill(9)
    await out.sent
    const { messages } = await ann.ask.history({ room: 'tea' })
    t.match(messages, [
      {
        attachments: [
          { type: 'file', size: 5 },
          { type: 'file', mime: 'text/plain', size: 9 },
          { type: 'file', name: 'notes.txt', mime: 'text/plain' },
          { type: 'file', name: 'three', size: 3 },
          { type: 'hole', name: 'nothing', size: 0 },
        ],
      },
    ])
    const texts = (await filesOf(ann, 'tea'))[0]!.map((file) => file.toString('latin1'))
    t.same(texts, ['there', 'in a blob', 'in a file', '\x01\x02\x03', ''], 'as they were when they were attached')
  },
)

t.test(
  'a message waits for its files in its place, other rooms do not, and two files are uploaded at a time',
  async (t) => {
    const { ann, seen } = await scene(t)
    seen.hold()
    const files = [1, 2, 3, 4].map((n) => aFile(noise(150_000), `${n}.ogg`))
    const first = ann.send('tea', '1', { attach: files.slice(0, 3) })
    const second = ann.send('tea', '2')
    const third = ann.send('tea', '3', { attach: files.slice(3) })
    await ann.send('milk', 'elsewhere').sent
    await becomes(first, 'uploading')
    t.equal(second.state.current.at, 'queued')
    seen.open()
    const all = await Promise.all([first, second, third].map(({ sent }) => sent))
    t.same(
      all.map(({ seq }) => seq),
      [1, 2, 3],
    )
    t.equal(seen.most, 2)
    const { messages } = await ann.ask.history({ room: 'tea' })
    t.match(messages, [{ attachments: [1, 2, 3].map((n) => ({ name: `${n}.ogg` })) }, { text: '2' }, { text: '3' }])
  },
)

t.test('what the broker does not take has failed, and a person can try again where that helps', async (t) => {
  const { ann, seen } = await scene(t, { fileBytes: 1000, userBytes: 1500 })
  const large = ann.send('tea', 'large', { attach: [aFile(noise(1001))] })
  const first = ann.send('tea', 'first', { attach: [aFile(noise(900))] })
  const second = ann.send('tea', 'second', { attach: [aFile(noise(900))] })
  await t.rejects(large.sent, { code: 'too_large', field: 'attachments.0.file' })
  t.match(large.state.current, { at: 'failed', mayRetry: false })
  await first.sent
  await t.rejects(second.sent, { code: 'too_large', field: 'attachments' })
  t.match(second.state.current, { at: 'failed', mayRetry: true }, 'the quota')
  t.same(ann.outbox.current, [large, second])
  await ann.ask.files.delete({ file: first.input.attachments![0]!.file! })
  second.retry()
  t.match(await second.sent, { seq: 2 })
  t.equal(await large.cancel(), true)
  const posts = seen.asked.filter(({ method }) => method === 'POST')
  t.equal(posts.length, 4)
})

t.test('an image that cannot be read, and a file that a scanner blocks, have failed for good', async (t) => {
  const scanFile = async ({ path }: { path: string }): Promise<boolean> => !(await readFile(path)).includes('evil')
  const { ann, broker } = await scene(t, {}, { hooks: { scanFile } })
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)])
  const broken = ann.send('tea', {}, { attach: [new Blob([png], { type: 'image/png' })] })
  const evil = ann.send('tea', {}, { attach: [new Blob(['this is evil'])] })
  const good = ann.send('tea', {}, { attach: [new Blob(['this is good'])] })
  await good.sent
  await t.rejects(broken.sent, { code: 'bad_request' })
  await t.rejects(evil.sent, { code: 'forbidden' })
  for (const out of [broken, evil]) t.match(out.state.current, { at: 'failed', mayRetry: false })
  t.equal((await filesOnDisk(broker)).length, 1)
})

t.test('a file that is not scanned yet is not uploaded again: its message waits', async (t) => {
  let answers = (_clean: boolean): void => {}
  const scanFile = (): Promise<boolean> => new Promise((resolve) => (answers = resolve))
  const { ann, seen } = await scene(t, { scan: { timeout: 0.1 } }, { hooks: { scanFile } })
  const out = ann.send('tea', {}, { attach: [aFile(noise(100))] })
  await becomes(out, 'sending')
  await becomes(out, 'queued')
  t.equal(await out.cancel(), true, 'it is not in the room')
  answers(true)
  t.same(seen.asked.filter(({ method }) => method === 'POST').length, 1)
})

t.test('what is canceled leaves nothing at the broker, and nothing on the device', async (t) => {
  const { ann, seen, broker } = await scene(t)
  seen.hold()
  const running = ann.send('tea', {}, { attach: [aFile(noise(100_000)), aFile(noise(50_000))] })
  const waiting = ann.send('tea', {}, { attach: [aFile(noise(100))] })
  await becomes(running, 'uploading')
  t.equal(await waiting.cancel(), true)
  t.equal(await running.cancel(), true)
  t.same(running.state.current, { at: 'canceled' })
  seen.open()
  await until('they are removed', async () => (await ann.ask.files.list()).files.length === 0)
  const done = ann.send('tea', {}, { attach: [aFile(noise(100)), new Blob([Buffer.alloc(2000)])] })
  seen.hold()
  await ann.send('tea', 'text', {}).cancel()
  seen.open()
  await done.sent
  t.equal((await filesOnDisk(broker)).length, 2)
  t.same(ann.outbox.current, [])
})

t.test('a file that waited for its message too long is uploaded once more', async (t) => {
  const { ann, seen } = await scene(t)
  await ann.ask.rooms.leave({ room: 'milk' })
  const out = ann.send('gone', {}, { attach: [aFile(noise(5000))] })
  await t.rejects(out.sent, { code: 'not_found' })
  t.match(out.state.current, { at: 'failed', mayRetry: true })
  await ann.ask.rooms.create({ room: 'gone' })
  await ann.ask.files.delete({ file: out.input.attachments![0]!.file! })
  out.retry()
  await out.sent
  t.same(seen.methods, ['POST', 'PATCH', 'POST', 'PATCH'])
  const again = ann.send('nowhere', {}, { attach: [aFile(noise(5000))] })
  await t.rejects(again.sent, { code: 'not_found' })
  await ann.ask.rooms.create({ room: 'nowhere' })
  again.retry()
  await again.sent
  t.equal(seen.asked.filter(({ method }) => method === 'POST').length, 3, 'what is there is not uploaded again')
})

t.test('a file that is removed again and again is a matter for a person', async (t) => {
  const { ann, seen } = await scene(t)
  seen.sent = async (file) => void (await ann.ask.files.delete({ file }))
  const out = ann.send('tea', {}, { attach: [aFile(noise(5000))] })
  await t.rejects(out.sent, { code: 'not_found', field: 'attachments.0.file' })
  t.match(out.state.current, { at: 'failed', mayRetry: true })
  t.same(seen.methods, ['POST', 'PATCH', 'POST', 'PATCH'])
  seen.sent = async () => {}
  out.retry()
  await out.sent
  t.same(seen.methods, ['POST', 'PATCH', 'POST', 'PATCH', 'POST', 'PATCH'])
})

t.test('tokens end while a file is uploaded', async (t) => {
  const broker = await startTestBroker(t, { media: { shared: true } })
  const secret = await loadTokenSecret(broker.config.auth.jwt, broker.dataDir)
  const seen = new SeenRequests()
  const why: string[] = []
  const auth = {
    getToken: async (asked: { why: string }) => {
      why.push(asked.why)
      // The first one ends before anything of the file is sent.
      return mintToken(secret, 'ann', { ttl: why.length === 1 ? 5 : 3600 })
    },
  }
  const ann = chatOf(t, broker, 'ann', seen, { auth })
  await ann.connect()
  await ann.ask.rooms.create({ room: 'tea' })
  seen.hold()
  const out = ann.send('tea', {}, { attach: [aFile(noise(100_000))] })
  await becomes(out, 'uploading')
  await until('another token is there', async () => why.length > 1)
  seen.open()
  await out.sent
  t.ok(new Set(seen.asked.map(({ authorization }) => authorization)).size > 1)
})

t.test('a password is shown as one, and an API key as a token', async (t) => {
  const { broker, ann } = await scene(t)
  const credentials = { user: 'carl', password: 'Grüße an alle 123' }
  await fetchFrom(broker, '/v1/auth/register', { method: 'POST', body: credentials })
  const person = new SeenRequests()
  const carl = chatOf(t, broker, 'carl', person, { auth: credentials })
  await carl.connect()
  await carl.ask.rooms.join({ room: 'milk' })
  await carl.send('milk', {}, { attach: [aFile(noise(2000))] }).sent
  t.match(person.asked[0]!.authorization, /^Basic /)
  const owner = chatOf(t, broker, 'owner')
  await owner.connect()
  const bot = await owner.ask.bots.create({ bot: 'helper' })
  const bytes = noise(2000)
  const seen = new SeenRequests()
  const helper = chatOf(t, broker, 'helper', seen, { auth: { token: bot.key.key } })
  await helper.connect()
  await helper.ask.rooms.join({ room: 'tea' })
  await helper.send('tea', {}, { attach: [aFile(bytes)] }).sent
  t.match(seen.asked[0]!.authorization, /^Bearer /)
  t.same((await filesOf(ann, 'tea'))[0]![0], Buffer.from(bytes))
})

t.test('links show files to whoever has them, are asked for together, and once', async (t) => {
  const { ann } = await scene(t)
  const background = { r: 200, g: 20, b: 20 }
  const image = await sharp({ create: { width: 900, height: 600, channels: 3, background } })
    .png()
    .toBuffer()
  const attach = [
    aFile(noise(1000), 'a.ogg'),
    aFile(noise(2000), 'b.ogg'),
    new Blob([new Uint8Array(image)], { type: 'image/png' }),
  ]
  await ann.send('tea', {}, { attach }).sent
  const { messages } = await ann.ask.history({ room: 'tea' })
  const [message] = messages
  const attachments = 'gone' in message! ? [] : message!.attachments!
  t.match(attachments[2], { type: 'image', width: 900, height: 600, thumbnail: String, placeholder: String })
  const urls = await Promise.all(attachments.map((attachment) => ann.files.url(attachment)))
  for (const [at, url] of urls.entries()) {
    const answer = await fetch(url)
    t.equal(answer.status, 200)
    t.equal((await answer.arrayBuffer()).byteLength, attachments[at]!.size)
  }
  const small = await ann.files.url(attachments[2]!, { thumbnail: true })
  t.equal((await fetch(small)).headers.get('content-type'), 'image/webp')
  t.equal((await ann.files.blob(attachments[2]!, { thumbnail: true })).type, 'image/webp')
  t.equal(await ann.files.url(attachments[0]!), urls[0], 'the same as before')
  t.equal(await ann.files.url({ url: 'https://example.com/cat.png' }), 'https://example.com/cat.png')
  await t.rejects(ann.files.url(attachments[0]!, { thumbnail: true }), { code: 'not_found' })
  await t.rejects(ann.files.url({ file: '0'.repeat(32) }), { code: 'not_found' })
  await t.rejects(ann.files.blob({}), { code: 'bad_request' })
  await t.rejects(ann.files.url({ url: 'javascript:alert(1)' }), { code: 'bad_request' })
  const page = ann.send('tea', {}, { attach: [new Blob(['<!doctype html><script>'], { type: 'text/html' })] })
  await page.sent
  t.equal((await ann.files.blob(page.input.attachments![0]!)).type, 'application/octet-stream')
})

t.test('links are asked for together, kept for a while, and asked for anew before they end', async (t) => {
  const { ann } = await scene(t)
  const attach = [1, 2, 3].map(() => aFile(noise(100)))
  const out = ann.send('tea', {}, { attach })
  await out.sent
  const ids = out.input.attachments!.map(({ file }) => file!)
  const asked: string[][] = []
  const counting: Methods['files']['links'] = (params, options) => {
    asked.push(params.files)
    return ann.ask.files.links(params, options)
  }
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead }
  const links = new Links({ files: Object.assign(Object.create(ann.ask.files), { links: counting }) }, clock)
  const first = await Promise.all([...ids, ids[0]!].map((id) => links.of(id)))
  t.same(
    first.map(({ file }) => file),
    [...ids, ids[0]],
  )
  t.same(asked, [ids])
  await links.of(ids[1]!)
  t.equal(asked.length, 1)
  clock.ahead = 250_000
  await links.of(ids[1]!)
  t.same(asked[1], [ids[1]])
  for (const ahead of [-1e9, 1e9]) {
    clock.ahead = ahead
    await links.of(ids[2]!)
    const before = asked.length
    await links.of(ids[2]!)
    clock.ahead += 29_000
    await links.of(ids[2]!)
    t.equal(asked.length, before, 'also when the clock of the device is wrong')
    clock.ahead += 240_000
    await links.of(ids[2]!)
    t.equal(asked.length, before + 1)
  }
  links.forget()
  await links.of(ids[0]!)
  t.same(asked.at(-1), [ids[0]])
})

t.test('who logs in next has nothing to do with the files of the one before', async (t) => {
  const { broker, ann: reader } = await scene(t)
  const seen = new SeenRequests()
  let user = 'ann'
  const auth = { getToken: () => broker.token(user) }
  const chat = chatOf(t, broker, 'ann', seen, { auth, store: directoryStore(t.testdir()) })
  await chat.connect()
  const before = chat.send('tea', {}, { attach: [aFile(noise(10))] })
  await before.sent
  const url = await chat.files.url(before.input.attachments![0]!)
  await chat.close()
  const out = chat.send('tea', 'of ann', { attach: [aFile(noise(100_000))] })
  await chat.connect()
  seen.hold()
  await becomes(out, 'uploading')
  await chat.close()
  seen.open()
  user = 'bob'
  await chat.connect()
  t.same(out.state.current, { at: 'canceled' })
  t.same(chat.outbox.current, [])
  t.same(await chat.ask.files.list(), { files: [], used: { files: 0, bytes: 0 }, more: false })
  await t.rejects(chat.files.url(before.input.attachments![0]!), { code: 'not_found' }, `and not ${url}`)
  await chat.close()
  user = 'ann'
  await chat.connect()
  await when(chat.outbox, (items) => items.length === 0)
  t.match((await reader.ask.history({ room: 'tea' })).messages, [
    {},
    { text: 'of ann', attachments: [{ size: 100_000 }] },
  ])
  t.equal(seen.asked.filter(({ method }) => method === 'POST').length, 2)
})

t.test('what a device cannot keep is sent all the same', async (t) => {
  const { broker, ann } = await scene(t)
  const directory = t.testdir()
  const first = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  await first.connect()
  const second = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  const bytes = noise(50_000)
  const out = second.send('tea', {}, { attach: [aFile(bytes)] })
  await second.connect()
  await t.rejects(out.stored, { code: 'storage', message: /in use/ })
  await out.sent
  t.same((await filesOf(ann, 'tea'))[0]![0], Buffer.from(bytes))
})

t.test('a client without files leaves alone what it cannot upload, and the next one goes on', async (t) => {
  const { broker } = await scene(t)
  const directory = t.testdir()
  const first = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  await first.send('tea', 'with a file', { attach: [aFile(noise(1000))] }).stored
  await first.close()
  const without = chatAt(t, broker, portOf(broker), 'ann', { store: directoryStore(directory) })
  await without.connect()
  const [out] = await when(without.outbox, (items) => items.length > 0)
  t.match(out!.state.current, { at: 'failed', error: { code: 'not_implemented', message: /fileTransfers/ } })
  await without.send('tea', 'after it').sent
  await without.close()
  const last = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  await last.connect()
  const [again] = await when(last.outbox, (items) => items.length > 0)
  again!.retry()
  await again!.sent
  const { messages } = await last.ask.history({ room: 'tea' })
  t.match(messages, [{ text: 'after it' }, { text: 'with a file', attachments: [{ size: 1000 }] }])
})

t.test('a file that the device has lost is told, and what follows is sent', async (t) => {
  const { broker } = await scene(t)
  const directory = t.testdir()
  const first = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  await first.send('tea', 'with a file', { attach: [aFile(noise(1000))] }).stored
  await first.close()
  for (const name of await readdir(directory, { recursive: true }))
    if (/files\/.+/.test(name)) await rm(join(directory, name))
  const second = chatOf(t, broker, 'ann', undefined, { store: directoryStore(directory) })
  await second.connect()
  await second.send('tea', 'after it').sent
  const [out] = second.outbox.current
  await t.rejects(out!.sent, { code: 'storage', message: /any more/ })
  t.match(out!.state.current, { at: 'failed', mayRetry: false })
  t.same(out!.attachments, [undefined])
})

t.test('an edit of a message with files comes after it, and replaces them', async (t) => {
  const { ann, seen } = await scene(t)
  seen.hold()
  const out = ann.send('tea', 'frist', { attach: [aFile(noise(100), 'a.ogg')] })
  const edit = ann.send(
    'tea',
    { type: 'edit', target: out.cid, text: 'first' },
    { attach: [aFile(noise(200), 'b.ogg')] },
  )
  const deleted = ann.send('tea', 'never', { attach: [aFile(noise(100))] })
  t.equal(ann.send('tea', { type: 'delete', target: deleted.cid }), deleted)
  t.same(deleted.state.current, { at: 'canceled' })
  seen.open()
  await edit.sent
  const { messages } = await ann.ask.history({ room: 'tea', view: 'folded' })
  t.match(messages, [{ text: 'first', attachments: [{ name: 'b.ogg', size: 200 }] }])
  t.equal(messages.length, 1)
})

t.test('a program on Node attaches files by their path, and needs no option for that', async (t) => {
  const { broker } = await scene(t)
  const directory = t.testdir({ 'notes.txt': 'what was there', 'sound.OGG': Buffer.from(noise(70_000)) })
  const url = `http://127.0.0.1:${portOf(broker)}`
  const auth = { token: await broker.token('ann') }
  const ann = createNodeChat({ url, auth, user: 'ann', store: join(directory, 'store') })
  t.teardown(() => ann.close())
  await ann.connect()
  const attach = [
    await fileAt(join(directory, 'notes.txt')),
    await fileAt(join(directory, 'sound.OGG'), { name: 'birds.ogg' }),
  ]
  await ann.close()
  const out = ann.send('tea', {}, { attach })
  ann.connect().catch(() => {})
  await out.stored
  await rm(join(directory, 'notes.txt'))
  await writeFile(join(directory, 'sound.OGG'), 'silence')
  await out.sent
  const { messages } = await ann.ask.history({ room: 'tea' })
  t.match(messages, [
    {
      attachments: [
        { type: 'file', name: 'notes.txt', mime: 'text/plain', size: 14 },
        { type: 'audio', name: 'birds.ogg', mime: 'audio/ogg', size: 70_000 },
      ],
    },
  ])
  await t.rejects(fileAt(join(directory, 'none')), { code: 'ENOENT' })
  const forgetful = createNodeChat({ url, auth, user: 'ann' })
  t.teardown(() => forgetful.close())
  const changed = forgetful.send('tea', {}, { attach: [await fileAt(join(directory, 'sound.OGG'))] })
  await writeFile(join(directory, 'sound.OGG'), 'another silence')
  await forgetful.connect()
  await t.rejects(changed.sent, { code: 'storage' })
  t.match(changed.state.current, { at: 'failed', mayRetry: false })
  t.throws(() => createNodeChat({ url: 'mqtt://localhost', auth }).files, { code: 'not_implemented' })
  const files = fileTransfers()
  t.throws(() => createNodeChat({ url: 'mqtt://localhost', auth, files }), {
    code: 'bad_request',
    message: /url: 'https/,
  })
})

t.test('what cannot be attached', async (t) => {
  const { broker, ann } = await scene(t)
  t.throws(() => ann.send('tea', {}, { attach: ['/etc/passwd' as never] }), {
    code: 'bad_request',
    field: 'attachments',
  })
  t.throws(() => ann.send('tea', {}, { attach: Array.from({ length: 33 }, () => new Blob(['x'])) }), {
    code: 'bad_request',
  })
  const small = new SeenRequests()
  const bob = chatOf(t, broker, 'bob', small, { files: small.transfers({ outboxBytes: 1000 }) })
  const first = bob.send('tea', {}, { attach: [aFile(noise(900))] })
  t.throws(() => bob.send('tea', {}, { attach: [aFile(noise(101))] }), { code: 'storage', message: /101.*100/ })
  t.equal(bob.outbox.current.length, 1)
  await first.cancel()
  bob.send('tea', {}, { attach: [aFile(noise(1000))] })
  const plain = chatAt(t, broker, portOf(broker), 'carl')
  t.throws(() => plain.send('tea', {}, { attach: [new Blob(['x'])] }), {
    code: 'not_implemented',
    message: /fileTransfers/,
  })
  t.throws(() => plain.files, { code: 'not_implemented' })
})

t.test('a file that the device cannot keep does not keep it from what is written beside it', async (t) => {
  const { broker } = await scene(t)
  const store = keyValueStore(new AppStorage())
  const ann = chatOf(t, broker, 'ann', new SeenRequests(), { store })
  await ann.connect()
  const photo = ann.send('tea', {}, { attach: [aFile(noise(100))] })
  const text = ann.send('tea', 'see you at 8')
  await t.rejects(photo.stored, { code: 'storage' })
  await t.resolves(text.stored)
  await Promise.all([photo.sent, text.sent])
})
