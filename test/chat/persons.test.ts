/** What holds for a person holds for their bots and devices, and what these do counts for the person. */
import t, { type Test } from 'tap'
import type { Overrides } from '../helpers/broker.js'
import type { Person } from '../helpers/people.js'
import { people } from '../helpers/rooms.js'

/** Mallory, a bot and a device of hers, and alice. */
async function company(t: Test, overrides: Overrides = {}) {
  const there = await people(t, ['alice', 'mallory'], overrides)
  const { connect, mallory } = there
  const { key } = (await mallory.get('bots.create', { bot: 'mbot' })).key
  const { key: deviceKey } = await mallory.get('devices.register', { device: 'mdev' })
  const bot = await connect('mbot', { password: key })
  const device = await connect('mdev', { password: deviceKey })
  return { ...there, bot, device, owned: [bot, device] }
}

const membersOf = async (person: Person, room: string): Promise<string[]> =>
  (await person.get('rooms.members', { room })).members.map(({ user }: { user: string }) => user).sort()

t.test('a ban takes bots and devices of who is banned out, keeps them out, and ends for all at once', async (t) => {
  const { alice, mallory, bot, device, owned } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, bot]) await person.get('rooms.join', { room: 'plaza' })
  await bot.subscribe(['rooms/plaza/messages', 'users/mbot/messages'])
  await alice.subscribe('rooms/plaza/events')
  await alice.get('rooms.ban', { room: 'plaza', user: 'mallory' })
  t.same(await membersOf(alice, 'plaza'), ['alice'])
  const told = await alice.on('rooms/plaza/events', 2)
  t.match(told, [
    { type: 'banned', user: 'mallory', by: 'alice' },
    { type: 'removed', user: 'mbot', by: 'alice' },
  ])
  await alice.say('plaza', 'among us')
  await alice.tell('mbot', 'marker')
  await bot.hears('marker')
  t.notOk(bot.lines.some((line) => line.endsWith('among us')))

  for (const person of owned) {
    t.equal(await person.fails('rooms.join', { room: 'plaza' }), 'forbidden', person.user)
    t.same(await person.subscribe('rooms/plaza/messages'), [0x80])
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'forbidden' } })
    t.equal(await person.fails('history', { room: 'plaza' }), 'forbidden room')
    t.equal(await alice.fails('rooms.invite', { room: 'plaza', user: person.user }), 'forbidden')
  }
  await alice.get('rooms.unban', { room: 'plaza', user: 'mallory' })
  for (const person of [mallory, bot, device]) await person.get('rooms.join', { room: 'plaza' })
  t.equal((await membersOf(alice, 'plaza')).length, 4)
})

t.test('a ban on a bot is for the bot alone', async (t) => {
  const { alice, mallory, bot } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, bot]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.ban', { room: 'plaza', user: 'mbot' })
  t.same(await membersOf(alice, 'plaza'), ['alice', 'mallory'])
})

t.test('whose bot has a role above is banned by someone above both', async (t) => {
  const { connect, alice, mallory, bot } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  const carol = await connect('carol')
  for (const person of [mallory, bot, carol]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.setRole', { room: 'plaza', user: 'carol', role: 'moderator' })
  await alice.get('rooms.setRole', { room: 'plaza', user: 'mbot', role: 'admin' })
  t.equal(await carol.fails('rooms.ban', { room: 'plaza', user: 'mallory' }), 'forbidden user')
  await alice.get('rooms.ban', { room: 'plaza', user: 'mallory' })
  t.same(await membersOf(alice, 'plaza'), ['alice', 'carol'])
})

t.test('a mute and slow mode hold for a person’s bots and devices', async (t) => {
  const { alice, mallory, owned } = await company(t)
  await alice.get('rooms.create', { room: 'plaza' })
  for (const person of [mallory, ...owned]) await person.get('rooms.join', { room: 'plaza' })
  await alice.get('rooms.mute', { room: 'plaza', user: 'mallory' })
  for (const person of [mallory, ...owned])
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'forbidden' } }, person.user)
  await alice.get('rooms.unmute', { room: 'plaza', user: 'mallory' })
  await alice.get('rooms.update', { room: 'plaza', slowMode: 3600 })
  await mallory.say('plaza', 'the one of this hour')
  for (const person of owned)
    t.match(await person.refused('rooms/plaza/messages', 'hi'), { error: { code: 'rate_limited' } }, person.user)
})

t.test('who is blocked does not reach one by a bot or a device, nor sees one by them', async (t) => {
  const { alice, bot, owned } = await company(t)
  await alice.get('contacts.request', { user: 'mbot' })
  await bot.get('contacts.accept', { user: 'alice' })
  await bot.subscribe('users/alice/presence')
  await bot.on('users/alice/presence', 1)
  await alice.get('blocks.add', { user: 'mallory' })
  for (const person of owned) {
    t.match(await person.refused('users/alice/messages', 'hi'), { error: { code: 'forbidden' } }, person.user)
    t.match(await person.refused('users/alice/signals', 'hi'), { error: { code: 'forbidden' } })
    t.equal(await person.fails('contacts.request', { user: 'alice' }), 'forbidden')
  }
  t.same(await bot.subscribe('users/alice/presence'), [0x80])
})
