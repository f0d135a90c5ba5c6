/** `topictalk chat` on a real terminal: tmux. */
import t from 'tap'
import { startTestBroker } from '../helpers/broker.js'
import { BrokerProcess } from '../helpers/broker-process.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { CLI } from '../helpers/command.js'
import { Person } from '../helpers/people.js'
import { addressOf, chatting } from '../helpers/terminal-chat.js'
import { Tmux } from '../helpers/tmux.js'

t.test('two people talk: what they write keeps the line beside the rooms in its place', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', { columns: 110 })
  const bob = await chatting(t, await addressOf(broker, 'bob'), 'bob')
  await alice.enter('你好, 世界 🎉')
  await bob.until(/1 \d\d:\d\d alice: 你好, 世界 🎉/)
  await bob.enter('@alice psst')
  await bob.until(/sent to @alice: psst/)
  await bob.enter('@nobody psst')
  await bob.until(/not sent to @nobody: psst: there is no user nobody/)
  await bob.enter('hi @alice مرحبا')
  const screen = await alice.until(/2@\d\d:\d\d bob: hi @alice مرحبا[\s\S]*lobby · #1 (delivered|read)/)
  const lines = screen.split('\n')
  t.match(screen, />1 lobby/)
  t.match(await alice.until(/ 2 @bob \*1/), /│/)
  for (const text of ['你好', 'مرحبا']) {
    const line = lines.find((one) => one.includes(text))!
    const wide = [...line].filter((one) => /[\u{1100}-\u{115f}\u{2e80}-\u{ffdc}\u{1f300}-\u{1faff}]/u.test(one)).length
    t.equal([...line].indexOf('│') + wide, 85, line)
  }
  await bob.type('I am')
  await alice.until(/bob typing/)
})

t.test('a message is edited with the arrow up, answered, and reacted to in its place', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  await alice.enter('helo')
  await alice.until(/1 \d\d:\d\d alice: helo/)
  await alice.press('Up')
  await alice.until(/edit #1> helo/)
  await alice.press('BSpace')
  await alice.enter('lo')
  await alice.until(/alice: hello \(edited\)\n/)
  await alice.enter('/react #1 🎉')
  await alice.until(/hello \(edited\)\n +🎉 1\n/)
  await alice.enter('/reply #1 indeed')
  await alice.until(/↳ #1 alice: hello/)
  await alice.enter('/thread #1 aside')
  await alice.until(/1 in its thread/)
  await alice.enter('/thread #1')
  await alice.until(/lobby #1>/)
  await alice.until(/alice: aside/)
  await alice.press('Tab')
  await alice.type('/rea')
  await alice.press('Tab')
  await alice.until(/lobby #1> \/react/)
  await alice.press('C-c')
  await alice.enter('/delete #1')
  await alice.enter('/thread')
  await alice.until(/deleted by alice/)
})

t.test('a message that was found is shown where it is, and the newest ones come back', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const bob = await broker.connect('bob')
  const carol = await Person.connect(t, broker, 'carol')
  for (let i = 1; i <= 200; i++) await bob.publishAsync('rooms/lobby/messages', `line ${i}.`, { qos: 1 })
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  await alice.until(/line 200\./)
  await alice.enter('/goto #20')
  await alice.until(/ 20 \d\d:\d\d bob: line 20\.[\s\S]*earlier messages/)
  await alice.enter('/search "line 150"')
  await alice.until(/lobby #150 \d\d:\d\d bob: line 150\./)
  await alice.enter('/react #20 🎉')
  await alice.enter('/goto #150')
  await alice.until(/ 150 \d\d:\d\d bob: line 150\./)
  await alice.enter('/edit #1 mine')
  await carol.get('rooms.create', { room: 'den', access: 'private' })
  await carol.get('rooms.invite', { room: 'den', user: 'alice' })
  await bob.publishAsync('users/alice/messages', 'psst', { qos: 1 })
  t.match(await alice.until(/@bob \*1/), / 150 \d\d:\d\d bob: line 150\./, 'what is told takes nobody away')
  await alice.press('End')
  await alice.until(/ 200 \d\d:\d\d bob: line 200\.[\s\S]*carol invites you into den/)
  await alice.until(/not sent to lobby: edit #1: mine/)
  await alice.enter('/help')
  const help = await alice.until(/Tab completes\n/)
  t.match(help, /rooms: \/join ROOM · [\s\S]*messages: \/reply [\s\S]*chat: \/help/)
})

t.test('rooms by number, earlier messages by page, and several lines pasted at once', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  for (let i = 1; i <= 70; i++) await bob.publishAsync('rooms/lobby/messages', `line ${i}.`, { qos: 1 })
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  await alice.until(/line 70\./)
  await alice.press('PPage', 'PPage')
  await alice.until(/earlier messages/)
  for (let i = 0; i < 5; i++) await alice.press('PPage')
  await alice.until(/ 1 \d\d:\d\d bob: line 1\./)
  await alice.enter('/create tea')
  await alice.until(/tea>/)
  await alice.paste('two\nlines')
  await alice.until(/tea> two↵lines/)
  await alice.press('Enter')
  await alice.until(/alice: two\n +lines\n/)
  await bob.publishAsync('rooms/lobby/messages', '{"text":"@alice?","mentions":["@alice"]}', { qos: 1 })
  await alice.until(/tea .*lobby \*1 @1/)
  await alice.press('M-1')
  await alice.until(/lobby>\s*$/)
  await alice.until(/bob: @alice\?/)
})

t.test('of more rooms than there are rows the open one is seen, and what is unread in the others', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await Person.connect(t, broker, 'bob')
  const long = 'a-room-with-a-name-that-is-too-long'
  const rooms = ['room-2', long, 'room-4', 'room-5', 'room-6']
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', { columns: 110, rows: 6 })
  for (const room of rooms) {
    await bob.get('rooms.create', { room })
    await alice.enter(`/join ${room}`)
    await alice.until(new RegExp(`^${room}>`, 'm'))
  }
  for (const room of ['lobby', long]) await bob.say(room, 'unread')
  const screen = await alice.until(/^ room-6 · lobby \*1$/m)
  for (const row of [/│ 3 a-room-with-a-nam… \*1$/m, /│ 4 room-4$/m, /│ 5 room-5$/m, /│>6 room-6$/m])
    t.match(screen, row)
  await alice.press('M-3')
  await alice.until(/│>3 a-room-with-a-name-t…\n/)
  await alice.press('M-1')
  await alice.until(/│>1 lobby\n/)
})

t.test(
  'a mention elsewhere rings the bell, unless that is not wanted, and what was begun in a room goes on there',
  async (t) => {
    const broker = await startTestBroker(t)
    const bob = await broker.connect('bob')
    for (const flag of ['', '--no-bell']) {
      const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', {}, flag)
      await alice.enter(flag ? '/join tea' : '/create tea')
      await alice.until(/tea>/)
      await alice.type('begun')
      const recorded = await alice.record()
      await bob.publishAsync('rooms/lobby/messages', '{"text":"@alice?","mentions":["@alice"]}', { qos: 1 })
      await alice.until(/lobby \*1 @1/)
      t.equal((await recorded(/lobby \*1 @1/)).includes('\u0007'), flag === '')
      await alice.press('C-n')
      await alice.until(/lobby>\s*$/)
      await alice.press('C-p')
      await alice.until(/> begun\s*$/)
      await alice.press('C-c', 'C-c')
      await alice.until(/shell\$\s*$/)
    }
  },
)

t.test('a room that is joined late gives way to what the user does meanwhile', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  const carol = await Person.connect(t, broker, 'carol')
  for (const room of ['builds', 'tea']) await carol.get('rooms.create', { room })
  const proxy = await ByteProxy.start(t, () => broker.port)
  const { token } = await addressOf(broker, 'alice')
  const alice = await chatting(t, { url: `mqtt://127.0.0.1:${proxy.port}`, token }, 'alice')
  await alice.enter('here')
  await alice.until(/1 \d\d:\d\d alice: here/)
  await bob.publishAsync('users/alice/messages', 'psst', { qos: 1 })
  await alice.until(/@bob \*1/)
  proxy.blackhole()
  await alice.enter('/join builds')
  await alice.press('M-2')
  await alice.until(/@bob>/)
  await alice.type('the password is')
  await alice.until(/@bob> the password is/)
  proxy.heal()
  await alice.until(/builds is ready: (Alt-3|\/join builds) opens it[\s\S]*@bob> the password is\s*$/)
  await alice.press('C-c')
  await alice.enter('never mind')
  await alice.until(/alice: never mind/)
})

t.test('what is entered behind /join goes to that room', async (t) => {
  const broker = await startTestBroker(t)
  const carol = await Person.connect(t, broker, 'carol')
  for (const room of ['builds', 'tea']) await carol.get('rooms.create', { room })
  const proxy = await ByteProxy.start(t, () => broker.port)
  const { token } = await addressOf(broker, 'alice')
  const alice = await chatting(t, { url: `mqtt://127.0.0.1:${proxy.port}`, token }, 'alice')
  await alice.enter('here')
  await alice.until(/1 \d\d:\d\d alice: here/)
  proxy.blackhole()
  await alice.enter('/join tea')
  await alice.enter('two sugars')
  proxy.heal()
  await alice.until(/1 \d\d:\d\d alice: two sugars[\s\S]*tea>\s*$/)
  await alice.press('M-1')
  const lobby = await alice.until(/alice: here[\s\S]*lobby>/)
  t.notMatch(lobby, 'sugars')
})

t.test('a file that is on its way is not lost without a word', async (t) => {
  const broker = await startTestBroker(t)
  const silent = await ByteProxy.start(t, () => broker.port)
  silent.blackhole()
  const more = `--http http://127.0.0.1:${silent.port}; echo "ended $?"`
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', {}, more)
  await alice.enter('here')
  await alice.until(/1 \d\d:\d\d alice: here/)
  await alice.enter(`/upload ${process.execPath}`)
  await alice.until(/alice: \[file node, /)
  await alice.enter('/quit')
  await alice.until(/lost at the end: 1/)
  await alice.enter('/rooms')
  await alice.enter('/quit')
  await alice.until(/lost at the end: 1[\s\S]*lost at the end: 1/)
  await alice.enter('/quit')
  await alice.until(/ended 1/)
})

t.test('a line with a mistake is there to be mended', async (t) => {
  const broker = await startTestBroker(t)
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  await alice.enter('/reply #99 a long answer')
  await alice.until(/there is no message #99 in lobby[\s\S]*lobby> \/reply #99 a long answer\s*$/)
})

t.test('a message that comes is printed once, and what was there is not drawn again', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  for (let i = 1; i <= 30; i++) await bob.publishAsync('rooms/lobby/messages', `line ${i}.`, { qos: 1 })
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice')
  await alice.until(/line 30\./)
  const recorded = await alice.record()
  await bob.publishAsync('rooms/lobby/messages', 'the next line', { qos: 1 })
  await alice.until(/the next line/)
  const written = await recorded(/the next line/)
  t.equal(written.match(/the next line/g)!.length, 1)
  t.notMatch(written, /line \d|\[2?J/)
  t.match(await alice.history(), / 13 \d\d:\d\d bob: line 13\.[\s\S]*the next line/)
})

t.test('what is written while the broker is away is seen to wait, and is sent when it is back', async (t) => {
  const broker = await BrokerProcess.make(t, [])
  await broker.start()
  const alice = await chatting(t, { url: broker.url, token: await broker.token('alice') }, 'alice', { columns: 110 })
  await alice.enter('before')
  await alice.until(/1 \d\d:\d\d alice: before/)
  // It is told after the message that the user is in the room.
  await alice.until(/>1 lobby/)
  await broker.kill()
  await alice.until(/offline, again at/)
  await alice.enter('while away')
  await alice.until(/alice: while away[ │]*\n +waits for a connection/)
  await alice.enter('/goto #1')
  await alice.enter('/reply #99 hm')
  t.notMatch(await alice.until(/#99 is not here, and there is no connection/), /#1 is not here/)
  await alice.press('C-c')
  await alice.enter('/goto den #1')
  await alice.until(/den is not known here, and there is no connection/)
  await alice.press('C-c')
  await alice.enter('/quit')
  await alice.until(/lost at the end: 1/)
  await broker.start()
  const screen = await alice.until(/2 \d\d:\d\d alice: while away[ │]*\n(?! +waits)/)
  t.equal(screen.match(/while away/g)!.length, 1)
})

t.test(
  'a terminal that is made wider or narrower is drawn once more; without UTF-8 and colours nothing is lost',
  async (t) => {
    const broker = await startTestBroker(t)
    const env = { LC_ALL: 'C', NO_COLOR: '1' }
    const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', { columns: 110, env })
    await alice.enter('hello')
    await alice.until(/alice: hello +\|/)
    const painted = (await alice.screen({ colours: true })).replaceAll('\u001b', 'ESC')
    t.match(painted, /ESC\[7m/, 'the status line is reversed')
    t.notMatch(painted, /ESC\[[\d;]*(3[0-8]|9[0-7])[;m]/)
    await alice.resize(60, 12)
    const narrow = await alice.until(/alice: hello\n/)
    t.notMatch(narrow, /\|>1/)
    t.equal(narrow.trimEnd().split('\n').length, 12)
    await alice.resize(120, 30)
    await alice.until(/alice: hello +\|/)
  },
)

t.test('with ACCESSIBLE, on a dumb terminal and with --plain there are lines alone', async (t) => {
  const broker = await startTestBroker(t)
  const { url, token } = await addressOf(broker, 'alice')
  const alice = await Tmux.start(t, { env: { TOPICTALK_PASSWORD: token } })
  for (const [before, after] of [
    ['ACCESSIBLE=1', ''],
    ['TERM=dumb', ''],
    ['', '--plain'],
  ]) {
    await alice.enter(
      `clear; ${before} ${process.execPath} ${CLI} chat lobby --user alice --url ${url} ${after}; echo over`,
    )
    await alice.enter(`hello${before}${after}`)
    await alice.until(new RegExp(`^\\d\\d:\\d\\d alice: hello${before}${after}$`, 'm'))
    await alice.press('C-d')
    await alice.until(/^over$/m)
  }
})

t.test('in lines Tab completes, and what is half typed is shown again below what comes', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  const { url, token } = await addressOf(broker, 'alice')
  const alice = await Tmux.start(t, { env: { TOPICTALK_PASSWORD: token } })
  await alice.enter(`${process.execPath} ${CLI} chat lobby --user alice --url ${url} --plain`)
  await bob.publishAsync('rooms/lobby/messages', 'tea is ready', { qos: 1 })
  await alice.until(/^\d\d:\d\d bob: tea is ready$/m)
  await alice.type('/rea')
  await alice.press('Tab')
  await alice.until(/^\/react *$/m)
  await bob.publishAsync('rooms/lobby/messages', 'and cake', { qos: 1 })
  await alice.until(/^\/react *\n\d\d:\d\d bob: and cake\n\/react *$/m)
  await alice.enter('🎉')
  await alice.until(/^reactions to #2: 🎉 1$/m)
  await alice.press('C-c')
  await alice.until(/shell\$\s*$/)
})

t.test('a password that is typed is neither shown nor a line that comes back', async (t) => {
  const broker = await startTestBroker(t)
  const { url, token } = await addressOf(broker, 'alice')
  const alice = await Tmux.start(t)
  await alice.enter(`${process.execPath} ${CLI} chat lobby --user alice --url ${url} --password-stdin`)
  await alice.until(/Password for alice:/)
  await alice.enter(token)
  await alice.enter('hello')
  await alice.until(/alice: hello$/m)
  await alice.press('Up', 'Up')
  await alice.enter('before hello there was nothing')
  t.notMatch(await alice.until(/alice: before hello there was nothing$/m), token.slice(0, 20))
  await alice.press('C-c')
  await alice.until(/shell\$\s*$/)
})

t.test('what others write does nothing but stand there', async (t) => {
  const broker = await startTestBroker(t)
  const bob = await broker.connect('bob')
  const alice = await chatting(t, await addressOf(broker, 'alice'), 'alice', { columns: 110 })
  const hostile = [
    '\u001b]0;owned\u0007',
    '\u001b[2J\u001b[H',
    '\u001b[999B\r\n',
    '\u009b5A',
    '\u202e',
    `z${'\u0301'.repeat(60)}`,
  ]
  const attachments = [{ type: 'file', url: 'https://a.example/x', name: '\u001b[31mred\r.txt' }]
  for (const text of hostile)
    await bob.publishAsync('rooms/lobby/messages', JSON.stringify({ text: `${text} end`, attachments }), { qos: 1 })
  const screen = await alice.until(new RegExp(` ${hostile.length} \\d\\d:\\d\\d bob: `))
  t.equal(screen.match(/ end$|end +│/gm)?.length, hostile.length)
  t.match(screen, />1 lobby/)
  t.notMatch(await alice.title(), 'owned')
})
