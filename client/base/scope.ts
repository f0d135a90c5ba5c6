import { ChatError } from './chat-error.js'
import { onAbort, type PlatformSignal, type Signal, type Stop } from './platform.js'

declare const AbortController: new () => { readonly signal: PlatformSignal; abort(): void }

/** What belongs together and ends together: the first who ends it says why. */
export class Scope {
  readonly #controller = new AbortController()
  readonly #over: Promise<never>
  #fail!: (error: unknown) => void
  /** Stops listening to `outer`. */
  #leave: Stop = () => {}

  /** `outer`: when it is aborted, the scope ends, too. */
  constructor(outer?: Signal) {
    this.#over = new Promise((_, reject) => (this.#fail = reject))
    // Whether anyone waits is not the scope's business.
    this.#over.catch(() => {})
    if (outer) this.#leave = onAbort(outer, () => this.end(new ChatError('aborted', 'given up')))
  }

  /** Aborted when the scope has ended. */
  get signal(): PlatformSignal {
    return this.#controller.signal
  }

  end(error: unknown): void {
    if (this.#controller.signal.aborted) return
    this.#leave()
    this.#fail(error)
    this.#controller.abort()
  }

  /** As the promise does, unless the scope ends first: then it rejects with why. */
  race<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([this.#over, promise])
  }
}

/** `signal`: of a connection. @throws ChatError `offline` when that has ended */
export function mustLast(signal: Signal): void {
  if (signal.aborted) throw new ChatError('offline', 'the connection has ended')
}
