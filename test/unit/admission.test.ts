/** Who comes in when all come at once. */
import t from 'tap'
import { Admission } from '../../broker/mqtt/admission.js'
import { AcceptQueue } from '../../broker/net/accept-queue.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function busy(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

t.test('logins: so many at a time, in the order they came, everyone in the end', async (t) => {
  const admission = new Admission()
  const inside: number[] = []
  let most = 0
  let underWay = 0
  const logIn = async (i: number): Promise<void> => {
    await admission.enter()
    inside.push(i)
    most = Math.max(most, ++underWay)
    await turn()
    await turn()
    underWay--
    admission.leave()
  }
  const all = Array.from({ length: 2000 }, (_, i) => logIn(i))
  t.ok(admission.waiting > 0, 'some have to wait')
  await Promise.all(all)
  t.same(
    inside,
    Array.from({ length: 2000 }, (_, i) => i),
  )
  t.ok(most <= 256, `${most} at a time`)
  t.equal(admission.waiting, 0)
  t.equal(admission.enter(), undefined, 'who comes later does not wait')
})

t.test('logins: fewer at a time while the turns of the event loop are long', async (t) => {
  const admission = new Admission()
  let underWay = 0
  let most = 0
  let begun = 0
  const logIn = async (): Promise<void> => {
    await admission.enter()
    begun++
    underWay++
    if (begun > 1000) most = Math.max(most, underWay)
    await turn()
    underWay--
    admission.leave()
  }
  const all = Array.from({ length: 1200 }, logIn)
  // In each turn: a timer may have none before all are done.
  let slow = setImmediate(function slowly() {
    busy(25)
    slow = setImmediate(slowly)
  })
  await Promise.all(all)
  clearImmediate(slow)
  t.ok(most < 256, `${most} at a time`)
})

t.test('logins: one that takes long holds up nobody, and costs no turns', async (t) => {
  const admission = new Admission()
  for (let i = 0; i < 256; i++) t.equal(admission.enter(), undefined)
  let inside = false
  const last = admission.enter()!.then(() => (inside = true))
  for (let i = 0; i < 10; i++) await turn()
  t.notOk(inside)
  admission.leave()
  await last
})

t.test('connections: a few in each turn, in order', async (t) => {
  const seen: [turn: number, arrival: number][] = []
  let turns = 0
  const acceptQueue = new AcceptQueue<number>((arrival) => {
    seen.push([turns, arrival])
    busy(6)
  })
  for (let i = 0; i < 5; i++) acceptQueue.push(i)
  t.same(seen, [], 'nobody at once')
  for (; seen.length < 5; turns++) await turn()
  t.equal(new Set(seen.map(([turn]) => turn)).size, 5, 'each had a turn of its own')
  t.same(
    seen.map(([, arrival]) => arrival),
    [0, 1, 2, 3, 4],
  )
  acceptQueue.push(5)
  await turn()
  t.same(seen.at(-1)?.[1], 5, 'and later ones after them')
})
