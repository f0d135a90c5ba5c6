/** Whatever is appended, erased, folded, swept, broken or started anew: what is gone stays gone, and nothing else is. */

import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import t from 'tap'
import { type AppendResult, type Draft, StoreError } from '../../broker/store/changes.js'
import { openLevelStore } from '../../broker/store/level/level-store.js'
import { effectOp } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import fc from '../helpers/fast-check.js'
import { FaultyLevel } from '../helpers/faulty-level.js'
import { commit, draft, texts } from './store-suite.js'

const START = 1_800_000_000_000
const HOUR = 3_600_000
const LIMITS = { queueMessages: 1000, queueBytes: 1_000_000 }
const LOG = 'm:a'

interface Known {
  readonly text: string
  readonly expiresAt: number
  erased: boolean
}

/** The log as it should be. */
class Model {
  readonly entries: Known[] = []
  now = START

  get present(): string[] {
    return this.entries.filter((known) => !this.#isGone(known)).map(({ text }) => text)
  }

  get shown(): string[] {
    return this.entries.map((known) => (known.erased ? 'deleted' : this.#isGone(known) ? 'expired' : known.text))
  }

  #isGone({ erased, expiresAt }: Known): boolean {
    return erased || (expiresAt > 0 && expiresAt <= this.now)
  }
}

type Step =
  | { kind: 'append'; hours: number[] }
  | { kind: 'erase'; picks: number[] }
  | { kind: 'pass'; hours: number }
  | { kind: 'sweep' | 'restart' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), hours: hours() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('erase' as const), picks: picks() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), hours: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('sweep' as const, 'restart' as const) }) },
)

/** Of each entry how long it lives; 0: for good. */
function hours(): fc.Arbitrary<number[]> {
  return fc.array(fc.constantFrom(0, 0, 1, 5), { minLength: 1, maxLength: 30 })
}

function picks(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(200), { minLength: 1, maxLength: 5 })
}

class Run {
  readonly model = new Model()
  readonly level: FaultyLevel
  store!: Store
  #cids = 0

  constructor(readonly location: string) {
    this.level = new FaultyLevel(location)
  }

  async open(): Promise<void> {
    const { location, level, model } = this
    const fold = { entries: 5, idleMs: 2 ** 30 }
    const options = { location, sync: true, limits: LIMITS, openDatabase: level.open, fold, now: () => model.now }
    this.store = await openLevelStore(options)
  }

  /** Until it is told that it is stored: a retry is the same. */
  async commit(drafts: Draft[]): Promise<readonly AppendResult[]> {
    const cids = drafts.map((one) => ({ ...one, dedupe: { cid: `${++this.#cids}`, hash: 'h' } }))
    for (;;) {
      try {
        return await commit(this.store, cids)
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        // A store that could not be reopened waits before it tries again.
        this.model.now += 1
      }
    }
  }

  async take(step: Step): Promise<void> {
    const { model } = this
    if (step.kind === 'append') {
      const fresh = step.hours.map((hours, i) => ({
        text: `${model.entries.length + i + 1}`,
        expiresAt: hours === 0 ? 0 : model.now + hours * HOUR,
        erased: false,
      }))
      await this.commit(fresh.map(asDraft))
      model.entries.push(...fresh)
    } else if (step.kind === 'erase') await this.#erase(step.picks)
    else if (step.kind === 'pass') model.now += step.hours * HOUR
    else if (step.kind === 'sweep') await this.store.log.sweep().catch(expected)
    else await this.#restart()
  }

  async #erase(picks: number[]): Promise<void> {
    const { entries } = this.model
    if (entries.length === 0) return
    const seqs = picks.map((pick) => (pick % entries.length) + 1)
    const gone = { why: 'deleted', by: 'ann', at: 1 } as const
    const known = { text: `${entries.length + 1}`, expiresAt: 0, erased: false }
    await this.commit([{ ...asDraft(known), effect: { erase: { seqs, gone } } }])
    for (const seq of seqs) entries[seq - 1]!.erased = true
    entries.push(known)
  }

  async #restart(): Promise<void> {
    await this.store.close().catch(expected)
    // As after a fault: whatever was left, the start makes of it.
    this.level.writeFaults.length = 0
    await this.open()
  }

  /** Reads while others write: what is gone by then must not be seen. */
  async glance(): Promise<void> {
    const gone = new Set(this.model.shown.flatMap((text, i) => (Number(text) > 0 ? [] : [i + 1])))
    for (const entry of await this.store.log.read(LOG, 0, 10_000, 1e7))
      assert.ok(!gone.has(entry.seq), `${entry.seq} was read again`)
  }

  async check(): Promise<void> {
    const { log } = this.store
    assert.deepEqual(texts(await log.read(LOG, 0, 10_000, 1e7)), this.model.present)
    assert.deepEqual(texts(await log.readBefore(LOG, 10_000, 10_000, 1e7)), this.model.present)
    const shown = await log.read(LOG, 0, 10_000, 1e7, 'shown')
    // Who is both may be told as either, as it was found.
    const told = shown.map((entry, i) => (entry.gone ? this.#reason(i, entry.gone.why) : texts([entry])[0]))
    assert.deepEqual(told, this.model.shown)
  }

  #reason(place: number, why: string): string {
    const { erased, expiresAt } = this.model.entries[place]!
    const both = erased && expiresAt > 0 && expiresAt <= this.model.now
    return both ? 'deleted' : why
  }
}

function asDraft({ text, expiresAt }: Known): Draft {
  return draft(LOG, text, expiresAt > 0 ? { extra: { properties: Buffer.alloc(0), expiresAt } } : {})
}

function expected(error: unknown): void {
  if (!(error instanceof StoreError)) throw error
}

t.test('what is gone stays gone, and nothing else is', async (t) => {
  const fault = fc.option(fc.record({ error: fc.constant(new Error('IO error')), written: fc.boolean() }), {
    nil: undefined,
    freq: 3,
  })
  let runs = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 30 }),
      fc.array(fault, { maxLength: 30 }),
      async (steps, faults) => {
        const run = new Run(`${t.testdirName}-${++runs}/store`)
        // With what lies beside the store.
        const remove = () => rm(dirname(run.location), { recursive: true, force: true })
        t.teardown(remove)
        // A run that was cut short may have left it.
        await remove()
        await run.open()
        run.level.writeFaults.push(...faults)
        for (const step of steps) {
          const { kind } = step
          await Promise.all([run.take(step), ...(kind === 'restart' || kind === 'pass' ? [] : [run.glance()])])
          await run.check()
        }
        await run.take({ kind: 'restart' })
        await run.check()
        await run.store.close()
      },
    ),
    { numRuns: 30 },
  )
})

t.test('who was reading a chunk while it lost a payload does not get it', async (t) => {
  const location = `${t.testdir()}/store`
  const level = new FaultyLevel(location)
  let held: { release: () => void } | null = null
  let holdNext = false
  let reading = (): void => {}
  /** The next read of a chunk gives what was there when it began, but not before it is told to. */
  const openDatabase = async () => {
    const database = await level.open()
    const iterator = database.iterator.bind(database)
    const holding = (options: object) => {
      const found = iterator(options)
      if (!holdNext) return found
      holdNext = false
      const all = found.all.bind(found)
      return Object.assign(found, {
        all: async () => {
          const entries = await all()
          const released = new Promise<void>((resolve) => (held = { release: resolve }))
          reading()
          await released
          return entries
        },
      })
    }
    return Object.assign(database, { iterator: holding as typeof database.iterator })
  }
  const open = () => openLevelStore({ location, sync: true, limits: LIMITS, openDatabase, fold: { entries: 1 } })
  let store = await open()
  await commit(
    store,
    ['1', '2', '3'].map((text) => draft(LOG, text)),
  )
  await store.log.trim('no such log', 0)
  await store.close()
  store = await open()
  holdNext = true
  const begun = new Promise<void>((resolve) => (reading = resolve))
  const read = store.log.read(LOG, 0, 10, 1e6)
  await begun
  const gone = { why: 'deleted', by: 'ann', at: 1 } as const
  await commit(store, [draft(LOG, '4', { effect: { erase: { seqs: [2], gone } } })])
  await store.log.sweep()
  await new Promise((resolve) => setImmediate(resolve))
  held!.release()
  t.same(texts(await read), ['1', '3', '4'])
  t.same(texts(await store.log.read(LOG, 0, 10, 1e6)), ['1', '3', '4'], 'nor does anyone after')
  await store.close()
})

t.test('an erasure that takes the name too, while the disk follows the one before, is not forgotten', async (t) => {
  const named = { why: 'deleted', by: 'ann', at: 1 } as const
  const nameless = { why: 'deleted', by: null, at: 2 } as const
  for (const { how, folded } of [
    { how: 'into a chunk there is', folded: true },
    { how: 'into a chunk that is made', folded: false },
  ])
    for (const swept of [true, false]) {
      const location = `${t.testdir()}/store`
      const level = new FaultyLevel(location)
      const fold = { entries: folded ? 3 : 4, idleMs: 2 ** 30 }
      const open = () => openLevelStore({ location, sync: true, limits: LIMITS, openDatabase: level.open, fold })
      let store = await open()
      const upkeep = () => store.log.trim('no such log', 0)
      await commit(
        store,
        ['1', '2', '3'].map((text) => draft(LOG, text)),
      )
      await upkeep()
      let release = (): void => {}
      const after = new Promise<void>((resolve) => (release = resolve))
      const following = new Promise<void>((resolve) => {
        // The commit's own; in the other case the fold it begins comes next.
        level.writeFaults.push({}, { after, during: resolve })
      })
      await commit(store, [draft(LOG, '4', { effect: { erase: { seqs: [3], gone: named } } })])
      const sweeping = folded ? store.log.sweep() : upkeep()
      await following
      await commit(store, [], [effectOp(LOG, { erase: { seqs: [3], gone: nameless } })])
      release()
      await sweeping
      await new Promise((resolve) => setImmediate(resolve))
      const left = async () => (await store.log.read(LOG, 2, 1, 1, 'shown'))[0]
      t.match(await left(), { seq: 3, from: '', gone: nameless }, how)
      if (swept) await store.log.sweep()
      await store.close()
      store = await open()
      t.match(await left(), { seq: 3, from: '', gone: nameless }, `${how}, after a restart`)
      await store.log.sweep()
      t.match(await left(), { seq: 3, from: '', gone: nameless })
      await store.close()
    }
})
