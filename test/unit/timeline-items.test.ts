/** What a timeline makes of messages and of what is on its way: pure functions, on cases that a broker seldom gives. */
import t from 'tap'
import { LiveValue } from '../../client/base/live.js'
import type { Outgoing, SendInput, SendState } from '../../client/outbox/outgoing.js'
import { type Item, Items, withGaps } from '../../client/rooms/items.js'
import type { FoldedMessage, LoggedMessage } from '../../schemas/commands/shown-message.js'

function said(seq: number, more: Partial<FoldedMessage> = {}): FoldedMessage {
  return { id: `id-${seq}`, room: 'tea', seq, ts: seq * 1000, from: 'me', type: 'text', text: `text ${seq}`, ...more }
}

function going(cid: string, input: SendInput, at: SendState = { at: 'queued' }): Outgoing {
  const rest = {
    attachments: [],
    stored: Promise.resolve(),
    sent: new Promise<never>(() => {}),
    retry: () => {},
    cancel: async () => true,
  }
  return { cid, room: 'tea', since: 5, input, state: new LiveValue(at), ...rest }
}

const keysOf = (items: readonly Item[]) => items.map(({ key }) => key)

function make(items: Items, messages: readonly LoggedMessage[], pending: readonly Outgoing[] = []) {
  const coming = pending.filter(({ input }) => input.target === undefined)
  return items.make({ messages, coming, pending, me: 'me' })
}

t.test('keys are unique, whatever cids other programs have made, and stay', async (t) => {
  const items = new Items()
  const mine = [said(3, { cid: 'a' }), said(4, { cid: 'a' }), said(5, { cid: '6' }), said(6, { from: 'bob', cid: 'x' })]
  const first = make(items, mine)
  t.same(keysOf(first), ['a', '4', '6', 'seq-6'])
  const second = make(items, [said(1, { cid: 'a' }), ...mine])
  t.same(keysOf(second).slice(1), keysOf(first), 'those that were there keep theirs')
  t.equal(new Set(keysOf(second)).size, 5)
})

t.test('what is told again and has not changed is the same object', async (t) => {
  const items = new Items()
  const [before] = make(items, [said(1)])
  t.equal(make(items, [said(1)])[0], before)
  for (const more of [
    { asOf: 7, text: 'edited' },
    { replies: { count: 1, lastSeq: 9, lastTs: 1, users: [] } },
    { id: 'of another life' },
  ]) {
    const [now] = make(items, [said(1, more)])
    t.not(now, before)
    t.match(now, { message: more })
  }
  t.match(make(items, [{ seq: 1, gone: 'expired' }])[0], { kind: 'gone', key: '1' })
})

t.test('a message is not shown twice when it is in the room and the outbox does not know it yet', async (t) => {
  const items = new Items()
  const out = going('a', { text: 'text 2' })
  t.match(make(items, [said(1)], [out]), [
    { key: '1' },
    { key: 'a', own: true, outgoing: out, message: { seq: 0, id: '' } },
  ])
  const both = make(items, [said(1), said(2, { cid: 'a' })], [out])
  t.same(keysOf(both), ['1', 'a'])
  t.match(both[1], { outgoing: out, message: { seq: 2 } })
  const [, over] = make(items, [said(1), said(2, { cid: 'a' })])
  t.same([over!.key, 'outgoing' in over!], ['a', false])
  t.match(make(items, [said(1), { seq: 2, gone: 'deleted' }])[1], { kind: 'gone', key: 'a' }, 'it keeps its key')
  const foreign = make(new Items(), [said(2, { cid: 'a', from: 'bob' })], [out])
  t.same(keysOf(foreign), ['2', 'a'], 'a message of another user with that cid is another one')
})

t.test(
  'changes on their way are shown unless they have failed, and a reaction that is there counts once',
  async (t) => {
    const items = new Items()
    const error = { at: 'failed' } as SendState
    const like = (remove = false): SendInput => ({ type: 'reaction', target: 1, data: { emoji: '👍', remove } })
    const liked = { reactions: [{ emoji: '👍', count: 2, me: true }] }
    const shown = (message: FoldedMessage, ...inputs: SendInput[]) =>
      make(
        items,
        [message],
        inputs.map((input, i) => going(`c${i}`, input)),
      )[0]!
    t.match(shown(said(1), like()), { message: { reactions: [{ count: 1, me: true }] } })
    t.match(shown(said(1, liked), like()), { message: liked })
    t.match(shown(said(1, liked), like(true)), { message: { reactions: [{ count: 1, me: false }] } })
    t.match(shown(said(1), like(true)), { message: { reactions: undefined } })
    t.match(shown(said(1), { type: 'delete', target: 1 }), { kind: 'gone', message: { by: 'me' } })
    t.match(shown(said(1), { type: 'edit', target: 1, text: 'a' }, { type: 'edit', target: 1, text: 'b' }), {
      message: { text: 'b', edits: 2 },
    })
    const failed = going('f', { type: 'edit', target: 1, text: 'no' }, error)
    t.match(make(items, [said(1)], [failed])[0], { message: { text: 'text 1' }, changes: [failed] })
    t.match(make(items, [said(1)])[0], { changes: undefined })
  },
)

t.test('gaps stand where their numbers are, and what is on its way stays last', async (t) => {
  const gap = (from: number, to: number): Item => ({
    kind: 'gap',
    key: `gap-${from}-${to}`,
    from,
    to,
    load: async () => {},
  })
  const items = make(new Items(), [said(5), said(9)], [going('a', { text: 'new' })])
  t.same(keysOf(withGaps(items, [gap(1, 4), gap(6, 8), gap(10, 12)])), [
    'gap-1-4',
    '5',
    'gap-6-8',
    '9',
    'gap-10-12',
    'a',
  ])
})
