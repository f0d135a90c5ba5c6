/** What the broker really says on its topics fits what the documents say of it, and has no key twice. */
import { readFile } from 'node:fs/promises'
import t from 'tap'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { LogEntry } from '../../broker/store/logs.js'
import { RoomEvent, UserEvent } from '../../schemas/documents/events.js'
import { TOPIC_DOCUMENTS } from '../../schemas/documents/payloads.js'
import { ROOM_LEAVES, USER_LEAVES } from '../../schemas/topics.js'
import { duplicateKeys } from '../helpers/duplicate-keys.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

t.test('a key that stands twice is found', async (t) => {
  t.same(duplicateKeys('{"id":1,"a":{"id":2},"b":[{"id":3},{"id":4}],"c":"\\"id\\":{","id":5}'), ['id'])
})

/** Of a topic on which nothing came. */
const NOT_SEEN = 'let someone publish there in the test above, so that its payload is held to TOPIC_DOCUMENTS'

/** The types of a union of events. */
const typesOf = ({ anyOf }: { anyOf: { properties: { type: { const: string } } }[] }): string[] =>
  anyOf.map(({ properties }) => properties.type.const).sort()

const schemas = TOPIC_DOCUMENTS.flatMap(({ topic, out }) =>
  out
    ? [{ pattern: new RegExp(`^${topic.replaceAll(/\{\w+\}/g, '[^/]+')}$`), check: Compile(out as TSchema), topic }]
    : [],
)

/** What is wrong with it; null where the documents do not say. */
function faultsOf(topic: string, payload: string): string[] | null {
  const schema = schemas.find(({ pattern }) => pattern.test(topic))
  if (!schema || topic.endsWith('/text')) return null
  const twice = duplicateKeys(payload).map((key) => `${key} stands twice`)
  return schema.check.Check(JSON.parse(payload)) ? twice : [...twice, `${topic}: ${payload}`]
}

/** One of each thing that happens in rooms, to people and with devices. */
async function life({ alice, bob, carol, dave }: Record<'alice' | 'bob' | 'carol' | 'dave', Person>): Promise<void> {
  await alice.get('rooms.create', { room: 'den', access: 'request' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.decline', { room: 'den' })
  await alice.get('rooms.invite', { room: 'den', user: 'bob' })
  await bob.get('rooms.join', { room: 'den' })
  await carol.get('rooms.request', { room: 'den' })
  await carol.get('rooms.withdraw', { room: 'den' })
  for (const person of [carol, dave]) await person.get('rooms.request', { room: 'den' })
  await alice.get('rooms.approve', { room: 'den', user: 'carol' })
  await alice.get('rooms.deny', { room: 'den', user: 'dave' })
  await alice.get('rooms.update', { room: 'den', topic: 'x' })
  await alice.get('rooms.setRole', { room: 'den', user: 'carol', role: 'moderator' })
  await alice.get('rooms.mute', { room: 'den', user: 'bob', for: 60 })
  await alice.get('rooms.unmute', { room: 'den', user: 'bob' })
  await alice.say('den', { text: 'hi', mentions: ['@bob'] })
  await bob.say('den', { type: 'reaction', target: 1, data: { emoji: '👍' } })
  await bob.publish('rooms/den/typing', '')
  await bob.publish('rooms/den/receipts', { read: 1 })
  await bob.get('reports.create', { room: 'den', seq: 1, reason: 'spam' })
  await alice.get('rooms.settings', { room: 'den', pinned: true })
  await alice.get('threads.follow', { room: 'den', thread: 1 })
  await alice.get('saved.add', { room: 'den', seq: 1 })
  await bob.get('notifications.settings.update', { keywords: ['tea'] })
  await bob.get('account.data.set', { name: 'theme', value: 'dark' })
  await bob.get('account.data.delete', { name: 'theme' })
  await alice.get('privacy.update', { invites: 'contacts' })
  await alice.get('privacy.update', { invites: 'everyone' })
  await bob.get('contacts.request', { user: 'alice' })
  await alice.get('contacts.accept', { user: 'bob' })
  await bob.publish('users/bob/presence', { status: 'here' })
  await bob.tell('alice', 'you')
  await bob.publish('users/alice/signals', { ring: true })
  await alice.get('rooms.remove', { room: 'den', user: 'carol' })
  await alice.get('rooms.ban', { room: 'den', user: 'dave', for: 60, reason: 'rude' })
  await alice.get('rooms.unban', { room: 'den', user: 'dave' })
  await bob.get('rooms.leave', { room: 'den' })
  await alice.get('rooms.delete', { room: 'den' })
}

t.test('what is said on topics, and in every event there is, is as documented', async (t) => {
  const cast = await people(t, ['alice', 'bob', 'carol', 'dave'])
  const { broker, connect, alice, bob } = cast
  const kept: string[] = []
  const { store } = broker.running
  const seen = new Map<string, number>()
  store.log.onGrowth((log, head) => {
    if (!/^[eu]:/.test(log)) return
    // Entries that were appended just now are in memory.
    const entries = head === 0 ? [] : (store.log.read(log, seen.get(log) ?? 0, 1000, 1e6) as LogEntry[])
    for (const { payload } of entries) kept.push(`${log} ${payload}`)
    seen.set(log, head)
  })
  for (const person of [alice, bob]) await person.subscribe([`users/${person.user}/#`, 'users/+/presence', 'rooms/+/+'])
  await life(cast)
  const robot = await connect('robot', { roles: ['notifier', 'publisher'] })
  await robot.get('notify', { user: 'alice', title: 'x', body: 'y' })
  await robot.publish('broadcast/news', { text: 'all' })
  await alice.get('notifications.ack', { upTo: 1 })
  const { key } = await alice.get('devices.register', { device: 'lamp' })
  const lamp = await connect('lamp', { password: key.key })
  await lamp.subscribe('devices/lamp/commands')
  await alice.get('devices.share', { device: 'lamp', user: 'bob', may: 'control' })
  const { id } = await alice.get('devices.command', { device: 'lamp', name: 'on', params: { level: 1 } })
  const [asked] = await lamp.on('devices/lamp/commands', 1)
  await lamp.publish('devices/lamp/receipts', { id: asked.id, ok: true, result: 1 })
  t.equal(asked.id, id)
  await alice.get('devices.transfer', { device: 'lamp', user: 'bob' })
  const bot = await alice.get('bots.create', { bot: 'helper' })
  const helper = await connect('helper', { password: bot.key.key })
  await alice.get('rooms.create', { room: 'tea' })
  await helper.get('rooms.join', { room: 'tea' })
  await alice.get('slash.set', { bot: 'helper', commands: [{ name: 'deploy', description: 'Deploys.' }] })
  await alice.say('tea', '/deploy now')
  await alice.inbox.wait(1, ({ payload }) => payload.includes('"deviceCommand"'))
  await alice.inbox.wait(1, ({ topic }) => topic === 'rooms/tea/info')

  const heard = [alice, bob, lamp].flatMap(({ inbox }) => inbox.messages)
  const documented = new Set<string>()
  for (const { topic, payload } of heard) {
    const faults = faultsOf(topic, payload.toString())
    if (faults === null) continue
    documented.add(topic.replace(/^(\w+)\/[^/]+/, '$1/+'))
    t.same(faults, [])
  }
  for (const leaf of USER_LEAVES) t.ok(documented.has(`users/+/${leaf}`), `users/+/${leaf}: ${NOT_SEEN}`)
  for (const leaf of ROOM_LEAVES.filter((leaf) => leaf !== 'text'))
    t.ok(documented.has(`rooms/+/${leaf}`), `rooms/+/${leaf}: ${NOT_SEEN}`)

  const types = { 'e:': new Set<string>(), 'u:': new Set<string>() }
  for (const line of kept) {
    const [log, payload] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
    const kind = log.slice(0, 2) as keyof typeof types
    types[kind].add(JSON.parse(payload).type)
    t.same(faultsOf(kind === 'e:' ? 'rooms/x/events' : 'users/x/events', payload), [])
  }
  t.same([...types['e:']].sort(), typesOf(RoomEvent as never), 'every event of rooms was there')
  t.same([...types['u:']].sort(), typesOf(UserEvent as never), 'and of users')
})

t.test('docs/topics.md names every type of event and every field of presence', async (t) => {
  const page = await readFile('docs/topics.md', 'utf8')
  for (const type of [...typesOf(RoomEvent as never), ...typesOf(UserEvent as never)]) t.match(page, `\`${type}\``)
  for (const field of ['user', 'state', 'status', 'lastSeen', 'devices']) t.match(page, `"${field}":`)
})

t.test('docs/topics.md has a row for every topic', async (t) => {
  const page = await readFile('docs/topics.md', 'utf8')
  const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, topic]) => topic!.replace(/\{\w+\}/g, '{}'))
  for (const { topic } of TOPIC_DOCUMENTS)
    t.ok(rows.includes(topic.replace(/\{\w+\}/g, '{}')), `${topic}: add a row to the first table of docs/topics.md`)
})
