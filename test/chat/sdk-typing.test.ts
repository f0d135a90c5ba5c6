/** Who is typing, as clients of the SDK show and tell it, with a real broker. */
import t from 'tap'
import type { WebSocket } from 'ws'
import { until } from '../helpers/patience.js'
import { Person } from '../helpers/people.js'
import { becomes, cutAndBack, HeldTimers, startTeaRoom } from '../helpers/tea-room.js'
import { webSocket } from '../helpers/web-socket.js'

/** Ms: without a sign from another, and without a key of one's own. */
const LASTS = 6000
const STOPS = 5000

t.test('who types is shown until they stop, say something, or give no sign any more', async (t) => {
  const { chat, proxy, bob } = await startTeaRoom(t)
  const timers = new HeldTimers([LASTS, STOPS])
  const alice = await chat('alice', timers.platform)
  const carol = await chat('carol', timers.platform)
  const room = alice.room('tea')
  const shown: string[] = []
  const unsubscribe = room.typing.subscribe((users) => shown.push(users.join('+')))
  await Promise.all([alice.connect(), carol.connect()])
  const raw = await chat('dan')
  await raw.connect()
  const see = (users: string) => becomes(room.typing, users || 'nobody', (now) => now.join('+') === users)
  // A sign is told to those who have subscribed by then.
  const sign = async (from: typeof carol, users: string) => {
    const again = setInterval(() => (timers.ahead += 4000) && from.room('tea').setTyping(), 300)
    from.room('tea').setTyping()
    await see(users).finally(() => clearInterval(again))
  }
  await sign(carol, 'carol')
  room.setTyping()
  await sign(raw, 'carol+dan')
  carol.room('tea').setTyping(false)
  await see('dan')
  await sign(carol, 'dan+carol')
  await bob.send({
    room: 'tea',
    type: 'reaction',
    target: (await bob.send({ room: 'tea', text: 'x' })).seq,
    data: { emoji: '👍' },
  })
  await raw.send('tea', 'hello').sent
  await see('carol')
  timers.fire(LASTS)
  t.same(room.typing.current, [], 'no further sign')
  await sign(carol, 'carol')
  timers.fire(STOPS)
  await see('')
  await sign(carol, 'carol')
  await cutAndBack(alice, proxy, async () => t.same(room.typing.current, [], 'nobody, without a connection'))
  await sign(raw, 'dan')
  t.notOk(
    shown.some((users) => users.includes('alice')),
    'the user is not told of themselves',
  )
  unsubscribe()
  t.same(room.typing.current, [])
  t.equal(timers.count(LASTS), 0)
})

t.test('a sign is sent with the first key, every 4 s, and once when it is over', async (t) => {
  const { broker, chat, proxy } = await startTeaRoom(t)
  const timers = new HeldTimers([STOPS])
  const alice = await chat('alice', timers.platform)
  const room = alice.room('tea')
  room.setTyping()
  t.equal(timers.count(STOPS), 0, 'nothing happens without a connection')
  const dan = await Person.connect(t, broker, 'dan')
  await dan.get('rooms.join', { room: 'tea' })
  await dan.subscribe(['rooms/tea/typing', 'rooms/tea/messages'])
  await alice.connect()
  const signs = () => dan.inbox.json('rooms/tea/typing').map(({ typing }) => typing)
  const told = (expected: readonly boolean[]) =>
    until(`${expected}`, async () => JSON.stringify(signs()) === JSON.stringify(expected))
  for (let key = 0; key < 5; key++) room.setTyping()
  timers.ahead = 4000
  for (let key = 0; key < 5; key++) room.setTyping()
  await told([true, true])
  t.equal(timers.count(STOPS), 1)
  timers.fire(STOPS)
  await told([true, true, false])
  room.setTyping(false)
  room.setTyping()
  await alice.send('tea', 'hello').sent
  t.equal(timers.count(STOPS), 0)
  room.setTyping()
  await told([true, true, false, true, true])
  room.setTyping(false)
  room.setTyping()
  await told([true, true, false, true, true, false, true])
  await cutAndBack(alice, proxy, async () => {
    t.equal(timers.count(STOPS), 0, 'no timer is left')
    room.setTyping()
  })
  t.equal(timers.count(STOPS), 0)
})

t.test('typing is told only where somebody looks, and again when the user comes back', async (t) => {
  const { broker, chat, person } = await startTeaRoom(t)
  let heard = 0
  const socket = (url: string) => {
    const made = webSocket(url)
    ;(made as unknown as WebSocket).on(
      'message',
      (bytes: ArrayBuffer) => (heard += Buffer.from(bytes).includes('tea/typing') ? 1 : 0),
    )
    return made
  }
  const alice = await chat('alice', { socket })
  await alice.connect()
  const dan = await Person.connect(t, broker, 'dan')
  await dan.get('rooms.join', { room: 'tea' })
  /** What was published before has come. */
  const passed = async (text: string): Promise<void> => {
    await dan.publish('rooms/tea/typing', { typing: true })
    await dan.say('tea', text)
    await becomes(alice.rooms, text, ([tea]) => (tea?.last as { text?: string } | null)?.text === text)
  }
  await passed('nobody looks')
  t.equal(heard, 0)
  const room = alice.room('tea')
  const seen = async (): Promise<void> => {
    const again = setInterval(() => void dan.publish('rooms/tea/typing', { typing: true }), 250)
    await becomes(room.typing, 'dan', ([user]) => user === 'dan').finally(() => clearInterval(again))
  }
  const stop = room.typing.subscribe(() => {})
  await seen()
  const me = await person('alice')
  await me.rooms.leave({ room: 'tea' })
  await becomes(room.typing, 'nobody, outside', (users) => users.length === 0)
  await me.rooms.join({ room: 'tea' })
  await seen()
  stop()
  stop()
  t.same(room.typing.current, [])
  await passed('the subscription ends')
  const before = heard
  await passed('nobody looks any more')
  t.equal(heard, before)
})

t.test('of more rooms than are remembered each one that is looked at is told', async (t) => {
  const { chat } = await startTeaRoom(t)
  const [alice, carol] = [await chat('alice'), await chat('carol')]
  const first = alice.room('tea').typing
  for (let i = 0; i < 1000; i++) void alice.room(`room-${i}`).typing
  const second = alice.room('tea').typing
  t.not(first, second)
  const stops = [first, second].map((live) => live.subscribe(() => {}))
  await Promise.all([alice.connect(), carol.connect()])
  await until('both are told', async () => {
    carol.room('tea').setTyping()
    return [first, second].every(({ current }) => current.includes('carol'))
  })
  for (const stop of stops) stop()
  t.same([first.current, second.current], [[], []])
})
