/** Who and what is in the pictures of the web app: a small office that talks. */
import { createChat } from '../../client/index.js'
import { webSocket } from '../helpers/web-socket.js'

type Talk = readonly (readonly [who: string, text: string])[]

const TEA: Talk = [
  ['bob', 'The kettle on the second floor is broken again.'],
  ['bob', 'It clicks, and then nothing.'],
  ['carol', 'I have ordered a new one, it should be here on Thursday.'],
  ['alice', 'Until then there is one in the workshop.'],
  ['bob', 'Thank you! 🫖'],
  ['carol', 'The manual: https://example.com/kettles/model-7?lang=en (it has a picture of the switch)'],
  [
    'dave',
    'Could we have a bigger one this time? With twelve of us the small one boils all morning, and whoever comes last gets the lukewarm rest of it.',
  ],
  ['alice', 'Good point. Carol, is that still possible?'],
  ['carol', 'It is. I will change the order.'],
]
const DIRECT: Talk = [
  ['bob', 'Are you coming to lunch?'],
  ['alice', 'In ten minutes!'],
  ['bob', 'Good, I keep you a place.'],
]
const ARABIC: Talk = [
  ['layla', 'صباح الخير! هل وصل التقرير؟'],
  ['alice', 'نعم، وصل أمس. سأرسله إلى TopicTalk بعد قليل.'],
  ['layla', 'شكرًا جزيلًا'],
]
const CHINESE: Talk = [
  ['wei', '早上好！会议改到下午三点了。'],
  ['alice', '收到，谢谢。我会带上新的日程表。'],
  ['wei', '太好了 👍 在二楼的会议室见。'],
]
const USERS = ['alice', 'bob', 'carol', 'dave', 'layla', 'wei'] as const

type Person = Awaited<ReturnType<typeof login>>

/** Fills a broker, over HTTP at `url`. Resolves with the key of the device kettle. */
export async function fill(url: string): Promise<string> {
  for (const user of USERS) await register(url, user)
  const people = Object.fromEntries(
    await Promise.all(USERS.map(async (user) => [user, await login(url, user)] as const)),
  )
  const alice = people['alice']!
  await alice.ask.rooms.create({ room: 'tea', name: 'Tea kitchen', topic: 'Kettles, cups and biscuits' })
  await alice.ask.rooms.create({ room: 'garden', name: 'Garden', access: 'private' })
  await alice.ask.rooms.create({ room: 'announcements', write: 'moderators' })
  const long = 'A room with a very long name that does not fit into any list, whatever its width may be'
  await alice.ask.rooms.create({ room: 'long', name: long })
  for (const user of ['bob', 'carol', 'dave'] as const) await people[user]!.ask.rooms.join({ room: 'tea' })
  for (const user of ['bob', 'carol'] as const) await people[user]!.ask.rooms.join({ room: 'long' })
  await people['carol']!.ask.users.update({ name: 'Carol Danvers' })
  await people['wei']!.ask.users.update({ name: '林薇' })
  await say(people, 'long', [
    ['bob', 'Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenbefestigungsnadel'.repeat(3)],
  ])
  await say(people, 'dm:alice:layla', ARABIC)
  await say(people, 'dm:alice:wei', CHINESE)
  await say(people, 'tea', TEA)
  await discuss(people)
  await say(people, 'dm:alice:bob', DIRECT)
  const { key } = await alice.ask.devices.register({ device: 'kettle', name: 'Kettle on the second floor' })
  await alice.ask.devices.share({ device: 'kettle', user: 'carol', may: 'control' })
  await alice.ask.devices.command({ device: 'kettle', name: 'boil', params: { to: 90 } })
  await publish(url, key, 'state', { on: true, target: 90, firmware: '3.2.1', network: { signal: -54 } })
  for (const one of Object.values(people)) await one.close()
  return key
}

/** Reactions, an answer and a thread in the room of the kettle. */
async function discuss(people: Readonly<Record<string, Person>>): Promise<void> {
  const room = (who: string) => people[who]!.room('tea')
  await room('bob').react(7, '👍').sent
  await room('carol').react(7, '👍').sent
  await room('dave').react(9, '🎉').sent
  await room('dave').reply(4, 'The one with the loose lid?').sent
  await room('alice').send({ text: 'Which size fits the tap?', thread: 3 }).sent
  await room('carol').send({ text: '`1.7 l` does, I measured it.', thread: 3 }).sent
}

/** What the kettle tells of its last two minutes. */
export async function measure(url: string, key: string): Promise<void> {
  const now = Date.now()
  for (let second = 120; second > 0; second -= 2) {
    const ts = now - second * 1000
    // It was off for a while.
    if (second > 70 || second < 40)
      await publish(url, key, 'telemetry/temperature', { value: 55 + 40 * Math.sin(second / 25), ts })
    await publish(url, key, 'telemetry/watts', { value: second % 40 > 15 ? 2000 - second : 3, ts })
  }
}

async function publish(url: string, key: string, place: string, value: object): Promise<void> {
  const topic = `devices/kettle/${place}`
  await fetch(`${url}/v1/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ topic, payload: JSON.stringify(value), retain: place === 'state' }),
  })
}

async function say(people: Readonly<Record<string, Person>>, room: string, talk: Talk): Promise<void> {
  for (const [who, text] of talk) await people[who]!.send(room, text).sent
}

async function login(url: string, user: string) {
  const chat = createChat({ url, auth: { user, password: passwordOf(user) } }, { socket: webSocket })
  await chat.connect()
  return chat
}

export const passwordOf = (user: string): string => `${user}-pw-${user}`

async function register(url: string, user: string): Promise<void> {
  const body = JSON.stringify({ user, password: passwordOf(user) })
  await fetch(`${url}/v1/auth/register`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}
