/**
 * A store as another adapter might be: a process elsewhere that is sent what to write as text, and tells of changes later, sometimes twice. It
 * is the embedded store behind a line on which everything arrives in order, but not at once. What it models is the port's contract where the
 * embedded store does more than it promises.
 */

import type { Change } from '../../broker/store/changes.js'
import type { Op } from '../../broker/store/op.js'
import type { Store } from '../../broker/store/store.js'
import type { TableFollower } from '../../broker/store/tables.js'
import type { Random } from '../helpers/random.js'
import { storeBeside } from '../helpers/store-beside.js'

/** @param opSent Called with every kind of op that was sent */
export async function strangeStore(
  store: Store,
  random: Random,
  opSent: (type: Op['type']) => void = () => {},
): Promise<Store> {
  const line = new Line(random)
  return storeBeside(store, {
    commit: (change: Change) => {
      const { drafts, ops, guards = null, asOf, lazy = false } = change
      if (drafts.length === 0 && ops.length === 0) return store.commit(change)
      for (const { type } of ops) opSent(type)
      store.commit({
        drafts,
        ops: ops.map(sent),
        guards: sent(guards),
        asOf,
        lazy,
        settled: (error, ...outcome) => line.say(() => change.settled(error, ...outcome)),
      })
    },
    follow: async (follower: TableFollower) => {
      await store.follow({
        load: async (tables) => {
          // What was told before is part of what is read, and must not come after it.
          line.flush()
          return follower.load(tables)
        },
        apply: (position, changes) => {
          const told = changes.map(sent)
          line.say(() => follower.apply(position, told))
          if (random.chance(0.3)) line.say(() => follower.apply(position, told))
        },
      })
      // It knows its position before anybody decides on it.
      line.flush()
    },
    close: async () => {
      await store.close()
      line.flush()
    },
  })
}

/** Calls arrive in order, some turns of the event loop later. */
class Line {
  readonly #random: Random
  #waiting: (() => void)[] = []
  #running = false

  constructor(random: Random) {
    this.#random = random
  }

  say(call: () => void): void {
    this.#waiting.push(call)
    if (this.#running) return
    this.#running = true
    void this.#run()
  }

  flush(): void {
    for (const call of this.#waiting.splice(0)) call()
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      for (let turns = this.#random.below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
      this.#waiting.shift()?.()
    }
    this.#running = false
  }
}

/** What arrives of something that is sent as text. */
export function sent<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, asText), fromText) as T
}

function asText(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]
  if (Buffer.isBuffer(raw)) return { '\0bytes': raw.toString('base64') }
  if (typeof raw === 'function') throw new TypeError(`${key} is a function: it cannot be sent`)
  return value
}

function fromText(_key: string, value: unknown): unknown {
  const bytes = (value as { '\0bytes'?: string } | null)?.['\0bytes']
  return bytes === undefined ? value : Buffer.from(bytes, 'base64')
}
