/** How much of the disk is free below a directory: looked at from time to time, never on the way of a message. */
import { statfs } from 'node:fs/promises'

/** Ms between two looks. */
const EVERY = 3000
/** It has to be so much more than the least again: at the very edge it would come and go with each compaction. */
const ENOUGH = 1.1

export interface FreeSpaceParts {
  /** A directory that is there. */
  readonly location: string
  /** Bytes; 0: nobody looks. */
  readonly minFree: number
  /** Told once when it begins to be too little (bytes), and once when it ends. */
  readonly changed: (low: boolean, free: number) => void
  /** Told once where the disk cannot be asked; it counts as large enough. */
  readonly failed: (error: unknown) => void
}

export class FreeSpace {
  readonly #parts: FreeSpaceParts
  readonly #timer: NodeJS.Timeout | null
  #looking: Promise<void>
  #low = false
  #failed = false

  /** It has looked once. */
  static async watch(parts: FreeSpaceParts): Promise<FreeSpace> {
    const space = new FreeSpace(parts)
    await space.#looking
    return space
  }

  private constructor(parts: FreeSpaceParts) {
    this.#parts = parts
    const on = parts.minFree > 0
    this.#looking = on ? this.#look() : Promise.resolve()
    this.#timer = on ? setInterval(() => (this.#looking = this.#looking.then(() => this.#look())), EVERY).unref() : null
  }

  /** There is too little for what could wait. Hot path. */
  get low(): boolean {
    return this.#low
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { location, minFree, changed, failed } = this.#parts
    try {
      // What the user of this process may have: file systems keep some for root.
      const { bavail, bsize } = await statfs(location)
      const free = bavail * bsize
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
