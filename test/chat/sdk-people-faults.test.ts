/**
 * What a client shows of people is what the broker answers, whatever they do and the network does meanwhile: random acts, cuts, and
 * looks that begin and end.
 */
import t, { type Test } from 'tap'
import type { Live } from '../../client/base/live.js'
import type { Chat } from '../../client/chat.js'
import type { Methods } from '../../client/index.js'
import { until } from '../helpers/patience.js'
import { Random } from '../helpers/random.js'
import { cutAndBack, startTeaRoom } from '../helpers/tea-room.js'

const USERS = ['bob', 'carol', 'dan', 'erin', 'fred']
const ACTS = 60

interface Cast {
  readonly alice: Methods
  readonly people: ReadonlyMap<string, Methods>
  readonly random: Random
  /** Messages that were sent. */
  head: number
}

/** Something that somebody does; what is refused does not happen. */
function act(cast: Cast, count: number): Promise<unknown> {
  const { alice, people, random } = cast
  const user = random.pick(USERS)
  const one = people.get(user)!
  const other = random.pick(['alice', ...USERS])
  const bob = people.get('bob')!
  const acts: (() => Promise<unknown>)[] = [
    () => one.rooms.join({ room: 'tea' }),
    () => one.rooms.leave({ room: 'tea' }),
    () => bob.rooms.remove({ room: 'tea', user: other }),
    () => bob.rooms.setRole({ room: 'tea', user: other, role: random.pick(['reader', 'member', 'moderator']) }),
    () => bob.rooms.ban({ room: 'tea', user }).then(() => bob.rooms.unban({ room: 'tea', user })),
    () => alice.rooms.join({ room: 'tea' }),
    () => one.send({ room: 'tea', text: `said ${count}` }).then(({ seq }) => (cast.head = seq)),
    () => one.read({ room: 'tea', seq: random.between(1, cast.head) }),
    () => one.read({ room: 'tea', seq: random.between(1, cast.head) }),
    () => one.users.update({ name: `${user} ${count}` }),
    () => one.rooms.invite({ room: `den-${user}`, user: 'alice' }),
    () => alice.rooms.decline({ room: `den-${user}` }),
    () => alice.rooms.join({ room: `den-${user}` }),
    () => one.contacts.request({ user: 'alice' }),
    () => one.contacts.accept({ user: 'alice' }),
    () => alice.account.data.set({ name: 'theme', value: count }),
    () => alice.account.data.delete({ name: 'theme' }),
  ]
  return random
    .pick(acts)()
    .catch((error: { code?: string }) => {
      if (error.code === undefined) throw error
    })
}

interface View {
  shown(): unknown
  told(): Promise<unknown>
}

/** What a client of alice shows, and what the broker answers her. */
function views(chat: Chat, alice: Methods) {
  const room = chat.room('tea')
  const orNone = <T>(answer: Promise<T>): Promise<T | null> => answer.catch(() => null)
  return {
    members: {
      shown: () => [room.members.current.list.map(({ user, role }) => `${user} ${role}`), room.members.current.count],
      told: async () => {
        const { members, count } = await alice.rooms.members({ room: 'tea' })
        return [members.map(({ user, role }) => `${user} ${role}`), count]
      },
    },
    receipts: {
      shown: () => [...room.receipts.current.members.values()].map(({ user, read }) => `${user} ${read}`).sort(),
      told: async () => {
        const { receipts } = await alice.receipts({ room: 'tea' })
        return receipts.flatMap(({ user, read }) => (user === 'alice' ? [] : `${user} ${read}`))
      },
    },
    profile: {
      shown: () => chat.users.profile('carol').current?.name ?? null,
      told: async () => (await alice.users.get({ user: 'carol' })).name,
    },
    invitations: {
      shown: () => chat.invitations.current.map((one) => one.room),
      told: async () => (await alice.rooms.invited()).invitations.map((one) => one.room),
    },
    contacts: {
      shown: () => chat.contacts.current.map(({ user, state }) => `${user} ${state}`),
      told: async () => (await alice.contacts.list()).contacts.map(({ user, state }) => `${user} ${state}`),
    },
    theme: {
      shown: () => chat.account.data('theme').current?.value ?? null,
      told: async () => (await orNone(alice.account.data.get({ name: 'theme' })))?.value ?? null,
    },
  }
}

async function run(t: Test, random: Random): Promise<void> {
  const { chat: make, proxy, bob, person } = await startTeaRoom(t)
  // Clients ask for a profile that is older than five minutes: here each is.
  let now = Date.now()
  const chat = await make('alice', { now: () => (now += 301_000) })
  const alice = await person('alice')
  const people = new Map([['bob', bob]])
  for (const user of USERS.slice(1)) people.set(user, await person(user))
  for (const [user, one] of people) await one.rooms.create({ room: `den-${user}`, access: 'private' })
  await bob.send({ room: 'tea', text: 'first' })
  await chat.connect()
  const room = chat.room('tea')
  const lives: Live<unknown>[] = [
    ...[room.members, room.receipts, room.typing],
    ...[chat.users.profile('carol'), chat.users.presence('carol')],
    ...[chat.invitations, chat.contacts, chat.account.data('theme')],
  ]
  const looks = new Map<Live<unknown>, () => void>()
  const look = (live: Live<unknown>): void =>
    void (
      looks.has(live) ||
      looks.set(
        live,
        live.subscribe(() => {}),
      )
    )
  const cast: Cast = { alice, people, random, head: 1 }
  for (let i = 1; i <= ACTS; i++) {
    if (random.chance(0.1)) proxy.cut()
    const live = random.pick(lives)
    const chance = random.next()
    if (chance < 0.2) look(live)
    else if (chance < 0.35) {
      looks.get(live)?.()
      looks.delete(live)
    }
    chat.retryNow()
    await act(cast, i)
  }
  for (const live of lives) look(live)
  await until('online', async () => chat.status.current.state === 'online')
  // From now on events alone tell what happens.
  for (let i = ACTS; i <= 5 * ACTS; i++) await act(cast, i)
  await alice.rooms.join({ room: 'tea' })
  const { profile, contacts, ...live } = views(chat, alice)
  for (const [name, view] of Object.entries(live)) await agree(t, `${name}, live`, view)
  // The broker tells no event of some changes: the next connection tells them.
  await cutAndBack(chat, proxy)
  for (const [name, view] of Object.entries({ ...live, profile, contacts })) await agree(t, name, view)
}

async function agree(t: Test, name: string, { shown, told }: View): Promise<void> {
  await until(name, async () => JSON.stringify(shown()) === JSON.stringify(await told())).catch(async () =>
    t.same(shown(), await told(), name),
  )
  t.pass(name)
}

for (const fixed of [1, 2, 3]) {
  const random = Random.from('PEOPLE_SEED', fixed)
  t.test(`PEOPLE_SEED=${random.seed} repeats this run`, (t) => run(t, random))
}
