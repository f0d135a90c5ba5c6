/** Calls to the index's worker thread, which is started on demand. */
import { Worker } from 'node:worker_threads'
import type { LogName } from '../../store/log-name.js'
import type { Changes, Hit, Position, Wanted } from './text-index.js'
import type { Answer, Call } from './thread.js'

/** Heap of the thread in MB; SQLite has limits of its own. */
const HEAP_MB = 128

/** The index file was damaged and deleted; opening it again creates an empty one. */
export class DamagedIndex extends Error {}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

export class IndexThread {
  readonly #path: string
  #worker: Worker | null = null
  #calls = 0
  #closed = false
  readonly #waiting = new Map<number, Waiting>()

  constructor(path: string) {
    this.#path = path
  }

  /** `why`: the former index could not be used and was replaced by an empty one; null: it is intact. */
  open(epoch: string): Promise<{ positions: Position[]; why: string | null }> {
    return this.#call({ what: 'open', path: this.#path, epoch })
  }

  apply(changes: Changes): Promise<void> {
    return this.#call({ what: 'apply', changes })
  }

  purge(name: LogName, below: number | null, limit: number): Promise<boolean> {
    return this.#call({ what: 'purge', name, below, limit })
  }

  due(now: number, after: number, limit: number): Promise<Hit[]> {
    return this.#call({ what: 'due', now, after, limit })
  }

  find(wanted: Wanted): Promise<Hit[]> {
    return this.#call({ what: 'find', wanted })
  }

  async close(): Promise<void> {
    const closed = this.#worker && this.#call({ what: 'close' })
    this.#closed = true
    await closed?.catch(() => {})
    await this.#worker?.terminate()
  }

  #call<T>(call: Call): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the search index is closed'))
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#calls
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject })
      worker.postMessage({ id, call })
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      // Do not pass on options of this process, such as preloaded modules.
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    })
    // The thread must not keep the process alive.
    worker.unref()
    let fault: Error | null = null
    worker.on('message', (answer: Answer) => this.#answered(answer))
    worker.on('error', (error: Error) => (fault = error))
    worker.on('exit', () =>
      this.#ended(new Error('the thread of the search index ended', { cause: fault ?? undefined })),
    )
    return worker
  }

  #answered({ id, result, error, damaged }: Answer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(damaged ? new DamagedIndex(error) : new Error(`search index: ${error}`))
  }

  #ended(error: Error): void {
    this.#worker = null
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(error)
  }
}
