/** Holds back what a store reads of a queue. */
import type { Store } from '../../broker/store/store.js'

export interface HeldReads {
  /** Resolves when something is read that is held back. */
  readonly begun: Promise<void>
  /** Resolves when what was held back is read. */
  release(): Promise<void>
}

/** @param after How many reads are let through before */
export function holdQueueReads({ queue }: Store, after = 0): HeldReads {
  const { read } = queue
  let begin = (): void => {}
  let release = (): void => {}
  let count = 0
  const held: Promise<unknown>[] = []
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const released = new Promise<void>((resolve) => (release = resolve))
  queue.read = async (...asked) => {
    if (count++ < after) return read.apply(queue, asked)
    begin()
    const reading = released.then(() => read.apply(queue, asked))
    held.push(reading)
    return reading
  }
  return {
    begun,
    async release() {
      queue.read = read
      release()
      await Promise.all(held)
    },
  }
}
