import t from 'tap'
import { BrokerClock } from '../../client/engine/broker-clock.js'
import { Replica } from '../../client/engine/replica.js'
import type { RoomState } from '../../client/engine/room-state.js'
import { RoomList } from '../../client/rooms/room-list.js'
import { MemoryStore } from '../../client/store/memory-store.js'

const ROOMS = 200
const OWN = { room: '', seq: 1, id: undefined, created: 1, tail: 1, spans: [], mine: {}, last: null } as const
const COUNTS = { read: 0, unread: 1, mentions: 0, counted: 1, isAhead: false } as const
const INFO = { access: 'public' } as unknown as RoomState['info']

t.test(
  'of thousands of rooms, those that have changed are looked at again, and the others stay what they were',
  async (t) => {
    let looks = 0
    const stateOf = (n: number): RoomState => ({
      ...OWN,
      ...COUNTS,
      mine: OWN.mine as unknown as RoomState['mine'],
      room: `r${n}`,
      activeAt: n,
      get info() {
        looks++
        return INFO
      },
    })
    const store = new MemoryStore()
    await store.write([
      { put: 'meta', key: ['sync'], value: { user: 'alice', since: 'x' } },
      ...Array.from({ length: ROOMS }, (_, n) => ({ put: 'rooms' as const, key: [`r${n}`], value: stateOf(n) })),
    ])
    const replica = new Replica(new BrokerClock({ now: () => 0 }))
    const list = new RoomList(replica)
    await replica.open('alice', store, async () => {})
    t.equal(looks, ROOMS)
    const before = list.rooms.current
    t.equal(before[0]?.room, `r${ROOMS - 1}`)

    await replica.transact(async (tx) => tx.put({ ...OWN, ...COUNTS, ...stateOf(7), activeAt: ROOMS, unread: 3 }))
    const [first, ...others] = list.rooms.current
    t.match(first, { room: 'r7', unread: 3 })
    t.ok(
      others.every((one) => before.includes(one)),
      'the others are the same objects',
    )
    t.equal(list.unread.current.messages, ROOMS + 2)
    t.ok(looks <= ROOMS + 2, `${looks - ROOMS} looks at rooms for a change of one`)

    await replica.transact(async (tx) => tx.remove('r7'))
    t.equal(list.rooms.current.length, ROOMS - 1)
    t.equal(list.unread.current.messages, ROOMS - 1)
  },
)
