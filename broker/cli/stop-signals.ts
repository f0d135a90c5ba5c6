/**
 * The signals that stop the broker: SIGTERM sends the clients away in order, then closes; SIGINT (Ctrl-C), or a second signal, closes at once; the next
 * one ends the process.
 */

/** Under npm one Ctrl-C arrives twice, from the terminal and from npm: a signal again within this many ms is the same one. */
const SAME_SIGNAL = 500

export class StopSignals {
  readonly #hurry = new AbortController()
  #stage: 'serving' | 'draining' | 'closing' = 'serving'
  #last: { name: string; at: number } | null = null
  #stop!: () => void
  readonly #stopped = new Promise<void>((resolve) => (this.#stop = resolve))

  constructor(onTerminal: boolean) {
    const names = onTerminal ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT']
    for (const name of names) process.on(name, () => this.#signalled(name))
    whenOrphaned(() => this.#advance('SIGINT'))
  }

  /** Resolves at the first signal: whether clients are to be sent away in order. */
  async first(): Promise<boolean> {
    await this.#stopped
    return this.#stage === 'draining'
  }

  /** Aborted when that is to end. */
  get hurry(): AbortSignal {
    return this.#hurry.signal
  }

  /** What is left is to close: from now on a signal ends the process. */
  closing(): void {
    this.#stage = 'closing'
  }

  #signalled(name: string): void {
    const before = this.#last
    if (before?.name === name && performance.now() - before.at < SAME_SIGNAL) return
    this.#last = { name, at: performance.now() }
    this.#advance(name)
  }

  #advance(name: string): void {
    if (this.#stage === 'closing') process.exit(1)
    if (this.#stage === 'draining') this.#hurry.abort()
    this.#stage = this.#stage === 'serving' && name === 'SIGTERM' ? 'draining' : 'closing'
    this.#stop()
  }
}

/** If only npm gets a signal, the shell between npm and this process ends without passing it on. */
function whenOrphaned(callback: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    callback()
  }, 200)
  watch.unref()
}
