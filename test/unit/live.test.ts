/** Values that are observed. */
import t from 'tap'
import { LiveValue } from '../../client/base/live.js'
import { settled } from '../helpers/manual-clock.js'

t.test('listeners get each change, and none after they were ended', async (t) => {
  const live = new LiveValue(1)
  const [first, second]: number[][] = [[], []]
  const stop = live.subscribe((value) => first!.push(value))
  live.set(2)
  live.subscribe((value) => second!.push(value))
  live.set(2)
  live.set(3)
  stop()
  stop()
  live.set(4)
  t.same([first, second, live.current], [[2, 3], [3, 4], 4])
})

t.test('a function that is subscribed twice is ended once', async (t) => {
  const live = new LiveValue(0)
  const got: number[] = []
  const push = (value: number) => void got.push(value)
  const stop = live.subscribe(push)
  live.subscribe(push)
  stop()
  live.set(1)
  t.same(got, [1])
})

t.test('a value that is set by a listener is the last one for all, in order', async (t) => {
  const live = new LiveValue(0)
  const seen: Record<string, number[]> = { before: [], after: [] }
  live.subscribe((value) => seen['before']!.push(value))
  live.subscribe((value) => {
    if (value < 3) live.set(value + 1)
  })
  live.subscribe((value) => seen['after']!.push(value))
  live.set(1)
  t.same(seen, { before: [1, 2, 3], after: [3] })
})

t.test('a listener that ends another one, or throws', async (t) => {
  const errors: unknown[] = []
  const live = new LiveValue(0, (error) => errors.push(error))
  const got: number[] = []
  live.subscribe(() => {
    stop()
    throw new Error('a bug of the application')
  })
  const stop = live.subscribe((value) => got.push(value))
  live.subscribe((value) => got.push(value * 10))
  live.set(1)
  t.same(got, [10])
  t.match(errors, [{ message: 'a bug of the application' }])
})

t.test('who iterates slowly skips values, and gets the last one', async (t) => {
  const live = new LiveValue(0)
  const got: number[] = []
  const reading = (async () => {
    for await (const value of live) {
      got.push(value)
      await settled()
      if (value === 100) break
    }
  })()
  for (let value = 1; value <= 100; value++) live.set(value)
  await reading
  t.same(got, [0, 100])
})

t.test('who waits gets the next value; the end of an iterator ends what waits', async (t) => {
  const live = new LiveValue('a')
  const iterator = live[Symbol.asyncIterator]()
  t.same(await iterator.next(), { done: false, value: 'a' })
  const [next, later] = [iterator.next(), iterator.next()]
  live.set('b')
  t.same(await next, { done: false, value: 'b' })
  const end = { done: true, value: undefined }
  t.same(await iterator.return?.(), end)
  t.same(await later, end)
  live.set('c')
  t.same(await iterator.next(), end)
})
