/** What is stored of packets in flight is what was in flight at the last save, and costs what has changed since the one before. */
import assert from 'node:assert'
import t from 'tap'
import { QueueFeed } from '../../broker/following/feeds.js'
import { InflightRecords, type PacketsInFlight } from '../../broker/following/inflight-records.js'
import { detachedOwner, type Flight, Inflight, NO_OWNER } from '../../broker/mqtt/inflight.js'
import { type Exchange, Unsettled } from '../../broker/mqtt/shared/unsettled.js'
import type { Op } from '../../broker/store/op.js'
import type { SavedInflight } from '../../broker/store/sessions.js'
import type { Store } from '../../broker/store/store.js'
import fc from '../helpers/fast-check.js'
import { memoryStore } from '../helpers/memory-store.js'

/** What a feed tells of its messages is not asked for here. */
const HOST = { touched() {}, forgetQueued() {} } as never

/** Saves as the session writer does; saves may fail, with or without having been written, or settle late. */
class Saves {
  readonly #store: Store
  readonly #id: string
  records: InflightRecords
  #unsettled: (() => void)[] = []
  count = 0
  /** Called before and after each save, with its number. */
  onSave: (save: number) => void = () => {}
  onStored: (save: number) => void = () => {}

  constructor(store: Store, id: string, packets: PacketsInFlight) {
    this.#store = store
    this.#id = id
    this.records = new InflightRecords(packets)
  }

  ops(whole = false): Op[] {
    this.onSave(++this.count)
    return this.records.ops(this.#store.sessions, this.#id, this.count, whole)
  }

  async write(ops: readonly Op[]): Promise<void> {
    if (ops.length > 0) await this.#store.sessions.writeLazily(ops)
  }

  async save(whole = false): Promise<readonly Op[]> {
    const ops = this.ops(whole)
    await this.write(ops)
    this.#stored(this.count)
    return ops
  }

  /** The next one is made before this one has settled. */
  async saveLate(): Promise<void> {
    await this.write(this.ops())
    const number = this.count
    this.#unsettled.push(() => this.#stored(number))
  }

  #stored(save: number): void {
    this.records.stored(save)
    this.onStored(save)
  }

  settle(): void {
    for (const settle of this.#unsettled.splice(0)) settle()
  }

  async stored(): Promise<SavedInflight[]> {
    return (await this.#store.sessions.progress(this.#id)).inflight
  }
}

type Step = { readonly what: number; readonly pick: number }

const STEPS = fc.array(fc.record({ what: fc.nat({ max: 99 }), pick: fc.nat() }), {
  minLength: 1,
  maxLength: 120,
  size: 'max',
})

/** What both kinds of packets are asked to do: `moves` are theirs, and everything else is how they are saved. */
async function run(saves: Saves, steps: readonly Step[], move: (step: Step) => void, now: () => SavedInflight[]) {
  for (const step of steps) {
    if (step.what < 70) move(step)
    else if (step.what < 74) saves.ops()
    else if (step.what < 78) await saves.write(saves.ops())
    else if (step.what < 82) saves.settle()
    else {
      if (step.what < 86) await saves.saveLate()
      else await saves.save(step.what > 97)
      assert.deepStrictEqual(await saves.stored(), now())
    }
  }
}

/** A session: the packets as they are in flight, in the order of sending. */
class Model {
  readonly inflight = new Inflight(65_535)
  readonly #owners = [
    detachedOwner('m:tea'),
    detachedOwner('queue'),
    NO_OWNER,
    detachedOwner('m:a'),
    detachedOwner('m:b'),
  ]
  #flights: Flight[] = []
  /** Packets of QoS 2 that began together, and have not left. */
  #unsent: Flight[][] = []
  #seq = 0

  constructor() {
    // So many that most changes are fewer.
    this.#begin(60, 0)
  }

  readonly move = ({ what, pick }: Step): void => {
    const flight = this.#flights[pick % this.#flights.length]
    if (what < 20) this.#begin((pick % 7) + 1, [0, 2, 3, 4][pick % 4]!)
    else if (what < 30) this.#begin((pick % 3) + 1, 1)
    else if (what < 44) this.#leave(this.#unsent.splice(pick % this.#unsent.length, 1)[0])
    else if (what < 47) this.inflight.entrust(this.#owners[3 + (pick % 2)]!, NO_OWNER)
    else if (flight && what < 56 && flight.qos === 2) this.inflight.release(flight)
    else if (flight) this.#end(flight)
  }

  #begin(count: number, owner: number): void {
    const qos = owner === 1 ? 2 : 1
    const flights = Array.from({ length: count }, () => this.inflight.start(this.#owners[owner]!, ++this.#seq, qos))
    this.#flights.push(...flights)
    if (qos === 2) this.#unsent.push(flights)
  }

  #leave(flights: readonly Flight[] = []): void {
    const present = flights.filter((flight) => this.#flights.includes(flight))
    this.#flights = [...this.#flights.filter((flight) => !present.includes(flight)), ...present]
    this.inflight.leave(flights.map(({ packetId }) => packetId))
  }

  #end(flight: Flight): void {
    this.#flights = this.#flights.filter((other) => other !== flight)
    this.inflight.end(flight)
  }

  readonly now = (): SavedInflight[] =>
    this.#flights.flatMap(({ packetId, owner: { source }, seq, qos, released }) => {
      if (source !== null) return [{ packetId, source, seq, qos, released }]
      return released ? [{ packetId, source: '', seq: 0, qos, released }] : []
    })
}

t.test('of a session, whatever begins, changes and ends, and whichever saves fail', async (t) => {
  const store = await memoryStore(t)
  let programs = 0
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      const model = new Model()
      await run(new Saves(store, `ann/${programs++}`, model.inflight), steps, model.move, model.now)
    }),
    { numRuns: 300 },
  )
})

type Held = { -readonly [K in keyof Exchange]: Exchange[K] } & { readonly saves: Set<number> }

t.test('of a share group, feeds that end included', async (t) => {
  const store = await memoryStore(t)
  let programs = 0
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      const feeds: QueueFeed[] = []
      const unsettled = new Unsettled(() => feeds)
      /** Messages that a member has at QoS 2, and the saves of its session that have them. */
      const exchanges = new Set<Held>()
      const heldAt = (feed: QueueFeed, seq: number) =>
        [...exchanges].find((one) => one.feed === feed && one.seq === seq)
      const feedsOf = (source: string) => Object.assign(new QueueFeed(HOST, 1), { source }) as QueueFeed
      const move = ({ what, pick }: Step): void => {
        const feed = feeds[pick % feeds.length]
        if (what < 5 || !feed) {
          if (feeds.length < 3) feeds.push(feedsOf(`m:${feeds.length}`))
        } else if (what < 8) unsettled.withdrawn(feeds.splice(feeds.length - 1, 1)[0]!)
        else if (what < 45) {
          for (let i = 0; i < (pick % 20) + 1; i++) {
            feed.outstanding.add(feed.next)
            feed.sent(feed.next)
          }
        } else {
          const seq = feed.outstanding.all[pick % feed.outstanding.all.length]
          if (seq === undefined) return
          const held = heldAt(feed, seq)
          if (what < 55 && !held) {
            const taken = { feed, seq, isStored: false, lastSave: 0, saves: new Set<number>() }
            exchanges.add(taken)
            unsettled.taken(taken)
            return
          }
          if (held) exchanges.delete(held)
          if (what < 58 && held) return unsettled.returned(held)
          unsettled.settled(feed, seq)
          feed.acknowledged(seq)
        }
      }
      const sorted = (packets: SavedInflight[]) =>
        packets
          .toSorted((a, b) => a.seq - b.seq)
          .toSorted((a, b) => (a.source < b.source ? -1 : Number(a.source > b.source)))
      const now = () =>
        sorted(
          feeds.flatMap((feed) => {
            const { source, outstanding } = feed
            return outstanding.all.map((seq) => ({ packetId: 0, source, seq, qos: qosOf(feed, seq), released: false }))
          }),
        )
      // At QoS 2 are those that are stored with a session, or in the save at hand.
      const qosOf = (feed: QueueFeed, seq: number): 1 | 2 => {
        const held = heldAt(feed, seq)
        return held && (held.isStored || held.lastSave === saves.count) ? 2 : 1
      }
      const saves = new Saves(store, `\u0001crew/${programs++}`, unsettled)
      saves.onSave = (save) => {
        for (const held of exchanges) {
          if (held.isStored || (save + held.seq) % 3 > 0) continue
          held.lastSave = save
          held.saves.add(save)
          unsettled.saving(held)
        }
      }
      saves.onStored = (save) => {
        for (const held of exchanges) {
          if (!held.saves.has(save)) continue
          held.isStored = true
          unsettled.stored(held)
        }
      }
      const stored = saves.stored.bind(saves)
      // Between its feeds there is no order.
      saves.stored = async () => sorted(await stored())
      await run(saves, steps, move, now)
    }),
    { numRuns: 300 },
  )
})

/** How many packets, and how many records, are written. */
function costOf(ops: readonly Op[]): { packets: number; keys: number } {
  const values = ops.flatMap((op) => (op.type === 'put' ? [JSON.parse(op.value.toString()) as unknown[]] : []))
  return { packets: values.flat().length, keys: ops.length }
}

async function busy(store: Store, count: number) {
  const inflight = new Inflight(65_535)
  const owner = detachedOwner('m:tea')
  const flights = Array.from({ length: count }, (_, seq) => inflight.start(owner, seq, 2))
  const saves = new Saves(store, `ann/${count}`, inflight)
  await saves.save()
  return { inflight, owner, flights, saves }
}

t.test('with a thousand packets in flight a save writes about ten of them', async (t) => {
  const { inflight, owner, flights, saves } = await busy(await memoryStore(t), 1000)
  const all = { packets: 0, keys: 0 }
  const save = async () => {
    const { packets, keys } = costOf(await saves.save())
    all.packets += packets
    all.keys += keys
  }
  const EXCHANGES = 500
  for (let seq = 0; seq < EXCHANGES; seq++) {
    const flight = flights.shift()!
    inflight.release(flight)
    await save()
    inflight.end(flight)
    flights.push(inflight.start(owner, 1000 + seq, 2))
    await save()
  }
  const saved = 2 * EXCHANGES
  t.ok(all.packets < 12 * saved, `${all.packets / saved} packets a save`)
  t.ok(all.keys < 2.1 * saved, `${all.keys / saved} keys a save`)
})

t.test('what has all changed since the last save is one key, as is what was few', async (t) => {
  const { inflight, owner, flights, saves } = await busy(await memoryStore(t), 32)
  for (const flight of flights) inflight.end(flight)
  for (let seq = 0; seq < 32; seq++) inflight.start(owner, 100 + seq, 1)
  t.same(costOf(await saves.save()), { packets: 32, keys: 1 })
  const few = await busy(await memoryStore(t), 8)
  few.inflight.release(few.flights[0]!)
  t.same(costOf(await few.saves.save()), { packets: 8, keys: 1 })
  t.same(await few.saves.save(), [], 'and nothing if nothing has changed')
})

t.test('what begins and ends between two saves costs nothing, nor what is never saved', async (t) => {
  const store = await memoryStore(t)
  const { inflight, owner, saves } = await busy(store, 100)
  inflight.end(inflight.start(owner, 100, 1))
  t.same(await saves.save(), [])

  const feed = new QueueFeed(HOST, 1)
  const unsettled = new Unsettled(() => [feed])
  const through = (count: number): void => {
    for (let i = 0; i < count; i++) {
      feed.outstanding.add(feed.next)
      feed.sent(feed.next)
      unsettled.settled(feed, feed.next - 1)
      feed.acknowledged(feed.next - 1)
    }
  }
  through(1000)
  t.same(unsettled.changes(0, 1), [])
  through(1000)
  t.same(unsettled.changes(0, 2), [])
})

t.test('the last save leaves the whole list, which is all that earlier versions read', async (t) => {
  const store = await memoryStore(t)
  const { inflight, flights, saves } = await busy(store, 100)
  inflight.end(flights[0]!)
  t.equal(costOf(await saves.save()).packets, 1)
  t.equal(costOf(await saves.save(true)).packets, 99, 'even if nothing has changed')
  t.equal((await store.tables.list('sessionState', { owner: 'ann/100' })).length, 1)
})

t.test('what a connection before has left is replaced by the first save of the next', async (t) => {
  const store = await memoryStore(t)
  const { inflight, flights, saves } = await busy(store, 100)
  inflight.end(flights[0]!)
  await saves.save()
  const { inflight: left, inflightChanges } = await store.sessions.progress('ann/100')
  t.equal(inflightChanges, 1)
  saves.records = new InflightRecords(inflight)
  saves.records.found(inflightChanges)
  await saves.save()
  t.same(await store.sessions.progress('ann/100'), {
    cursors: new Map(),
    inflight: left,
    inflightChanges: 0,
    incoming: [],
  })
})
