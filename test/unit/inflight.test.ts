/** Packet ids: each once at a time, and found at once however few are free. */
import assert from 'node:assert'
import t from 'tap'
import { type Flight, Inflight, NO_OWNER } from '../../broker/mqtt/inflight.js'
import fc from '../helpers/fast-check.js'

const IDS = 65_535

function filled(count: number): { inflight: Inflight; flights: Flight[] } {
  const inflight = new Inflight(IDS)
  return { inflight, flights: Array.from({ length: count }, (_, i) => inflight.start(NO_OWNER, i, 1)) }
}

t.test('an id is used once at a time, whatever the order in which they become free', async () => {
  const step = fc.record({
    ends: fc.integer({ min: 0, max: 3000 }),
    from: fc.nat({ max: IDS }),
    starts: fc.integer({ min: 0, max: 3000 }),
  })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: IDS }), fc.array(step, { maxLength: 12 }), (count, steps) => {
      const { inflight, flights } = filled(count)
      for (const { ends, from, starts } of steps) {
        const at = flights.length === 0 ? 0 : from % flights.length
        for (const flight of flights.splice(at, ends)) inflight.end(flight)
        for (let i = 0; i < starts && inflight.capacity > 0; i++) flights.push(inflight.start(NO_OWNER, i, 1))
      }
      assert.strictEqual(new Set(flights.map(({ packetId }) => packetId)).size, flights.length)
      assert.ok(flights.every(({ packetId }) => packetId >= 1 && packetId <= IDS))
      assert.strictEqual(inflight.capacity, IDS - flights.length)
    }),
    { numRuns: 30 },
  )
})

t.test('a free id is found without looking at all that are taken', async (t) => {
  for (const free of [1, 100, 2000]) {
    const { inflight, flights } = filled(IDS - free)
    const looked = countLookups(t.teardown.bind(t))
    // The worst that clients can do: what becomes free is what would be looked at last.
    for (let i = 0; i < 5000; i++) {
      inflight.end(flights.pop()!)
      flights.push(inflight.start(NO_OWNER, i, 1))
    }
    t.ok(looked() < 100 * 5000, `${free} free: ${looked()} lookups for 5000 packets`)
  }
})

function countLookups(teardown: (undo: () => void) => void): () => number {
  const { has } = Map.prototype
  let count = 0
  Map.prototype.has = function (key) {
    count++
    return has.call(this, key)
  }
  teardown(() => (Map.prototype.has = has))
  return () => count
}
