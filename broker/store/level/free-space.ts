/** Watches the free disk space of a directory at intervals, off the path of messages. */
import { freeBytes } from '../../util/free-bytes.js'

/** Ms between two checks. */
const EVERY = 3000
/**
 * Factor above the minimum at which space counts as sufficient again: a hysteresis, since each compaction changes the
 * free space.
 */
const ENOUGH = 1.1

export interface FreeSpaceDeps {
  /** An existing directory. */
  readonly location: string
  /** Bytes; 0: do not check. */
  readonly minFree: number
  /** Called when space becomes low, and when it is sufficient again, with the free bytes. */
  readonly changed: (low: boolean, free: number) => void
  /** Called once if the file system cannot be queried; space then counts as sufficient. */
  readonly failed: (error: unknown) => void
}

export class FreeSpace {
  readonly #deps: FreeSpaceDeps
  readonly #timer: NodeJS.Timeout | null
  #looking: Promise<void>
  #low = false
  #failed = false

  /** Resolves after the first check. */
  static async watch(deps: FreeSpaceDeps): Promise<FreeSpace> {
    const space = new FreeSpace(deps)
    await space.#looking
    return space
  }

  private constructor(deps: FreeSpaceDeps) {
    this.#deps = deps
    const on = deps.minFree > 0
    this.#looking = on ? this.#look() : Promise.resolve()
    this.#timer = on ? setInterval(() => (this.#looking = this.#looking.then(() => this.#look())), EVERY).unref() : null
  }

  /** Whether space is too low for writes. Hot path. */
  get low(): boolean {
    return this.#low
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { location, minFree, changed, failed } = this.#deps
    try {
      const free = await freeBytes(location)
      const low = free < (this.#low ? minFree * ENOUGH : minFree)
      if (low === this.#low) return
      this.#low = low
      changed(low, free)
    } catch (error) {
      if (!this.#failed) failed(error)
      this.#failed = true
    }
  }
}
