/** What the SDK keeps of rooms and messages, compared with the broker, with a network that fails. */
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import type { RoomState } from '../../client/engine/room-state.js'
import { createChat, type Timeline } from '../../client/index.js'
import { httpCalls } from '../../client/requests/http-calls.js'
import { type Methods, methods } from '../../client/requests/methods.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { ByteProxy } from '../helpers/byte-proxy.js'
import { httpUrl } from '../helpers/http.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { webSocket } from '../helpers/web-socket.js'

/** Asks over HTTP, as a client of its own. */
async function personOf(broker: TestBroker, user: string): Promise<Methods> {
  const token = await broker.token(user)
  return methods(async (...given) => httpCalls({ url: httpUrl(broker), token: () => token })(...given))
}

interface Client {
  readonly chat: ReturnType<typeof createChat>
  readonly timeline: Timeline
  rooms(): Promise<Map<string, RoomState>>
  messages(room: string): Promise<Map<number, LoggedMessage>>
  /** Resolves when the client is online and has all that the broker has. */
  isUpToDate(): Promise<void>
  /** Compares all that is kept with the broker. */
  check(t: Test, what: string): Promise<void>
}

function clientOf(t: Test, broker: TestBroker, person: Methods, user: string, port: number): Client {
  const store = new MemoryStore()
  const auth = { getToken: () => broker.token(user) }
  const chat = createChat({ url: `http://127.0.0.1:${port}`, auth, store: () => store }, { socket: webSocket })
  t.teardown(() => chat.close())
  const client: Client = {
    chat,
    timeline: chat.room('tea').timeline({ size: 20 }),
    rooms: async () => {
      const rows = await store.range('rooms')
      return new Map(rows.map(({ value }) => [(value as RoomState).room, value as RoomState]))
    },
    messages: async (room) => {
      const rows = await store.range('messages', { prefix: [room] })
      return new Map(rows.map(({ value }) => [(value as LoggedMessage).seq, value as LoggedMessage]))
    },
    isUpToDate: async () => {
      const pressing = setInterval(() => chat.retryNow(), 50)
      const is = async (): Promise<boolean> => {
        if (chat.status.current.state !== 'online') return false
        const listed = await person.rooms.list()
        // Of a conversation in which nothing was said the client need not know.
        const rooms = listed.rooms.filter(({ direct, head }) => !direct || head! > 0)
        const known = await client.rooms()
        if (rooms.length !== [...known.values()].filter(({ info, seq }) => !info.direct || seq > 0).length) return false
        return rooms.every(({ room, head, createdAt }) => {
          const state = known.get(room)
          return state?.seq === head && state.created === createdAt
        })
      }
      await until('the client is up to date', is).finally(() => clearInterval(pressing))
    },
    check: async (t, what) => {
      let wrong: string[] = []
      // Some of it the client asks for by itself.
      const isRight = async (): Promise<boolean> => {
        wrong = await differences(client, person)
        return wrong.length === 0
      }
      await until(what, isRight).catch(() => {})
      t.same(wrong, [], what)
    },
  }
  return client
}

/** What the client does not have as the broker has it. */
async function differences(client: Client, person: Methods): Promise<string[]> {
  const wrong: string[] = []
  const compare = (what: string, mine: unknown, theirs: unknown): void => {
    if (!isDeepStrictEqual(mine, theirs)) wrong.push(`${what}: ${JSON.stringify(mine)}, not ${JSON.stringify(theirs)}`)
  }
  const { rooms: counts } = await person.unread()
  for (const [room, state] of await client.rooms()) {
    const theirs = await historyOf(person, room)
    const mine = await client.messages(room)
    for (const [seq, message] of mine) compare(`${seq} of ${room}`, without(message), without(theirs.get(seq)))
    for (const [first, last] of state.spans)
      for (const seq of theirs.keys())
        if (seq >= first && seq <= last && !mine.has(seq)) wrong.push(`${seq} of ${room} is missing`)
    const last = [...theirs.values()].at(-1)
    if (state.last !== null) compare(`the last of ${room}`, without(state.last), without(last))
    compare(`counts of ${room}`, countsOf(state), countsOf(counts.find((one) => one.room === room)!))
  }
  wrong.push(...(await differencesOfTimeline(client, person)))
  return wrong
}

/** A timeline that was opened at the start, and is at another place each time. */
async function differencesOfTimeline({ timeline }: Client, person: Methods): Promise<string[]> {
  const theirs = await historyOf(person, 'tea')
  const items = timeline.items.current
  const first = items[0]
  const last = items.at(-1)
  if (!first || !last) return theirs.size > 0 ? ['the timeline is empty'] : []
  const [from, to] = [
    first.kind === 'gap' ? first.from : first.message.seq,
    last.kind === 'gap' ? last.to : last.message.seq,
  ]
  const gaps = items.flatMap((item) => (item.kind === 'gap' ? [[item.from, item.to] as const] : []))
  const isShown = (seq: number): boolean => seq >= from && seq <= to && !gaps.some(([a, b]) => seq >= a && seq <= b)
  const shown = items.flatMap((item) => (item.kind === 'gap' ? [] : [without(item.message)]))
  const expected = [...theirs.values()].filter(({ seq }) => isShown(seq)).map(without)
  const isEnd = timeline.state.current.newer !== 'end' || isShown([...theirs.keys()].at(-1) ?? 0)
  const wrong = isEnd ? [] : ['the timeline does not follow']
  return isDeepStrictEqual(shown, expected)
    ? wrong
    : [...wrong, `the timeline has ${JSON.stringify(shown)}, not ${JSON.stringify(expected)}`]
}

type Counts = Pick<RoomState, 'read' | 'unread' | 'mentions'>

function countsOf({ read, unread, mentions }: Counts): Counts {
  return { read, unread, mentions }
}

/** An unpin is no part of what is shown, so that only who heard it knows of it. */
function without(message: LoggedMessage | undefined): object | undefined {
  const { asOf: _, ...rest } = (message ?? {}) as { asOf?: number }
  return message && rest
}

async function historyOf(person: Methods, room: string): Promise<Map<number, LoggedMessage>> {
  const all: LoggedMessage[] = []
  for (let before: number | undefined, more = true; more; ) {
    const page = await person.history({ room, view: 'folded', limit: 200, ...(before === undefined ? {} : { before }) })
    all.unshift(...page.messages)
    ;({ before, more } = page)
  }
  return new Map(all.map((message) => [message.seq, message]))
}

async function start(t: Test, overrides: Parameters<typeof startTestBroker>[1] = {}) {
  const broker = await startTestBroker(t, { limits: { rates: 'off' }, ...overrides })
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const [alice, bob] = await Promise.all(['alice', 'bob'].map((user) => personOf(broker, user)))
  await bob!.rooms.create({ room: 'tea' })
  await alice!.rooms.join({ room: 'tea' })
  return { broker, proxy, alice: alice!, bob: bob!, client: clientOf(t, broker, alice!, 'alice', proxy.port) }
}

t.test('what was said before, meanwhile and later is kept, with what was changed', async (t) => {
  const { alice, bob, client, proxy } = await start(t)
  const { seq } = await bob.send({ room: 'tea', text: 'before', mentions: ['@alice'] })
  await bob.send({ room: '@alice', text: 'psst' })
  await client.chat.connect()
  await client.isUpToDate()
  await client.check(t, 'at first')
  t.same([...(await client.rooms()).keys()].sort(), ['dm:alice:bob', 'tea'])
  await bob.send({ room: 'tea', type: 'edit', target: seq, text: 'better' })
  await alice.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍' } })
  await bob.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍' } })
  await bob.send({ room: 'tea', type: 'pin', target: seq })
  await bob.send({ room: 'tea', text: 'in a thread', thread: seq })
  await client.isUpToDate()
  await client.check(t, 'live')
  t.match((await client.messages('tea')).get(seq), { text: 'better', edits: 1, replies: { count: 1 } })
  proxy.refuse()
  await bob.send({ room: 'tea', type: 'edit', target: seq, text: 'best' })
  await bob.send({ room: 'tea', type: 'reaction', target: seq, data: { emoji: '👍', remove: true } })
  await bob.send({ room: 'tea', text: 'again in it', thread: seq })
  await bob.send({ room: 'tea', text: 'said meanwhile' })
  proxy.heal()
  await client.isUpToDate()
  await client.check(t, 'after the cut')
  t.match((await client.messages('tea')).get(seq), { text: 'best', edits: 2, reactions: [{ count: 1, me: true }] })
  await bob.send({ room: 'tea', type: 'delete', target: seq })
  await client.isUpToDate()
  await client.check(t, 'deleted')
})

/** What people do at random. Refusals are part of it. */
class Crowd {
  readonly #random: Random
  readonly #alice: Methods
  readonly #others: readonly Methods[]

  constructor(random: Random, alice: Methods, others: readonly Methods[]) {
    this.#random = random
    this.#alice = alice
    this.#others = others
  }

  async act(): Promise<void> {
    await this.#act().catch((error: Error) => {
      if (error.name !== 'ChatError') throw error
    })
  }

  async #act(): Promise<unknown> {
    const random = this.#random
    const who = random.pick([this.#alice, ...this.#others])
    const room = random.pick(['tea', 'tea', 'den', who === this.#alice ? '@bob' : '@alice'])
    const newest = (await who.history({ room, limit: 1 })).messages.at(-1)?.seq ?? 0
    const target = random.chance(0.7)
      ? random.between(Math.max(1, newest - 8), newest + 1)
      : random.between(1, newest + 1)
    const emoji = random.pick(['👍', '🎉'])
    switch (random.pick(KINDS)) {
      case 'send':
        return who.send({ room, text: `after ${newest}`, ...(random.chance(0.2) ? { mentions: ['@alice'] } : {}) })
      case 'burst':
        return Promise.all(Array.from({ length: 70 }, (_, i) => who.send({ room, text: `burst ${i}` })))
      case 'reply':
        return who.send({ room, text: 'reply', thread: target })
      case 'edit':
        return who.send({ room, type: 'edit', target, text: `edited after ${newest}` })
      case 'delete':
        return who.send({ room, type: 'delete', target })
      case 'react':
        return who.send({ room, type: 'reaction', target, data: { emoji, remove: random.chance(0.4) } })
      case 'pin':
        return who.send({ room, type: random.pick(['pin', 'unpin']), target })
      case 'read':
        return this.#alice.read({ room: room === '@alice' ? '@bob' : room, seq: random.below(newest + 1) })
      case 'markUnread':
        return this.#alice.markUnread({ room: room === '@alice' ? '@bob' : room, seq: target })
      case 'settings':
        return this.#alice.rooms.settings({ room: 'den', pinned: random.chance(0.5) })
      case 'update':
        return this.#others[0]!.rooms.update({ room: 'tea', topic: `after ${newest}` })
      case 'away':
        return this.#leaveAndJoin()
      case 'anew':
        return this.#makeAnew()
    }
  }

  async #leaveAndJoin(): Promise<void> {
    if (this.#random.chance(0.5)) await this.#others[0]!.rooms.remove({ room: 'den', user: 'alice' })
    else await this.#alice.rooms.leave({ room: 'den' })
    if (this.#random.chance(0.3)) await this.#others[0]!.send({ room: 'den', text: 'without alice' })
    await this.#alice.rooms.join({ room: 'den' })
  }

  async #makeAnew(): Promise<void> {
    await this.#others[0]!.rooms.delete({ room: 'den' })
    await this.#others[0]!.rooms.create({ room: 'den' })
    await Promise.all([this.#alice, this.#others[1]!].map((each) => each.rooms.join({ room: 'den' })))
    for (let i = this.#random.below(5); i > 0; i--) await this.#others[0]!.send({ room: 'den', text: 'anew' })
  }
}

function moves(timeline: Timeline, random: Random): Promise<unknown> {
  const gap = timeline.items.current.find((item) => item.kind === 'gap')
  if (gap && random.chance(0.5)) return gap.load()
  const to = random.pick(['latest', 'unread', random.between(1, 100)] as const)
  return random.pick([() => timeline.older(), () => timeline.newer(), () => timeline.jump(to)])()
}

const KINDS = [
  ...['send', 'send', 'send', 'send', 'reply', 'reply', 'edit', 'edit', 'delete', 'react', 'react', 'react'],
  ...['pin', 'read', 'markUnread', 'settings', 'update', 'burst', 'away', 'anew'],
] as (
  | 'send'
  | 'burst'
  | 'reply'
  | 'edit'
  | 'delete'
  | 'react'
  | 'pin'
  | 'read'
  | 'markUnread'
  | 'settings'
  | 'update'
  | 'away'
  | 'anew'
)[]

t.test('whatever people and the network do, the client knows what the broker knows', async (t) => {
  const random = Random.from('SDK_SEED', 1_742_206_492)
  t.comment(`SDK_SEED=${random.seed} repeats what is done`)
  const { broker, alice, bob, client, proxy } = await start(t)
  const carol = await personOf(broker, 'carol')
  await bob.rooms.create({ room: 'den' })
  for (const [who, room] of [
    [alice, 'den'],
    [carol, 'den'],
    [carol, 'tea'],
  ] as const)
    await who.rooms.join({ room })
  const crowd = new Crowd(random, alice, [bob, carol])
  client.chat.connect().catch(() => {})
  for (let round = 0; round < 8; round++) {
    const fault = random.pick(['none', 'cut', 'blackhole', 'refuse', 'restart'] as const)
    for (let i = 0; i < 12; i++) {
      if (i === 4 && fault === 'restart') await broker.restart()
      else if (i === 4 && fault !== 'restart' && fault !== 'none') proxy[fault]()
      if (i === 8 && fault === 'blackhole') proxy.cut()
      if (i === 10) proxy.heal()
      await (random.chance(0.3) ? Promise.all([crowd.act(), crowd.act(), crowd.act()]) : crowd.act())
      if (random.chance(0.1)) client.chat.retryNow()
      // Without a connection that fails.
      if (random.chance(0.3)) void moves(client.timeline, random).catch(() => {})
    }
    proxy.heal()
    await client.isUpToDate()
    await client.check(t, `round ${round}, ${fault}`)
  }
})
