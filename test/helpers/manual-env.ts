import type { Env, Stop } from '../../client/base/platform.js'
import { ManualClock } from './manual-clock.js'
import type { Random } from './random.js'

/** What the SDK is told by the platform, as the test decides. */
export class ManualEnv extends ManualClock implements Env {
  readonly #random: () => number
  readonly #listeners = new Set<() => void>()

  /** `random`: at most, or a seeded generator. */
  constructor(random: number | Random = 0.5) {
    super()
    this.#random = typeof random === 'number' ? () => random : () => random.next()
  }

  get listeners(): number {
    return this.#listeners.size
  }

  random(): number {
    return this.#random()
  }

  hints(listener: () => void): Stop {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  hint(): void {
    for (const listener of this.#listeners) listener()
  }
}
