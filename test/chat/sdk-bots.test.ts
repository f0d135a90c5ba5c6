/** Programs that act on each message, with the SDK and a real broker. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { messagesOf } from '../../client/index.js'
import { startTestBroker } from '../helpers/broker.js'
import { endWithUs } from '../helpers/end-with-us.js'
import { httpUrl } from '../helpers/http.js'
import { chatAt, proxyOf } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { countedRequests } from '../helpers/requests.js'
import { personOf } from '../helpers/sdk/crowd.js'

async function start(t: Test, rooms: readonly string[], platform = {}) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const proxy = await proxyOf(t, broker)
  const bob = await personOf(broker, 'bob')
  const bot = await personOf(broker, 'bot')
  for (const room of rooms) {
    await bob.rooms.create({ room })
    await bot.rooms.join({ room })
  }
  return { broker, proxy, bob, bot, chat: chatAt(t, broker, proxy.port, 'bot', { platform }) }
}

type Texts = AsyncIterable<{ readonly text?: string; readonly type?: string; readonly seq: number }>

/** The texts of the next ones; where there is none, the type. */
async function take(messages: Texts, count: number): Promise<string[]> {
  const texts: string[] = []
  const taking = async (): Promise<void> => {
    for await (const { text, type } of messages) if (texts.push(text ?? type ?? '') === count) return
  }
  await answered(`${count} messages`, taking())
  return texts
}

t.test('a room is read from a number on, then as it goes on, over lost connections, until it is over', async (t) => {
  const { bob, proxy, chat } = await start(t, ['tea'])
  for (let i = 1; i <= 250; i++) await bob.send({ room: 'tea', text: `${i}` })
  await bob.send({ room: 'tea', type: 'edit', target: 250, text: 'edited' })
  await bob.send({ room: 'tea', type: 'delete', target: 102 })
  const tea = chat.room('tea')
  const end = new AbortController()
  const read: string[] = []
  const reading = (async () => {
    for await (const { text, type } of messagesOf(tea, { after: 100, signal: end.signal })) read.push(text ?? type!)
  })()
  t.same(read, [], 'it waits for the connection')
  await chat.connect()
  await until('all of it', async () => read.length >= 151)
  t.same(read.slice(0, 2), ['101', '103'])
  t.same(read.slice(-3), ['250', 'edited', 'delete'])
  const fromNow = take(messagesOf(tea), 3)
  await until('it has begun', async () => chat.status.current.state === 'online')
  proxy.cut()
  await bob.send({ room: 'tea', text: 'while it was away' })
  chat.retryNow()
  await bob.send({ room: 'tea', text: 'later' })
  await bob.send({ room: 'tea', type: 'reaction', target: 1, data: { emoji: '👍' } })
  t.same(await fromNow, ['while it was away', 'later', 'reaction'])
  await until('both have them', async () => read.length === 154)
  end.abort()
  await answered('it is over', reading)
  const closed = take(messagesOf(tea), 1)
  await chat.close()
  t.same(await closed, [], 'it ends with the client')
})

t.test('a room that is not there is an error, one that is made anew begins anew', async (t) => {
  const { bob, bot, chat } = await start(t, ['tea'])
  await chat.connect()
  await t.rejects(take(messagesOf(chat.room('none'), { after: 0 }), 1), { code: 'not_found' })
  await bob.send({ room: 'tea', text: 'old' })
  const reading = take(messagesOf(chat.room('tea'), { after: 0 }), 2)
  const all = take(messagesOf(chat, { name: 'all' }), 2)
  await until('it is read', async () => chat.rooms.current[0]?.last?.seq === 1)
  await chat.ask.history({ room: 'tea' })
  await bob.rooms.delete({ room: 'tea' })
  await bob.rooms.create({ room: 'tea' })
  await bot.rooms.join({ room: 'tea' })
  await bob.send({ room: 'tea', text: 'new' })
  t.same(await reading, ['old', 'new'])
  t.same(await all, ['old', 'new'])
})

t.test('all rooms are read, also new ones from where the bot joined; another name begins by itself', async (t) => {
  const { bob, bot, chat } = await start(t, ['tea', 'milk'])
  await bob.send({ room: 'tea', text: 'tea 1' })
  await bob.rooms.create({ room: 'old' })
  await bob.send({ room: 'old', text: 'before it came' })
  await chat.connect()
  const messages = messagesOf(chat, { name: 'one' })
  const all: string[] = []
  const taking = (async () => {
    for await (const { text } of messages) if (all.push(text ?? '') === 4) return
  })()
  await until('the first', async () => all.length === 1)
  await bot.rooms.join({ room: 'old' })
  await bob.send({ room: 'old', text: 'hello bot' })
  await bob.send({ room: 'milk', text: 'milk 1' })
  await bob.send({ room: '@bot', text: 'psst' })
  await answered('all', taking)
  t.same([...all].sort(), ['hello bot', 'milk 1', 'psst', 'tea 1'])
  const rest = take(messagesOf(chat, { name: 'one' }), 2)
  await bob.send({ room: 'tea', text: 'tea 2' })
  t.same(
    (await rest).filter((text) => text !== 'tea 2'),
    all.slice(-1),
    'the one that it was not done with comes again',
  )
  t.equal((await take(messagesOf(chat, { name: 'two' }), 5)).length, 5)
})

t.test('a bot that is removed from a room as it asks for its messages goes on in the others', async (t) => {
  const { counts, socket } = countedRequests(['history'])
  const { bob, proxy, chat } = await start(t, ['tea', 'milk'], { socket })
  await chat.connect()
  await bob.send({ room: 'tea', text: 'tea 1' })
  const messages = messagesOf(chat, { name: 'all' })[Symbol.asyncIterator]()
  t.match(await messages.next(), { value: { text: 'tea 1' } })
  await bob.send({ room: 'tea', text: 'tea 2' })
  await until('it is told of', async () => chat.rooms.current.some(({ last }) => last?.seq === 2))
  proxy.blackhole()
  const before = counts['history']!
  const next = messages.next()
  await until('it is asked for', async () => counts['history']! > before)
  await bob.rooms.remove({ room: 'tea', user: 'bot' })
  // The request comes before the client hears of it.
  proxy.heal()
  await bob.send({ room: 'milk', text: 'milk 1' })
  t.match(await answered('the other room', next), { value: { text: 'milk 1' } })
})

t.test('a room that is made anew while a message of the old one is worked on is read from its begin', async (t) => {
  const { bob, bot, chat } = await start(t, ['tea'])
  await chat.connect()
  await bob.send({ room: 'tea', text: 'old' })
  const messages = messagesOf(chat, { name: 'all' })[Symbol.asyncIterator]()
  t.match(await messages.next(), { value: { text: 'old' } })
  await bob.rooms.delete({ room: 'tea' })
  await bob.rooms.create({ room: 'tea' })
  await bot.rooms.join({ room: 'tea' })
  await bob.send({ room: 'tea', text: 'new' })
  await until('it is told of', async () => JSON.stringify(chat.rooms.current[0]?.last ?? null).includes('"new"'))
  t.match(await answered('its first', messages.next()), { value: { text: 'new' } })
})

t.test(
  'what the user of a bot reads elsewhere is not skipped, in a room without messages so far, either',
  async (t) => {
    const { bob, bot, chat } = await start(t, ['tea', 'milk'])
    await chat.connect()
    await bob.send({ room: 'milk', text: 'milk 1' })
    t.same(await take(messagesOf(chat, { name: 'all' }), 1), ['milk 1'])
    const { seq } = await bob.send({ room: 'tea', text: 'tea 1' })
    await bot.read({ room: 'tea', seq })
    await until('it is read', async () => chat.rooms.current.some(({ room, unread }) => room === 'tea' && unread === 0))
    await until('it is told of', async () =>
      chat.rooms.current.some(({ room, last }) => room === 'tea' && last?.seq === seq),
    )
    t.same((await take(messagesOf(chat, { name: 'all' }), 2)).sort(), ['milk 1', 'tea 1'])
  },
)

t.test('a bot that is killed again and again acts on each message, in order, and on few of them twice', async (t) => {
  const rooms = ['tea', 'milk', 'cake']
  const { broker, bob } = await start(t, rooms)
  const random = Random.from('BOT_SEED')
  t.comment(`BOT_SEED=${random.seed}; when it is killed is not repeated`)
  const directory = t.testdir()
  const file = join(directory, 'done')
  const token = await broker.token('bot')
  const url = httpUrl(broker)
  const talk = (async () => {
    for (let i = 0; i < 300; i++) await bob.send({ room: random.pick(rooms), text: `${i}` })
  })()
  const done = (): string[] => readFileSync(file, 'utf8').trim().split('\n')
  const program = fileURLToPath(new URL('../helpers/bot-process.js', import.meta.url))
  let kills = 0
  const run = async (isLast: boolean): Promise<void> => {
    const bot = fork(program, [url, token, join(directory, 'kept'), file])
    endWithUs(bot)
    let left = isLast ? Number.POSITIVE_INFINITY : random.between(1, 40)
    const enough = new Promise<void>((resolve) => bot.on('message', () => --left <= 0 && resolve()))
    if (isLast) await until('all is done', async () => new Set(done()).size === 300)
    else await answered('some are done', enough)
    kills++
    bot.kill('SIGKILL')
    await once(bot, 'exit')
  }
  for (let i = 0; i < 6; i++) await run(false)
  await talk
  await run(true)
  const all = done()
  t.equal(new Set(all).size, 300, 'none is missing')
  t.ok(all.length - 300 <= kills, `${all.length - 300} of them twice, after ${kills} times`)
  for (const room of rooms) {
    const seqs = all.flatMap((line) => (line.startsWith(`${room} `) ? [Number(line.split(' ')[1])] : []))
    t.same(
      seqs,
      [...seqs].sort((a, b) => a - b),
      `${room} is in order`,
    )
  }
})
