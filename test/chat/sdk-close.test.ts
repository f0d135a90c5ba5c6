/** A client of the SDK that is closed while it is at work, at each step of it. */
import t from 'tap'
import { ChatError } from '../../client/base/chat-error.js'
import { Chat } from '../../client/chat.js'
import { httpCalls, methods } from '../../client/index.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { Change, Key, Range, Store, Table } from '../../client/store/store.js'
import { startTestBroker, type TestBroker } from '../helpers/broker.js'
import { httpUrl } from '../helpers/http.js'
import { settled } from '../helpers/manual-clock.js'
import { answered } from '../helpers/patience.js'
import { tabLocks } from '../helpers/tab-locks.js'
import { realEnv, webSocket } from '../helpers/web-socket.js'

/** A store of a device that stays when it is closed, and tells of each call, before and after it. */
class SteppedStore implements Store {
  readonly #kept: MemoryStore
  readonly #step: (what: string) => void
  #isClosed = false

  constructor(kept: MemoryStore, step: (what: string) => void) {
    this.#kept = kept
    this.#step = step
  }

  get(table: Table, keys: readonly Key[]): Promise<readonly unknown[]> {
    return this.#call('get', () => this.#kept.get(table, keys))
  }

  range(table: Table, range?: Range) {
    return this.#call('range', () => this.#kept.range(table, range))
  }

  write(changes: readonly Change[]): Promise<void> {
    return this.#call('write', () => this.#kept.write(changes))
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  destroy(): Promise<void> {
    return this.close()
  }

  async #call<T>(what: string, act: () => Promise<T>): Promise<T> {
    this.#step(what)
    if (this.#isClosed) throw new ChatError('closed', 'the store was closed')
    const result = await act()
    await settled()
    this.#step(`${what} done`)
    return result
  }
}

/** What belongs to one client, and has to be gone with it. */
class Traces {
  readonly timers = new Set<object>()
  /** Locks that are held. */
  readonly locks = new Set<string>()
  /** Calls of its store, and what it sends. */
  readonly steps: string[] = []
  /** Called with the number of each step. */
  onStep: (at: number) => void = () => {}

  readonly step = (what: string): void => this.onStep(this.steps.push(what))

  readonly timer: typeof realEnv.timer = (ms, act) => {
    const timer = {}
    const stop = realEnv.timer(ms, () => {
      this.timers.delete(timer)
      act()
    })
    this.timers.add(timer)
    return () => {
      this.timers.delete(timer)
      stop()
    }
  }
}

const lock = tabLocks()

function clientOf(broker: TestBroker, kept: MemoryStore, traces: Traces): Chat {
  const auth = { getToken: () => broker.token('alice') }
  const store = () => new SteppedStore(kept, traces.step)
  return new Chat(
    { url: httpUrl(broker), auth, user: 'alice', store },
    {
      ...realEnv,
      timer: traces.timer,
      lock: (name, options, act) =>
        lock(name, options, async (held) => {
          if (held === null) return act(null)
          traces.locks.add(name)
          await act(held).finally(() => traces.locks.delete(name))
        }),
      socket: (url) => {
        const made = webSocket(url)
        const send = made.send.bind(made)
        made.send = (bytes) => {
          send(bytes)
          traces.step('send')
        }
        return made
      },
    },
  )
}

t.test('closed at any step, it leaves nothing behind, and is connected again', async (t) => {
  const broker = await startTestBroker(t, { limits: { rates: 'off' } })
  const token = await broker.token('bob')
  const bob = methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  const alice = await broker.token('alice')
  await bob.rooms.create({ room: 'tea' })
  await methods(httpCalls({ url: httpUrl(broker), token: () => alice })).rooms.join({ room: 'tea' })
  const kept = new MemoryStore()
  let isOver = false
  for (let at = 1; !isOver; at++) {
    let closing: Promise<void> | null = null
    const traces = new Traces()
    const chat = clientOf(broker, kept, traces)
    traces.onStep = (step) => {
      if (step === at) closing = chat.close()
    }
    const timeline = chat.room('tea').timeline()
    chat.send('tea', { text: `at step ${at}`, ttl: 3600 })
    const isOnline = await chat.connect().then(
      () => true,
      () => false,
    )
    if (isOnline) {
      await bob.send({ room: 'tea', text: 'live' })
      for (let i = 0; i < 10; i++) await settled()
      chat.room('tea').read()
      await timeline.older().catch(() => {})
    }
    isOver = closing === null
    traces.onStep = () => {}
    await answered(`the end at step ${at}`, closing ?? chat.close())
    const steps = traces.steps.length
    const what = `${at}: after ${traces.steps[at - 1]}`
    t.equal(traces.timers.size, 0, `${what}, no timer`)
    for (let i = 0; i < 20; i++) await settled()
    // A closed store reads nothing.
    const late = traces.steps.slice(steps).filter((step) => step === 'write' || step === 'send')
    t.same(late, [], `${what}, nothing is written or sent`)
    t.same([...traces.locks], [], `${what}, no lock`)
    timeline.dispose()
    if (at % 10 !== 0 && !isOver) continue
    await answered('online again', chat.connect())
    await answered('closed again', chat.close())
  }
})
