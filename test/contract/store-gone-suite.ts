/** The part of the store contract about entries that cannot be read any more. */
import type { Test } from 'tap'
import type { Draft, LogEntry, Store } from '../../broker/store/store.js'
import { append, draft, folded, type NewPlace, type StorePlace, texts } from './store-suite.js'

export function goneSuite(t: Test, newPlace: NewPlace): void {
  t.test('entries that expire', (t) => expiring(t, newPlace))
  t.test('a long run of entries that expired', (t) => longRun(t, newPlace))
}

const START = 1_800_000_000_000
const MINUTE = 60_000
const HOUR = 3_600_000

function until(expiresAt: number, more: Partial<Draft> = {}): Partial<Draft> {
  return { extra: { properties: Buffer.alloc(0), expiresAt }, ...more }
}

/** Entries as their text, or in brackets why they are gone. */
function seen(entries: readonly LogEntry[]): string[] {
  return entries.map((entry) => (entry.gone ? `${entry.seq} ${entry.gone.why}` : texts([entry])[0]!))
}

async function shownAll(store: Store): Promise<string[]> {
  const shown = seen(await store.log.read('m:a', 0, 1000, 1e6, 'shown'))
  const backwards = seen(await store.log.readBefore('m:a', 1e6, 1000, 1e6, 'shown'))
  if (JSON.stringify(shown) !== JSON.stringify(backwards)) throw new Error('both directions read the same')
  return shown
}

async function expiring(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let now = START
  const open = (where: StorePlace = place): Promise<Store> => where.open({}, () => now)
  let store = await open()
  const short = draft('m:a', 'short', { cid: 'c', from: 'bob', origin: 'phone', ...until(START + MINUTE) })
  await append(store, draft('m:a', 'stays'), short, draft('m:a', 'long', until(START + HOUR + MINUTE)))
  await append(store, draft('m:a', 'last'))
  const all = ['stays', 'short', 'long', 'last']

  now = START + MINUTE - 1
  t.same(texts(await store.log.read('m:a', 0, 10, 1e6)), all, 'not a moment too early')
  now = START + MINUTE
  const check = async (when: string): Promise<void> => {
    const { log } = store
    t.same(texts(await log.read('m:a', 0, 10, 1e6)), ['stays', 'long', 'last'], `passed over, ${when}`)
    t.same(texts(await log.read('m:a', 1, 1, 1e6)), ['long'], 'what follows takes its place in a page')
    t.same(texts(await log.readBefore('m:a', 3, 10, 1e6)), ['stays'])
    t.same(await shownAll(store), ['stays', '2 expired', 'long', 'last'])
    const [left] = await log.read('m:a', 1, 1, 1e6, 'shown')
    t.match(left, { seq: 2, from: 'bob', ts: 1_700_000_000_000, extra: null, gone: { why: 'expired' } })
    t.equal(left!.payload.length, 0, 'nothing of the payload')
    t.match(await log.open('m:a'), { head: 4, tail: 1 }, 'numbers stay')
    t.equal(await append(store, short), 'duplicate 2', 'and so does the answer to a retry')
  }
  await check('at once')
  await folded(store)
  await check('folded')
  await store.log.sweep()
  await check('swept')
  await store.close()
  store = await open()
  await check('after a restart')
  now = START + 2 * HOUR
  await store.log.sweep()
  t.same(await shownAll(store), ['stays', '2 expired', '3 expired', 'last'])
  t.equal(await append(store, draft('m:a', 'more')), 'appended 5')
  now = START + 24 * HOUR
  await store.log.sweep()
  if (place.afterCrash) {
    const left = await open(await place.afterCrash())
    t.same(await shownAll(left), ['stays', '2 expired', '3 expired', 'last', 'more'], 'after a crash')
    await left.close()
  }
  await store.close()
}

async function longRun(t: Test, newPlace: NewPlace): Promise<void> {
  const place = await newPlace(t)
  let now = START
  let store = await place.open({}, () => now)
  await append(store, draft('m:a', 'first'))
  for (let i = 0; i < 30; i++)
    await append(
      store,
      ...Array.from({ length: 10 }, (_, j) => draft('m:a', `${i} ${j}`, until(START + (i + 1) * HOUR))),
    )
  await append(store, draft('m:a', 'last'))
  await store.close()
  store = await place.open({}, () => now)
  await folded(store)
  const left = (): Promise<number> =>
    shownAll(store).then((all) => all.filter((text) => !text.includes('expired')).length)
  for (let hours = 0; hours <= 30; hours += 5) {
    now = START + hours * HOUR
    t.equal(await left(), 302 - hours * 10, `after ${hours} hours`)
    await store.log.sweep()
    t.equal(await left(), 302 - hours * 10, 'a sweep takes no more than what is over')
  }
  t.same(texts(await store.log.read('m:a', 1, 5, 1e6)), ['last'], 'a page reaches across all that is gone')
  t.same(texts(await store.log.readBefore('m:a', 302, 5, 1e6)), ['first'])
  await store.log.trim('m:a', 200)
  now += 48 * HOUR
  await store.log.sweep()
  t.match(await store.log.open('m:a'), { head: 302 })
  await store.log.drop('m:a')
  await append(store, draft('m:a', 'anew'))
  await store.log.sweep()
  t.same(texts(await store.log.read('m:a', 0, 5, 1e6)), ['anew'])
  await store.close()
}
