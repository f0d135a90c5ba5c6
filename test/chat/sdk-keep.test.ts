/** What stays on the device, of many rooms and messages. */
import t, { type Test } from 'tap'
import type { RoomState } from '../../client/engine/room-state.js'
import { httpCalls, type Item, type Keep, type Methods, methods } from '../../client/index.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { LoggedMessage } from '../../schemas/commands/shown-message.js'
import { startTestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { chatAt, when } from '../helpers/outbox-app.js'
import { answered, until } from '../helpers/patience.js'

const LONG = 'x'.repeat(1000)
const ROOMS = ['room1', 'room2', 'room3', 'room4']

/** Alice is in four rooms; of each several messages are unread. The last one is the most active one. */
async function start(t: Test, keep: Keep, text = 'text') {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const personOf = async (user: string): Promise<Methods> => {
    const token = await broker.token(user)
    return methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  }
  const [alice, bob] = [await personOf('alice'), await personOf('bob')]
  for (const room of ROOMS) {
    await bob.rooms.create({ room })
    await alice.rooms.join({ room })
    await say(bob, room, 10, text)
  }
  const store = new MemoryStore()
  const chat = chatAt(t, broker, Number(new URL(broker.wsUrl).port), 'alice', { store: () => store, keep })
  /** Numbers of messages on the device, by room. */
  const kept = async (): Promise<Record<string, number>> => {
    const counts = Object.fromEntries(ROOMS.map((room) => [room, 0]))
    for (const { key } of await store.range('messages')) counts[key[0] as string]!++
    return counts
  }
  /** Waits until these are the numbers: what is too much goes after what has come was written. */
  const keeps = async (numbers: Record<string, number>): Promise<void> => {
    await until('what is to stay stays', async () => JSON.stringify(await kept()) === JSON.stringify(numbers)).catch(
      () => {},
    )
    t.same(await kept(), numbers)
  }
  return { alice, bob, chat, store, kept, keeps }
}

async function say(person: Methods, room: string, count: number, text = 'text'): Promise<void> {
  for (let i = 1; i <= count; i++) await person.send({ room, text: `${text} ${i}` })
}

const textsOf = (items: readonly Item[]) =>
  items.map((item) => (item.kind === 'message' ? item.message.text : item.kind))

t.test('of rooms beyond the bound the last message stays; what is looked at is fetched again', async (t) => {
  const { bob, chat, kept, keeps } = await start(t, { rooms: 3 })
  await chat.connect()
  await keeps({ room1: 1, room2: 10, room3: 10, room4: 10 })
  t.match(chat.rooms.current.at(-1), { room: 'room1', unread: 10, last: { text: 'text 10' } })
  await bob.send({ room: 'room1', type: 'edit', target: 10, text: 'edited' })
  await answered(
    'the last one is up to date',
    when(chat.rooms, (rooms) => rooms.some(({ last }) => last && 'text' in last && last.text === 'edited')),
  )
  const timeline = chat.room('room1').timeline({ size: 5 })
  await answered(
    'it is shown',
    when(timeline.items, (items) => textsOf(items).join() === 'text 6,text 7,text 8,text 9,edited'),
  )
  await say(bob, 'room4', 1)
  await until('what came is there', async () => (await kept())['room4'] === 11)
  t.ok((await kept())['room1']! >= 5, 'what is looked at stays')
  timeline.dispose()
  await say(bob, 'room4', 1)
  await until('it goes again', async () => (await kept())['room1'] === 1)
})

t.test('beyond the bytes the rooms go that were active least recently', async (t) => {
  const { bob, chat, store, keeps } = await start(t, { bytes: 40_000 }, LONG)
  await chat.connect()
  await keeps({ room1: 1, room2: 1, room3: 10, room4: 10 })
  await say(bob, 'room2', 17, LONG)
  await keeps({ room1: 1, room2: 18, room3: 1, room4: 10 })
  const rows = (await store.range('messages')).map(({ value }) => value as LoggedMessage)
  t.ok(JSON.stringify(rows).length < 40_000)
})

t.test('of one room the newest messages stay', async (t) => {
  const { bob, chat, store, kept } = await start(t, { messages: 20 })
  await chat.connect()
  await say(bob, 'room1', 30)
  await until('the newest ones', async () => {
    const [state] = (await store.get('rooms', [['room1']])) as [RoomState]
    return state.seq === 40
  })
  t.ok((await kept())['room1']! <= 25, String((await kept())['room1']))
  t.ok((await kept())['room1']! >= 20)
})
