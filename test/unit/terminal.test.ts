/** What the terminal chat makes of texts, keys and pictures. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock } from 'node:test'
import t from 'tap'
import { LiveValue } from '../../client/base/live.js'
import {
  createChat,
  draftsOf,
  type Outgoing,
  type RoomSummary,
  type SendState,
  type Status,
} from '../../client/node/index.js'
import { COMMANDS, commandNamed } from '../../client/terminal/commands.js'
import { complete } from '../../client/terminal/completion.js'
import { filesHindrance } from '../../client/terminal/connection.js'
import { mentionsIn, parseTarget } from '../../client/terminal/input.js'
import { pathsFrom } from '../../client/terminal/paths.js'
import { Quarters } from '../../client/terminal/quarters.js'
import { listedRoom } from '../../client/terminal/rooms.js'
import { Composer } from '../../client/terminal/screen/composer.js'
import { Departures } from '../../client/terminal/screen/departures.js'
import { Ending } from '../../client/terminal/screen/ending.js'
import { farewellOf, frameOf, type Picture } from '../../client/terminal/screen/frame.js'
import { inputRow, NEWLINE } from '../../client/terminal/screen/input-row.js'
import { actionOf } from '../../client/terminal/screen/keys.js'
import { layoutOf } from '../../client/terminal/screen/layout.js'
import { RoomView } from '../../client/terminal/screen/room-view.js'
import { rowsOf } from '../../client/terminal/screen/rows.js'
import { isUtf8, styleOf } from '../../client/terminal/screen/style.js'
import { cut, padded, widthOf, wrap } from '../../client/terminal/screen/text.js'
import { emptied } from '../../client/terminal/waiting.js'
import { until } from '../helpers/patience.js'

const ESC = '\u001b'

t.test('what a notice lists is broken between its entries, and goes on below its text', async (t) => {
  const rowsIn = (width: number, text: string): string[] => {
    const options = { width, style: styleOf(1, true), me: 'me', read: 0, isOnline: true, thread: null }
    return rowsOf([], [{ id: 1, after: null, text }], options).map((row) => row.text.slice(2))
  }
  const text = 'rooms: /join ROOM · /create ROOM [private] · /leave [ROOM]'
  t.same(rowsIn(34, text), ['rooms: /join ROOM ·', '  /create ROOM [private] ·', '  /leave [ROOM]'])
  t.same(rowsIn(20, 'only /create ROOM [private] fits · not'), ['only /create', '  ROOM [private]', '  fits · not'])
  t.same(rowsIn(16, 'carol invites you'), ['carol', '  invites you'])
})

t.test('rooms are listed by what is typed to open them, with what they are called', async (t) => {
  const listed = (room: string, info: object): string =>
    listedRoom({ room, info, unread: 3, mentions: 1 } as unknown as RoomSummary, 'alice')
  t.equal(listed('tea', { name: 'The \u202eTea Room', peer: null }), 'tea *3 @1: The \ufffdTea Room')
  t.equal(listed('tea', { name: null, peer: null }), 'tea *3 @1')
  t.equal(listed('dm:alice:bob', { name: null, peer: { name: 'Bob Smith' } }), '@bob *3 @1: Bob Smith')
})

t.test('text is measured, cut and broken by the characters that a reader sees', async (t) => {
  t.equal(widthOf('你好'), 4)
  t.equal(widthOf('e\u0301'), 1)
  t.equal(widthOf('👨‍👩‍👧'), 2)
  t.equal(cut('你好吗', 5, '…'), '你好…')
  t.equal(cut('你好', 4, '…'), '你好')
  t.equal(cut('👨‍👩‍👧👨‍👩‍👧', 3), '👨‍👩‍👧')
  t.equal(padded('你', 4), '你  ')
  t.same(wrap('one two three', 7), ['one two', 'three'])
  t.same(wrap('你好世界', 5), ['你好', '世界'])
  t.same(wrap('abcdefgh', 3), ['abc', 'def', 'gh'])
  t.same(wrap('one two', 7, 4), ['one', 'two'])
  t.same(wrap('', 7), [''])
  t.equal(widthOf(`a${'\u0301'.repeat(1000)}`), 1)
  t.equal(cut(`a${'\u0301'.repeat(1000)}`, 5), '\u{fffd}', 'marks that no script needs')
})

/** A screen of ten rows with these messages. */
function picture(rows: readonly string[], more: Partial<Picture> = {}, columns = 40): Picture {
  const layout = layoutOf({ columns, rows: 10 })
  const side = layout.side > 0 ? Array.from({ length: layout.region }, (_, i) => `|room ${i}`) : []
  const keyed = rows.map((text) => ({ key: text, text }))
  return { layout, rows: keyed, side, status: 'status', input: '> ', cursor: 3, ...more }
}

const EIGHT = ['1', '2', '3', '4', '5', '6', '7', '8']

t.test('a message that comes is printed below the others, and nothing else is drawn', async (t) => {
  const frame = frameOf(picture(EIGHT), picture([...EIGHT.slice(1), 'new']))
  t.equal(frame, `${ESC}[?2026h${ESC}[?25l${ESC}[8;1H\r\nnew${ESC}[10;3H${ESC}[?25h${ESC}[?2026l`)
  t.equal(frameOf(picture(EIGHT), picture(EIGHT)), '', 'nothing has changed')
})

t.test('beside the rooms it takes nothing of them along', async (t) => {
  const frame = frameOf(picture(EIGHT, {}, 120), picture([...EIGHT.slice(1), 'new'], {}, 120))
  t.ok(frame.startsWith(`${ESC}[?2026h${ESC}[?25l${ESC}[1;96H${ESC}[K${ESC}[8;1H\r\nnew`))
  t.match(frame, 'room 7')
})

t.test('what changes in its place, changes there alone', async (t) => {
  const before = picture(EIGHT)
  const rows = before.rows.map((row) => (row.key === '3' ? { key: '3', text: 'three' } : row))
  const frame = frameOf(before, { ...before, rows })
  t.match(frame, `${ESC}[3;1H${ESC}[40Xthree`)
  t.notMatch(frame, 'status')
  t.match(frameOf(before, { ...before, status: 'other', cursor: 5 }), `${ESC}[9;1H${ESC}[Kother${ESC}[10;5H`)
})

t.test('another size, or a screen that is not known, is drawn as a whole', async (t) => {
  for (const before of [null, picture(EIGHT, {}, 50)])
    t.match(frameOf(before, picture(EIGHT)), `${ESC}[r${ESC}[H${ESC}[J${ESC}[1;8r`)
  t.equal(farewellOf(picture(['1', '2'])), `${ESC}[r${ESC}[3;1H${ESC}[J`)
})

t.test('of a long line that part is shown in which the cursor is', async (t) => {
  t.same(inputRow('hello', 5, '> ', 20, '/'), { text: '> hello', column: 8 })
  t.same(inputRow('0123456789', 10, '> ', 8, '/'), { text: '> 56789', column: 8 })
  t.same(inputRow('你好吗', 3, '> ', 8, '/'), { text: '> 好吗', column: 7 })
  t.same(inputRow(`a${NEWLINE}b`, 0, '> ', 20, '/'), { text: '> a/b', column: 3 })
})

t.test('Tab completes commands, names, rooms and paths', async (t) => {
  const candidates = {
    commands: ['join', 'react', 'reply'],
    users: ['alice', 'alina', 'bob'],
    rooms: ['tea', '@bob'],
    follows: (name: string) => commandNamed(name)?.completes,
    paths: (start: string) => [start.startsWith('s') ? 's p/x' : `${start}/x`],
  }
  const completed = (line: string, cursor = line.length) => complete(line, cursor, candidates)
  t.match(completed('/re'), { line: '/re', choices: ['/react', '/reply'] })
  t.match(completed('/j'), { line: '/join ', cursor: 6, choices: [] })
  t.match(completed('/join t'), { line: '/join tea ' })
  t.match(completed('/help j'), { line: '/help join ' })
  t.match(completed('/upload a'), { line: '/upload a/x ' })
  t.match(completed('/download #3 a'), { line: '/download #3 a/x ' })
  t.match(completed('/upload s'), { line: '/upload "s p/x" ' })
  t.match(completed('/upload "s p'), { line: '/upload "s p/x" ' })
  t.match(completed('/forward #3 t'), { line: '/forward #3 tea ' })
  t.match(completed('/join @b'), { line: '/join @bob ' })
  t.match(completed('al'), { line: 'ali', choices: ['alice', 'alina'] })
  t.match(completed('B'), { line: 'bob: ' })
  t.match(completed('hi @b there', 5), { line: 'hi @bob there', cursor: 7 })
  t.equal(completed('zzz'), null)
  t.equal(completed(''), null)
})

t.test('names of files that would steer the terminal, or enter the line, are not offered', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tt-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['ab', `a${ESC}]52;c;eA==\u0007`, 'a\nb', 'a\u2028b', 'a\u202eb'])
    writeFileSync(join(folder, name), '')
  t.same(pathsFrom(join(folder, 'a')), [join(folder, 'ab')])
})

t.test('a message that is edited stays on one line until it is entered', async (t) => {
  const entered: unknown[] = []
  const events = { entered: (...line: unknown[]) => entered.push(line), typing: () => {}, changed: () => {} }
  const chat = createChat({ url: 'mqtt://127.0.0.1:1', auth: { user: 'alice', password: 'x' } })
  const drafts = draftsOf(chat)
  const composer = new Composer(events, drafts, { room: 'lobby', thread: null })
  t.teardown(() => composer.close())
  composer.edit(7, `a\nb\rc\u2028d${ESC}`)
  t.same(entered, [])
  t.equal(drafts.of('lobby').current, '', 'what replaces a message is no draft')
  composer.pressed('\r', { name: 'return' })
  t.same(entered, [['a\nb\nc\nd', 7]])
  composer.edit(null, 'be\ngun')
  t.equal(drafts.of('lobby').current, 'be\ngun')
  composer.open({ room: 'lobby', thread: 3 })
  t.equal(composer.isEmpty, true)
  composer.open({ room: 'lobby', thread: null })
  t.match(composer.row('lobby', 80, '/').text, 'lobby> be/gun')
  composer.pressed('\r', { name: 'return' })
  t.equal(drafts.of('lobby').current, '', 'what was entered is no draft any more')
})

t.test('what is pasted is inserted at once, as far as there is room for it', async (t) => {
  const kept: string[] = []
  const drafts = { of: () => new LiveValue(''), set: (_room: string, text: string) => void kept.push(text) }
  const events = { entered: () => t.fail('a paste enters nothing'), typing: () => {}, changed: () => {} }
  const composer = new Composer(events, drafts, { room: 'lobby', thread: null })
  t.teardown(() => composer.close())
  const paste = (text: string): void => {
    composer.pressed(undefined, { name: 'paste-start' })
    for (const one of text) composer.pressed(one, {})
    composer.pressed(undefined, { name: 'paste-end' })
  }
  paste(`one\r\ntwo\rthree${ESC}`)
  t.same(kept, ['one\ntwo\nthree'])
  paste(` ${'👍'.repeat(10_000)}`)
  t.same(kept.length, 2)
  t.equal(kept[1], `one\ntwo\nthree ${'👍'.repeat(9_993)}`)
})

t.test('what is on its way has its time anew whenever something of it moves', async (t) => {
  const state = new LiveValue<SendState>({ at: 'uploading', done: 0, total: 100 })
  const outgoing = { state } as unknown as Outgoing
  const outbox = new LiveValue<readonly Outgoing[]>([outgoing])
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let isOver = false
  const waited = emptied(1000, outbox).then(() => (isOver = true))
  const pass = async (ms: number) => {
    mock.timers.tick(ms)
    await Promise.resolve()
    await Promise.resolve()
  }
  for (let done = 1; done <= 5; done++) {
    await pass(900)
    state.set({ at: 'uploading', done, total: 100 })
  }
  t.equal(isOver, false, 'bytes were sent')
  await pass(900)
  state.set({ at: 'uploading', done: 5, total: 100 })
  t.equal(isOver, false)
  await pass(100)
  await waited
  const sent = emptied(1000, outbox)
  outbox.set([])
  await sent
})

const ONLINE = { state: 'online', since: 0 } as unknown as Status

/** On its way, or refused. */
function outgoingAt(at: 'sending' | 'failed'): Outgoing {
  const state = new LiveValue({ at, error: new Error('you are muted') } as unknown as SendState)
  return { state, room: 'tea', input: { text: 'hi' } } as unknown as Outgoing
}

t.test('the end waits for nothing that was refused, and whoever asks twice does not wait', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const endingOf = (outgoing: Outgoing) => {
    const [said, over] = [[] as string[], new AbortController()]
    const chat = { outbox: new LiveValue<readonly Outgoing[]>([outgoing]), status: new LiveValue(ONLINE) }
    return { said, over, ending: new Ending({ chat, isKept: () => false, over, say: (text) => said.push(text) }) }
  }
  const refused = endingOf(outgoingAt('failed'))
  await refused.ending.quit()
  t.match(refused.said, [/lost at the end: 1/])
  t.equal(refused.over.signal.aborted, false)
  await refused.ending.quit()
  t.equal(refused.over.signal.aborted, true)
  const slow = endingOf(outgoingAt('sending'))
  const first = slow.ending.quit()
  await slow.ending.quit()
  await first
  t.equal(slow.over.signal.aborted, true)
  t.equal(await slow.ending.settled(), 1)
})

t.test('what was refused the last time is told once, where it cannot be seen', async (t) => {
  const said: string[] = []
  let isSeen = false
  const nothing = () => {}
  const say = (text: string) => said.push(text)
  const departures = new Departures({ me: 'me', shows: () => isSeen, began: nothing, changed: nothing, say })
  const refused = outgoingAt('failed')
  departures.watch([refused])
  departures.watch([refused])
  t.same(said, ['not sent to tea: hi: you are muted (/retry or /cancel)'])
  isSeen = true
  departures.watch([outgoingAt('failed')])
  t.equal(said.length, 1)
})

t.test('whoever reads earlier messages stays there, as long as they are', async (t) => {
  const chat = createChat({ url: 'mqtt://127.0.0.1:1', auth: { user: 'me', password: 'x' } })
  t.teardown(() => chat.close())
  const room = chat.room('lobby')
  const view = new RoomView(room, null, 0, () => {})
  t.teardown(() => view.end())
  const sent = Array.from({ length: 8 }, (_, i) => room.send(i === 4 ? 'several\nlines' : `line ${i}`))
  const options = { width: 40, style: styleOf(1, true), me: 'me', isOnline: true }
  const last = () => view.visible(options, 3).at(-1)?.text ?? ''
  await until('all are there', async () => view.items.length === 8)
  for (const outgoing of sent) t.ok(view.shows(outgoing))
  await view.page(-1, options, 3)
  await view.page(-1, options, 3)
  t.match(last(), /: several$/)
  view.tell('somebody invites you')
  t.match(last(), /: several$/)
  room.edit(sent[4]!.cid, 'one line')
  await until('it is shorter', async () => !last().endsWith('several'))
  t.match(last(), /: one line$/)
  t.ok(view.isEarlier)
  await sent[4]!.cancel()
  await until('it is gone', async () => !last().endsWith('one line'))
  t.match(last(), /somebody invites you$/)
  t.notOk(view.isEarlier)
})

t.test('without the HTTP of the broker files are refused, and it is said what is missing', async (t) => {
  const options = { url: 'mqtts://chat.example', user: 'alice', password: 'x' }
  t.match(filesHindrance(options), /--http/)
  t.equal(filesHindrance({ ...options, url: 'wss://chat.example' }), null)
  t.equal(filesHindrance({ ...options, http: 'https://chat.example' }), null)
})

t.test('how far a transfer has come is told at each quarter, and not at its end', async (t) => {
  const said: string[] = []
  const quarters = new Quarters((text) => said.push(text))
  for (const done of [0, 10, 25, 30, 80, 100]) quarters.at('saving a', done, 100)
  quarters.at('saving b', 7, 0)
  t.same(said, ['saving a, 25 %', 'saving a, 80 %'])
})

t.test('each command is in the documentation, and none that there is not', async (t) => {
  const page = readFileSync('docs/command-line.md', 'utf8')
  const named = [...page.matchAll(/(?<=[`\n])\/([a-z]+)/g)].map(([, name]) => name!)
  t.same([...new Set(named)].sort(), Object.keys(COMMANDS).sort())
})

t.test('keys that do not type', async (t) => {
  const empty = { isEmpty: true, isEditing: false }
  t.same(actionOf({ name: 'c', ctrl: true }, empty), { kind: 'quit' })
  t.same(actionOf({ name: 'c', ctrl: true }, { ...empty, isEmpty: false }), { kind: 'clear' })
  t.same(actionOf({ name: '3', meta: true }, empty), { kind: 'room', number: 3 })
  t.same(actionOf({ name: 'up' }, empty), { kind: 'editLast' })
  t.equal(actionOf({ name: 'up' }, { ...empty, isEmpty: false }), null)
  t.equal(actionOf({ name: 'constructor' }, empty), null)
})

t.test('numbers of messages, and who is mentioned', async (t) => {
  t.same(parseTarget('#12 hi there'), { seq: 12, text: 'hi there' })
  t.same(parseTarget('#12'), { seq: 12, text: '' })
  t.same(parseTarget('#hash tag'), { seq: null, text: '#hash tag' })
  t.same(mentionsIn('@bob, ask @carol. Not me@example.com, nor @@'), ['@bob', '@carol'])
})

t.test('colours and signs are those that the terminal has', async (t) => {
  t.equal(styleOf(1, true).name('bob', 'bob'), 'bob')
  const name = (depth: number): string => styleOf(depth, true).name('bob', 'bob').replaceAll(ESC, 'ESC')
  t.match(name(4), /^ESC\[3\dmbobESC\[0m$/)
  t.match(name(8), /^ESC\[38;5;\d+mbobESC\[0m$/)
  t.equal(styleOf(1, false).signs.vertical, '|')
  t.equal(isUtf8({ LC_ALL: 'C', LANG: 'en_GB.UTF-8' }, 'linux'), false)
  t.equal(isUtf8({ LANG: 'en_GB.utf8' }, 'linux'), true)
  t.equal(isUtf8({}, 'darwin'), true)
})
