/** What the SDK makes of what it is told: pure functions, on cases that a broker seldom gives. */
import t from 'tap'
import { applyChange, type Change, countReply, foldAll } from '../../client/engine/folding.js'
import {
  applyCounts,
  applyLive,
  applyNews,
  applyPage,
  forgetBefore,
  type RoomNews,
  type RoomState,
  withMessages,
} from '../../client/engine/room-state.js'
import { addSpan, cutSpans, gapsOf, type Spans, spanOf } from '../../client/engine/spans.js'
import type { LoggedMessage, SentMessage } from '../../schemas/commands/shown-message.js'

function said(seq: number, more: Partial<SentMessage> = {}): SentMessage {
  return { id: `id-${seq}`, room: 'tea', seq, ts: seq * 1000, from: 'bob', type: 'text', text: `text ${seq}`, ...more }
}

function change(seq: number, type: string, target: number, more: Partial<SentMessage> = {}): Change {
  return { ...said(seq), type, target, ...more } as Change
}

const react = (seq: number, target: number, remove = false, from = 'bob') =>
  change(seq, 'reaction', target, { from, data: { emoji: '👍', remove } })

/** What `sync` says of a room with nothing but these. */
function news(more: Partial<RoomNews>): RoomNews {
  const info = { room: 'tea', direct: false, createdAt: 1 } as RoomNews['info']
  const mine = { unreadFrom: null } as RoomNews['mine']
  const counts = { read: 0, unread: 0, mentions: 0, notify: 0, delivered: 0, head: more.at?.seq ?? 0 }
  const rest = { since: 0, reset: false, tail: 1, messages: [], more: false, changed: [] }
  return { room: 'tea', at: { seq: 0, created: 1 }, ...rest, ...counts, mine, info: info!, ...more }
}

function stateOf(messages: readonly LoggedMessage[], more: Partial<RoomNews> = {}): RoomState {
  return applyNews(
    null,
    news({ at: { seq: messages.at(-1)?.seq ?? 0, created: 1 }, messages: [...messages], ...more }),
  )!.state
}

t.test('spans join where they touch, and tell what is between', async (t) => {
  const spans = [
    [1, 3],
    [7, 9],
  ].reduce((all: Spans, span) => addSpan(all, span as [number, number]), [])
  t.same(spans, [
    [1, 3],
    [7, 9],
  ])
  t.same(
    addSpan(spans, [4, 5]),
    [
      [1, 5],
      [7, 9],
    ],
    'it touches the first',
  )
  t.same(addSpan(spans, [2, 8]), [[1, 9]])
  t.same(addSpan(spans, [5, 4]), spans, 'nothing')
  t.same(cutSpans(spans, [3, 7]), [
    [3, 3],
    [7, 7],
  ])
  t.same(gapsOf(spans, [0, 10]), [
    [0, 0],
    [4, 6],
    [10, 10],
  ])
  t.same(gapsOf(spans, [7, 8]), [])
  t.same([spanOf(spans, 3), spanOf(spans, 4)], [[1, 3], null])
})

t.test('a change counts once, whatever was told before', async (t) => {
  const message: LoggedMessage = { ...said(1), reactions: [{ emoji: '👍', count: 2, me: false }], asOf: 5 }
  t.equal(applyChange(message, react(5, 1), 'me'), message, 'it is in there')
  const more = applyChange(message, react(6, 1, false, 'me'), 'me')
  t.match(more, { reactions: [{ count: 3, me: true }], asOf: 6 })
  t.equal(applyChange(more, react(6, 1, false, 'me'), 'me'), more)
  const none = foldAll(said(1), [react(2, 1), react(3, 1, true)], 'me')
  t.notOk('reactions' in none)
  const gone = applyChange(message, change(4, 'delete', 1), 'me')
  t.same(gone, { seq: 1, gone: 'deleted', by: 'bob', at: 4000 }, 'a deletion always counts')
  const reply = applyChange(said(1, { thread: 7 }), change(4, 'delete', 1), 'me')
  t.same(reply, { ...gone, thread: 7 }, 'a reply stays in its thread')
  t.equal(applyChange(gone, change(7, 'edit', 1), 'me'), gone)
})

t.test('an edit replaces all of the content, and nothing else', async (t) => {
  const message = said(1, { data: { n: 1 }, mentions: ['@me'], replyTo: 1 })
  const { data: _, mentions: __, ...kept } = message
  const edited = applyChange(message, change(2, 'edit', 1, { text: 'better' }), 'me')
  t.same(edited, { ...kept, text: 'better', edits: 1, editedAt: 2000, editedBy: 'bob', asOf: 2 })
})

t.test('replies are counted once, up to what can be shown', async (t) => {
  const root = countReply(countReply(said(1), said(2, { thread: 1 })), said(3, { thread: 1, from: 'me' }))
  t.match(root, { replies: { count: 2, lastSeq: 3, users: ['me', 'bob'] } })
  t.equal(countReply(root, said(3, { thread: 1 })), root)
  const many = { ...said(1), replies: { count: 100, lastSeq: 2, lastTs: 2, users: [] } }
  t.match(countReply(many, said(3, { thread: 1 })), { replies: { count: 100, lastSeq: 3 } })
})

t.test('what came after the answer begins is replaced by it, and what it leaves out is a gap', async (t) => {
  const old = stateOf([said(1), said(2), said(3)])
  t.same(old.spans, [[1, 3]])
  const told = news({ at: { seq: 9, created: 1 }, since: 2, messages: [said(8), said(9)], more: true, before: 8 })
  const { state, after } = applyNews(old, told)!
  t.same(
    [state.spans, after, state.last?.seq],
    [
      [
        [1, 2],
        [8, 9],
      ],
      2,
      9,
    ],
  )
  t.equal(applyNews(old, news({ at: { seq: 9, created: 1 }, since: 5 })), null, 'it begins after what the client has')
  t.equal(applyNews(null, news({ since: 5 })), null)
  const anew = applyNews(old, news({ at: { seq: 1, created: 2 }, messages: [said(1)] }))!
  t.same([anew.state.spans, anew.after], [[[1, 1]], 0], 'a room of that name that was made anew')
})

t.test('a change of what is not read is for the broker to count, one of what is read is not', async (t) => {
  const state = stateOf([said(1), said(2)], { read: 1, unread: 1 })
  const known = new Map([1, 2].map((seq) => [seq, said(seq)]))
  const unsure = (entry: Change): boolean => applyLive(state, [entry], known, 'me').unsure.counts
  t.equal(unsure(change(3, 'delete', 2)), true)
  t.equal(unsure(change(3, 'delete', 1)), false)
  t.equal(unsure(change(3, 'edit', 2, { text: 'x' })), false)
  t.equal(unsure(change(3, 'edit', 2, { text: 'x', mentions: ['@ME'] })), true)
  const live = applyLive(state, [said(3), said(4, { from: 'me' }), said(5, { thread: 1 })], known, 'me').state
  t.same([live.unread, live.seq], [2, 5], 'neither my own nor a reply')
  const counts = { read: 3, unread: 0, mentions: 0, head: 4 }
  t.equal(applyCounts(live, counts, [said(5), said(6)], 'me').unread, 2, 'what came after its head is added')
})

t.test('a page that was asked for before something came live has that, too', async (t) => {
  const state = { ...stateOf([said(8), said(9)], { more: true, before: 8 }), seq: 11 }
  const heard = [change(10, 'edit', 3, { text: 'better' }), said(11, { thread: 3 })]
  const page = { messages: [said(3), said(4)], span: [3, 7] as const, view: null }
  const { state: after, messages } = applyPage(state, page, heard, 'me', 1)
  t.match(messages, [{ seq: 3, text: 'better', edits: 1, replies: { count: 1 } }, { seq: 4 }])
  t.same(after.spans, [[3, 9]])
})

t.test('of messages that are dropped nothing is left that says when they end', async (t) => {
  const messages = [1, 2, 3].map((seq) => said(seq, { ttl: 60 }))
  const state = withMessages(stateOf(messages), messages)
  t.same(state.ends, { 1: 61_000, 2: 62_000, 3: 63_000 })
  t.same(forgetBefore(state, 3).ends, { 3: 63_000 })
})
