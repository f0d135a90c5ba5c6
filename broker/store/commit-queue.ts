/**
 * Orders all writes: one queue, one group in flight, and everything that waits goes into the next group. A group starts
 * in the check phase of the event loop, so that all that sockets received in one turn shares one write.
 */
import { type Change, StoreError } from './changes.js'

/** Of one group. */
export interface GroupLimits {
  readonly changes: number
  readonly bytes: number
}

const GROUP: GroupLimits = { changes: 4096, bytes: 4 * 1024 * 1024 }
const OP_BYTES = 128

/** A change of an adapter may have ops of its own. */
type AnyChange = Omit<Change, 'ops'> & { readonly ops: readonly { readonly type: string }[] }
type Pending<C> = C | { readonly task: () => Promise<void> }

export class CommitQueue<C extends AnyChange = Change> {
  /** Writes a group and settles its changes; must not throw. */
  readonly #write: (group: readonly C[]) => Promise<void>
  readonly #most: GroupLimits
  #pending: Pending<C>[] = []
  /** Index of the first item not taken yet. */
  #taken = 0
  #running = false
  /** Unix ms when the oldest change of the group in flight, and of those that wait, was queued. */
  #groupSince: number | null = null
  #waitingSince: number | null = null
  #closed = false
  #idle: (() => void)[] = []

  constructor(write: (group: readonly C[]) => Promise<void>, most: GroupLimits = GROUP) {
    this.#write = write
    this.#most = most
  }

  /** Unix ms when the oldest unsettled change was queued; null: there is none. */
  get since(): number | null {
    return this.#groupSince ?? this.#waitingSince
  }

  add(change: C): void {
    if (this.#closed) {
      change.settled(new StoreError('the store is closed'), [])
    } else if (change.drafts.length === 0 && change.ops.length === 0 && !change.guards) {
      change.settled(null, [])
    } else {
      this.#waitingSince ??= Date.now()
      this.#pending.push(change)
      this.#start()
    }
  }

  /** Runs a task in order, while no group is in flight. */
  exclusive<T>(task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StoreError('the store is closed'))
      this.#pending.push({ task: () => task().then(resolve, reject) })
      this.#start()
    })
  }

  /** Waits until nothing is queued, then refuses further changes. */
  async close(): Promise<void> {
    while (this.#running) await new Promise<void>((resolve) => this.#idle.push(resolve))
    this.#closed = true
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    setImmediate(() => void this.#drain())
  }

  async #drain(): Promise<void> {
    while (this.#taken < this.#pending.length) {
      const first = this.#pending[this.#taken]!
      if ('task' in first) {
        this.#taken++
        await first.task()
      } else {
        const group = this.#takeGroup()
        this.#groupSince = this.#waitingSince
        if (this.#taken === this.#pending.length) this.#waitingSince = null
        await this.#write(group)
        this.#groupSince = null
      }
      this.#forgetTaken()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#running = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #takeGroup(): C[] {
    const group: C[] = []
    let bytes = 0
    while (this.#taken < this.#pending.length && group.length < this.#most.changes && bytes < this.#most.bytes) {
      const item = this.#pending[this.#taken]!
      if ('task' in item) break
      this.#taken++
      group.push(item)
      // A log that is dropped gets no entries behind that in the same commit.
      if (drops(item)) break
      bytes += weight(item)
    }
    return group
  }

  #forgetTaken(): void {
    if (this.#taken < this.#pending.length && this.#taken < this.#most.changes) return
    this.#pending = this.#pending.slice(this.#taken)
    this.#taken = 0
  }
}

/** Whether a log is dropped by the change. */
export function drops({ ops }: Pick<AnyChange, 'ops'>): boolean {
  for (const { type } of ops) if (type === 'dropLog') return true
  return false
}

function weight({ drafts, ops }: AnyChange): number {
  let bytes = ops.length * OP_BYTES
  for (const { body } of drafts) bytes += body.bytes.length
  return bytes
}
