/** Jobs: done by one node at a time, whatever nodes come and go. */
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { commit } from '../../broker/store/commit.js'
import { type Fence, writerBehind } from '../../broker/store/fence.js'
import type { Job } from '../../broker/store/job.js'
import { Jobs } from '../../broker/store/jobs.js'
import { SingleNode } from '../../broker/store/nodes.js'
import type { Store } from '../../broker/store/store.js'
import { TimerWheel } from '../../broker/util/timer-wheel.js'
import { memoryStore } from '../helpers/memory-store.js'
import { type SecondMemory, secondMemory } from '../helpers/two-memories.js'
import { type ModelNode, NodeGroup } from '../models/nodes.js'

/** A job as one node has it. */
class Recorded implements Job {
  readonly name: string
  fence: Fence | null = null
  isHere = false
  /** Ends when it is called. */
  finish: () => void = () => {}
  #isHeld = false
  readonly #all: Set<Recorded>
  readonly #t: Test

  constructor(t: Test, name: string, all: Set<Recorded>) {
    this.#t = t
    this.name = name
    this.#all = all
  }

  begin(fence: Fence | null): void {
    const others = [...this.#all].filter(({ name, fence }) => name === this.name && !fence?.lost)
    this.#t.same(others, [], 'nobody else does it, or knows to have lost it')
    this.fence = fence
    this.isHere = true
    this.#all.add(this)
  }

  /** Does not end until `finish`. */
  hold(): void {
    this.#isHeld = true
  }

  async end(): Promise<void> {
    if (this.#isHeld) await new Promise<void>((resolve) => (this.finish = resolve))
    this.#isHeld = false
    this.isHere = false
    this.#all.delete(this)
  }
}

interface Node {
  readonly node: ModelNode
  readonly store: Store
  readonly memory: SecondMemory
  readonly jobs: Jobs
  readonly mine: Map<string, Recorded>
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l']

async function setup(t: Test, names: readonly string[] = NAMES) {
  const store = await memoryStore(t)
  const group = new NodeGroup()
  const running = new Set<Recorded>()
  const join = async (): Promise<Node> => {
    const node = group.join()
    const memory = await secondMemory(store)
    const wheel = new TimerWheel()
    const failed = (error: unknown): void => void t.fail(String(error))
    const jobs = new Jobs({ store: memory.store, nodes: node, wheel, failed })
    t.teardown(() => wheel.close())
    const mine = new Map(names.map((name) => [name, new Recorded(t, name, running)]))
    for (const job of mine.values()) await jobs.add(job)
    await jobs.open()
    return { node, store: memory.store, memory, jobs, mine }
  }
  return { store, running, join }
}

function here({ mine }: Node): string[] {
  return [...mine.values()].filter(({ isHere }) => isHere).map(({ name }) => name)
}

/** Resolves when each job is done by one of these nodes, and each of them does some. */
async function spread(...nodes: readonly Node[]): Promise<string[][]> {
  for (;;) {
    const all = nodes.map(here)
    if (all.every(({ length }) => length > 0) && all.flat().sort().join() === NAMES.join()) return all
    await turn()
  }
}

t.test('nodes that come and go share the jobs among them', async (t) => {
  const { store, running, join } = await setup(t)
  const one = await join()
  t.same(here(one), NAMES)
  const two = await join()
  const before = await spread(one, two)
  const three = await join()
  const after = await spread(one, two, three)
  t.ok(
    after[0]!.every((name) => before[0]!.includes(name)),
    'only the new node got some',
  )
  // It hears of nothing, as a process that is gone.
  two.memory.hold()
  for (const job of two.mine.values()) running.delete(job)
  two.node.leave()
  await spread(one, three)
  while (store.jobOwners.candidates().has(two.node.self)) await turn()
  await three.jobs.close()
  await spread(one)
  await one.jobs.close()
  t.same(here(one), [])
  t.same(
    NAMES.filter((name) => store.jobOwners.owner(name) !== undefined),
    [],
  )
})

t.test('a job is handed over when what is under way of it has ended', async (t) => {
  const { join } = await setup(t)
  const one = await join()
  for (const job of one.mine.values()) job.hold()
  const two = await join()
  for (let i = 0; i < 50; i++) await turn()
  t.same(here(two), [], 'none has ended yet')
  t.same(here(one), NAMES)
  for (const job of one.mine.values()) job.finish()
  await spread(one, two)
})

t.test('what a former owner writes is refused, and it learns that it has lost the job', async (t) => {
  const { store, running, join } = await setup(t, ['a'])
  const one = await join()
  const { fence } = one.mine.get('a')!
  one.memory.hold()
  one.node.hold()
  running.clear()
  one.node.leave()
  const two = await join()
  while (here(two).length === 0) await turn()
  const ops = store.webhooks.deleteLetterOps('w', 'x')
  await t.rejects(commit(writerBehind(one.store, fence), { ops }), { code: 'unavailable' })
  t.ok(fence!.lost)
  while (here(one).length > 0) await turn()
  await commit(writerBehind(two.store, two.mine.get('a')!.fence), { ops })
})

t.test('a node that leaves keeps its jobs until another one can take them', async (t) => {
  const { join } = await setup(t)
  const one = await join()
  await one.jobs.leave()
  t.same(here(one), NAMES, 'there is no other')
  const two = await join()
  await spread(one, two)
  await one.jobs.leave()
  t.same(here(one), [])
  await spread(two)
})

t.test('a job that could not begin is tried again', async (t) => {
  const store = await memoryStore(t)
  const wheel = new TimerWheel()
  t.teardown(() => wheel.close())
  const failures: unknown[] = []
  const jobs = new Jobs({ store, nodes: new SingleNode(), wheel, failed: (error) => failures.push(error) })
  let begins = 0
  let begun = (): void => {}
  const second = new Promise<void>((resolve) => (begun = resolve))
  await jobs.add({
    name: 'a',
    begin: () => {
      if (++begins === 1) throw new Error('not yet')
      begun()
    },
    end: async () => {},
  })
  // The wheel alone keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  await jobs.open()
  await second
  clearInterval(alive)
  t.match(failures, [{ message: 'not yet' }])
})

t.test('a single node writes nothing of its jobs, and does those that come later too', async (t) => {
  const store = await memoryStore(t)
  const wheel = new TimerWheel()
  t.teardown(() => wheel.close())
  const jobs = new Jobs({ store, nodes: new SingleNode(), wheel, failed: (error) => t.fail(String(error)) })
  const [early, late] = [new Recorded(t, 'early', new Set()), new Recorded(t, 'late', new Set())]
  const { commits } = store.counts
  await jobs.add(early)
  t.notOk(early.isHere)
  await jobs.open()
  await jobs.add(late)
  t.ok(early.isHere && late.isHere)
  t.equal(late.fence, null)
  await jobs.remove('late')
  t.notOk(late.isHere)
  await t.rejects(jobs.add(early), { message: 'there is a job early already' })
  await jobs.leave()
  t.ok(early.isHere, 'there is no other')
  await jobs.close()
  t.notOk(early.isHere)
  t.equal(store.counts.commits, commits)
})
