import t from 'tap'
import { ANYONE, Semaphore } from '../../broker/util/semaphore.js'

/** One slot, taken until `begin`; then the order in which those who wait are served. */
function line(waiting: number) {
  const slots = new Semaphore(1, waiting, () => new Error('full'))
  const served: string[] = []
  const turnedAway: string[] = []
  let begin = () => {}
  const began = new Promise<void>((resolve) => (begin = resolve))
  const first = slots.run({ place: 'x', name: 'x' }, () => began)
  const asked: Promise<unknown>[] = [first]
  const ask = (place: string, name: string, times = 1): void => {
    for (let i = 0; i < times; i++) {
      const work = async () => void served.push(`${place} ${name}`)
      asked.push(slots.run({ place, name }, work).catch(() => turnedAway.push(`${place} ${name}`)))
    }
  }
  const finish = async (): Promise<string[]> => {
    begin()
    await Promise.all(asked)
    return served
  }
  return { ask, finish, turnedAway }
}

t.test('places take turns, and at a place those who are named there', async (t) => {
  const { ask, finish } = line(100)
  ask('here', 'mallory', 3)
  ask('here', 'ann', 1)
  ask('there', 'bob', 2)
  t.same(await finish(), ['here mallory', 'there bob', 'here ann', 'there bob', 'here mallory', 'here mallory'])
})

t.test('where too many wait, who has most of the line gives way, not who comes last', async (t) => {
  const { ask, finish, turnedAway } = line(4)
  ask('here', 'mallory', 3)
  ask('here', 'ann', 1)
  ask('there', 'bob', 2)
  t.same(turnedAway, [], 'at once nobody has been told')
  const served = await finish()
  t.same(turnedAway, ['here mallory', 'here mallory'])
  t.same(served, ['here mallory', 'there bob', 'here ann', 'there bob'])
})

t.test('many names from one place take no turns from another', async (t) => {
  const { ask, finish } = line(100)
  for (let i = 0; i < 20; i++) ask('here', `name-${i}`)
  ask('there', 'ann')
  t.equal((await finish()).indexOf('there ann'), 1)
})

t.test('who asks for the same again takes the place of the one before', async (t) => {
  const slots = new Semaphore(1, 3, () => new Error('full'))
  let begin = () => {}
  const began = new Promise<void>((resolve) => (begin = resolve))
  const first = slots.run({ place: '', name: 'x' }, () => began)
  const served: string[] = []
  const ask = (name: string, key: string | undefined, what: string) =>
    slots
      .run({ place: '', name, key }, async () => void served.push(what))
      .then(
        () => 'done',
        () => 'turned away',
      )
  const asked = [ask('ann', 'phone', 'ann'), ask('bob', undefined, 'bob'), ask('bob', undefined, 'bob again')]
  for (let i = 0; i < 9; i++) asked.push(ask('ann', 'phone', `ann ${i}`))
  begin()
  const outcomes = await Promise.all(asked)
  await first
  t.same(served, ['ann 8', 'bob', 'bob again'])
  t.same(outcomes, ['turned away', 'done', 'done', ...Array(8).fill('turned away'), 'done'])
})

t.test('work that fails gives its place to the next', async (t) => {
  const slots = new Semaphore(1, 10, () => new Error('full'))
  const failing = slots.run({ place: '', name: '' }, () => Promise.reject(new Error('no')))
  const next = slots.run({ place: '', name: '' }, async () => 'done')
  await t.rejects(failing, /no/)
  t.equal(await next, 'done')
  t.equal(await slots.run({ place: '', name: '' }, async () => 'again'), 'again')
})

t.test('without distinct requesters the first to ask is served first, and who finds it full is refused', async (t) => {
  const semaphore = new Semaphore(1, 2, () => new Error('full'))
  let begin = () => {}
  const began = new Promise<void>((resolve) => (begin = resolve))
  const served: number[] = []
  const asked = [semaphore.run(ANYONE, () => began)]
  for (let i = 1; i <= 2; i++) asked.push(semaphore.run(ANYONE, async () => void served.push(i)))
  await t.rejects(
    semaphore.run(ANYONE, async () => void served.push(3)),
    /full/,
  )
  begin()
  await Promise.all(asked)
  t.same(served, [1, 2])
})
