/** Random people in random rooms say, edit, delete, come and go; whoever searches finds what a simple model says, no more, no less. */
import t, { type Test } from 'tap'
import { directPeer } from '../../schemas/ids.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { Person } from '../helpers/people.js'
import { Random } from '../helpers/random.js'
import { type Query, randomQuery, randomText, SearchModel } from '../models/search.js'

const STEPS = 400
const USERS = ['ann', 'ben', 'cem', 'dia']
const ROOMS = ['north', 'south', 'west']

class Play {
  readonly #t: Test
  readonly #broker: TestBroker
  readonly #random: Random
  readonly #model = new SearchModel()
  #people = new Map<string, Person>()
  readonly counts = { searches: 0, hits: 0 }

  constructor(t: Test, broker: TestBroker, random: Random) {
    this.#t = t
    this.#broker = broker
    this.#random = random
  }

  async open(): Promise<void> {
    await this.#connect()
    for (const room of ROOMS) {
      await this.#as('ann').get('rooms.create', { room })
      this.#model.members.set(room, new Set(['ann']))
    }
  }

  async step(): Promise<void> {
    const chance = this.#random.below(100)
    const user = this.#random.pick(USERS)
    if (chance < 35) await this.#say(user)
    else if (chance < 45) await this.#edit(user)
    else if (chance < 52) await this.#delete(user)
    else if (chance < 66) await this.#comeOrGo(user)
    else if (chance < 67) await this.#restart()
    else await this.#search(user)
  }

  async #connect(): Promise<void> {
    for (const user of USERS) this.#people.set(user, await Person.connect(this.#t, this.#broker, user))
  }

  #as(user: string): Person {
    return this.#people.get(user)!
  }

  async #say(user: string): Promise<void> {
    const peer = this.#random.pick(USERS.filter((other) => other !== user))
    const room = this.#random.pick([...this.#model.rooms(user).map((id) => addressOf(id, user)), `@${peer}`])
    const text = randomText(this.#random)
    const sent = await this.#as(user).get('send', { room, text })
    // The first one makes the conversation.
    if (room.startsWith('@')) this.#model.members.set(sent.room, new Set([user, room.slice(1)]))
    this.#model.messages.push({ room: sent.room, seq: sent.seq, from: user, text })
  }

  async #edit(user: string): Promise<void> {
    const mine = this.#model.own(user)
    if (mine.length === 0) return
    const message = this.#random.pick(mine)
    const text = randomText(this.#random)
    await this.#as(user).get('send', { room: addressOf(message.room, user), type: 'edit', target: message.seq, text })
    message.text = text
  }

  async #delete(user: string): Promise<void> {
    const mine = this.#model.own(user)
    if (mine.length === 0) return
    const message = this.#random.pick(mine)
    await this.#as(user).get('send', { room: addressOf(message.room, user), type: 'delete', target: message.seq })
    message.text = null
  }

  /** Ann, who owns the rooms, puts people out of them; the others leave by themselves, and all come back. */
  async #comeOrGo(user: string): Promise<void> {
    const room = this.#random.pick(ROOMS)
    const members = this.#model.members.get(room)!
    if (user === 'ann') {
      const other = this.#random.pick(USERS.slice(1))
      if (members.delete(other)) await this.#as('ann').get('rooms.remove', { room, user: other })
    } else if (members.delete(user)) await this.#as(user).get('rooms.leave', { room })
    else {
      await this.#as(user).get('rooms.join', { room })
      members.add(user)
    }
  }

  async #restart(): Promise<void> {
    await this.#broker.restart()
    await this.#connect()
  }

  async #search(user: string): Promise<void> {
    const rooms = this.#model.rooms(user)
    const query: Query = {
      query: randomQuery(this.#random),
      ...(rooms.length > 0 && this.#random.chance(0.3) ? { room: this.#random.pick(rooms) } : {}),
      ...(this.#random.chance(0.3) ? { from: this.#random.pick(USERS) } : {}),
    }
    const found: string[] = []
    for (let cursor: string | undefined; ; ) {
      const limit = this.#random.between(1, 30)
      const page = await this.#as(user).get('search', { ...query, limit, ...(cursor ? { cursor } : {}) })
      if (page.pending > 0) continue
      for (const { message } of page.results) found.push(`${message.room} ${message.seq}`)
      cursor = page.cursor
      if (!page.more) break
    }
    this.counts.searches++
    this.counts.hits += found.length
    this.#t.strictSame(found.sort(), this.#model.found(user, query), `${user} finds ${JSON.stringify(query)}`)
  }
}

/** How one writes to a room: direct messages go to the other user. */
function addressOf(room: string, user: string): string {
  const peer = directPeer(room, user)
  return peer === null ? room : `@${peer}`
}

t.test('whoever searches finds what the model says', { timeout: 600_000 }, async (t) => {
  const random = Random.from('SEARCH_SEED')
  t.comment(`SEARCH_SEED=${random.seed} repeats this run`)
  const broker = await startTestBroker(t)
  const play = new Play(t, broker, random)
  await play.open()
  for (let i = 0; i < STEPS; i++) await play.step()
  t.ok(play.counts.hits > play.counts.searches, `${play.counts.searches} searches found ${play.counts.hits} messages`)
})
