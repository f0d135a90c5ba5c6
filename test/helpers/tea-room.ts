/** A broker, a room `tea` of bob's, and clients of the SDK behind a proxy. */
import type { Test } from 'tap'
import type { Live } from '../../client/base/live.js'
import { Chat, type ChatOptions, type ChatPlatform } from '../../client/chat.js'
import { httpCalls, type Methods, methods, people } from '../../client/index.js'
import { startTestBroker, type TestBroker } from './broker.js'
import { ByteProxy } from './byte-proxy.js'
import { httpUrl } from './http.js'
import { answered } from './patience.js'
import { realEnv, webSocket } from './web-socket.js'

export interface TeaRoom {
  readonly broker: TestBroker
  readonly proxy: ByteProxy
  readonly bob: Methods
  /** A user of the SDK, who is in the room and not connected yet. */
  chat(user: string, platform?: Partial<ChatPlatform>, options?: Partial<ChatOptions>): Promise<Chat>
  person(user: string): Promise<Methods>
}

export async function startTeaRoom(t: Test, config: object = {}): Promise<TeaRoom> {
  const broker = await startTestBroker(t, { limits: { rates: 'off', typingPerSecond: 1000 }, ...config })
  const proxy = await ByteProxy.start(t, () => Number(new URL(broker.wsUrl).port))
  const person = async (user: string): Promise<Methods> => {
    const token = await broker.token(user)
    return methods(httpCalls({ url: httpUrl(broker), token: () => token }))
  }
  const bob = await person('bob')
  await bob.rooms.create({ room: 'tea', name: 'Tea' })
  const chat: TeaRoom['chat'] = async (user, platform = {}, options = {}) => {
    await (await person(user)).rooms.join({ room: 'tea' })
    const auth = { getToken: () => broker.token(user) }
    const url = `http://127.0.0.1:${proxy.port}`
    const made = new Chat({ url, auth, people: people(), ...options }, { ...realEnv, socket: webSocket, ...platform })
    t.teardown(() => made.close())
    return made
  }
  return { broker, proxy, bob, chat, person }
}

/** Resolves with the first value for which it holds; somebody has subscribed meanwhile. */
export function becomes<T>(live: Live<T>, what: string, holds: (value: T) => boolean): Promise<T> {
  const found = (async () => {
    for await (const value of live) if (holds(value)) return value
    throw new Error('it ended')
  })()
  return answered(what, found)
}

/** Cuts all connections; resolves when the client is online again. */
export async function cutAndBack(chat: Chat, proxy: ByteProxy, meanwhile: () => Promise<unknown> = async () => {}) {
  proxy.refuse()
  await becomes(chat.status, 'waiting', ({ state }) => state === 'waiting')
  await meanwhile()
  proxy.heal()
  const pressing = setInterval(() => chat.retryNow(), 50)
  await becomes(chat.status, 'online', ({ state }) => state === 'online').finally(() => clearInterval(pressing))
}

/** Timers of these durations, in ms, are over when the test says so; others run. */
export class HeldTimers {
  readonly #held: readonly number[]
  readonly #waiting = new Map<() => void, number>()
  readonly #real = new Set<() => void>()
  /** Ms by which the clock is ahead. */
  ahead = 0

  constructor(held: readonly number[]) {
    this.#held = held
  }

  readonly platform: Pick<ChatPlatform, 'now' | 'timer'> = {
    now: () => Date.now() + this.ahead,
    timer: (ms, act) => {
      if (!this.#held.includes(ms)) return this.#timer(ms, act)
      const over = (): void => {
        this.#waiting.delete(over)
        act()
      }
      this.#waiting.set(over, ms)
      return () => void this.#waiting.delete(over)
    },
  }

  /** Timers that run. */
  get running(): number {
    return this.#waiting.size + this.#real.size
  }

  #timer(ms: number, act: () => void): () => void {
    const over = (): void => {
      this.#real.delete(over)
      act()
    }
    const stop = realEnv.timer(ms, over)
    this.#real.add(over)
    return () => {
      this.#real.delete(over)
      stop()
    }
  }

  /** Timers of `ms` that run. */
  count(ms: number): number {
    return [...this.#waiting.values()].filter((one) => one === ms).length
  }

  /** Those of `ms` are over. */
  fire(ms: number): void {
    for (const [over, of] of [...this.#waiting]) if (of === ms) over()
  }
}
