/** A store of a device that is full, or slow at a certain moment. */
import { ChatError } from '../../client/base/chat-error.js'
import { MemoryStore } from '../../client/store/memory-store.js'
import type { Change, Range, Row, Table } from '../../client/store/store.js'

/** One call that waits. */
export interface Held {
  /** Resolves when the call has come. */
  readonly come: Promise<void>
  release(): void
}

interface Hold<T> extends Held {
  readonly isFor: (what: T) => boolean
  begin(): Promise<void>
}

export class FaultyStore extends MemoryStore {
  /** Nothing is put any more; deletions pass, as in a browser. */
  isFull = false
  /** What was written, in its order. */
  readonly written: (readonly Change[])[] = []
  #heldWrite: Hold<readonly Change[]> | null = null
  #heldRead: Hold<Table> | null = null

  /** The next write for which it holds waits. */
  holdWrite(isFor: (changes: readonly Change[]) => boolean): Held {
    return (this.#heldWrite = holdOf(isFor))
  }

  /** The next range of this table that is read waits. */
  holdRead(table: Table): Held {
    return (this.#heldRead = holdOf((read) => read === table))
  }

  override async write(changes: readonly Change[]): Promise<void> {
    if (this.isFull && changes.some((change) => 'put' in change)) throw new ChatError('storage', 'the device is full')
    const held = this.#heldWrite
    if (held?.isFor(changes)) {
      this.#heldWrite = null
      await held.begin()
    }
    await super.write(changes)
    this.written.push(changes)
  }

  override async range(table: Table, range?: Range): Promise<readonly Row[]> {
    const held = this.#heldRead
    if (held?.isFor(table)) {
      this.#heldRead = null
      await held.begin()
    }
    return super.range(table, range)
  }
}

function holdOf<T>(isFor: (what: T) => boolean): Hold<T> {
  let release!: () => void
  let begun!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const come = new Promise<void>((resolve) => (begun = resolve))
  const begin = (): Promise<void> => {
    begun()
    return released
  }
  return { isFor, come, release, begin }
}
