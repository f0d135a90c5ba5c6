/** The connection to the broker, which is kept for as long as the client wants one. */
import { ChatError } from '../base/chat-error.js'
import { type Live, LiveValue } from '../base/live.js'
import { type Env, onAbort, type Signal } from '../base/platform.js'
import { mustLast, Scope } from '../base/scope.js'
import { sleep } from '../base/sleep.js'
import { type Incoming, type Login, type OpenWire, type Wire, WireError } from '../wire/wire.js'
import { connectDelay } from './backoff.js'
import { type Credentials, Tokens } from './credentials.js'
import type { SignOutReason, Status } from './status.js'
import { type Verdict, verdictOn } from './verdict.js'

export interface ConnectionOptions {
  readonly open: OpenWire
  readonly credentials: Credentials
  /** Begins the client id; what follows is of this connection alone. */
  readonly device: string
  readonly env: Env
  /** See `WireListener.message`. */
  readonly message: (message: Incoming) => void | Promise<void>
  /**
   * Brings the client up to date on a new connection, which is online when this resolves, and ends when it rejects. `signal` is aborted when
   * the connection has ended; `progress` is shown in the status.
   */
  readonly sync: (wire: Wire, context: { signal: Signal; progress: (roomsDone: number) => void }) => Promise<void>
}

/** Ms for which a connection has to be online, so that its end is not one of several failures in a row. */
const STABLE = 10_000
/** Ms between two hints that are followed. */
const HINTS_APART = 2000
/** Ms in which the broker has to answer after a hint. */
const CHECK = 4000
/** Ms after which another token is asked for, when that failed and the present one still lasts. */
const RENEW_AGAIN = 30_000
/** Ms of one timer. When a device sleeps, so do its timers; and none is longer than some weeks. */
const LONGEST_TIMER = 60_000

/** How one connection went. */
interface Outcome {
  readonly error: unknown
  /** The broker has taken the login. */
  readonly isTaken: boolean
  /** Ms; 0: it never was. */
  readonly onlineFor: number
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #env: Env
  readonly #status = new LiveValue<Status>({ state: 'idle' })
  /** From `connect` until the client is closed or signed out. */
  #life: { readonly scope: Scope; readonly over: Promise<void> } | null = null
  #clientId: string
  /** Null: `connect` was not called yet. */
  #tokens: Tokens | null = null
  #wire: Wire | null = null
  /** Ends the wait for the next attempt. */
  #wake: (() => void) | null = null
  #lastHint = Number.NEGATIVE_INFINITY

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#env = options.env
    this.#clientId = this.#newClientId()
  }

  get status(): Live<Status> {
    return this.#status
  }

  /**
   * Connects, and stays connected until `close`; a second call changes nothing. Resolves when the client is up to date; rejects with a
   * `ChatError` when it is signed out or closed before that. Aborting `signal` ends the waiting, not the connection.
   */
  connect({ signal }: { signal?: Signal } = {}): Promise<void> {
    if (!this.#life) {
      const scope = new Scope()
      let resolve!: (over: Promise<void>) => void
      // Before anything is shown: a listener of the first status may close the client.
      this.#life = { scope, over: new Promise((follow) => (resolve = follow)) }
      resolve(this.#live(scope).finally(() => (this.#life = null)))
    }
    return becomesOnline(this.#status, signal)
  }

  /** The present login, for requests beside the connection. Rejects as `Tokens.login` does; with `offline` if no connection is wanted. */
  async login(): Promise<Login> {
    if (!this.#life || !this.#tokens) throw new ChatError('offline', 'not connected: call connect() first')
    // Not of who asks: a token that is on its way is awaited by the connection, too.
    return this.#tokens.login(this.#clientId, this.#life.scope.signal)
  }

  /** The broker has refused it: the next one is made with another token. */
  loginRefused(): void {
    this.#tokens?.refused()
  }

  /** If the client waits for its next attempt, that is made now. */
  retryNow(): void {
    this.#wake?.()
  }

  /** Resolves when nothing of the connection is left; after that `connect` may be called again. */
  async close(): Promise<void> {
    this.#life?.scope.end(new ChatError('closed', 'the client was closed'))
    await this.#life?.over
    this.#status.set({ state: 'closed' })
  }

  async #live({ signal }: Scope): Promise<void> {
    const stopHints = this.#env.hints(() => this.#hinted())
    const tokens = new Tokens(this.#options.credentials, this.#env)
    this.#tokens = tokens
    let failures = 0
    /** Why the last token was refused, or ended; null: it was not. */
    let refused: SignOutReason | null = null
    while (!signal.aborted) {
      this.#status.set({ state: 'connecting', attempt: failures + 1 })
      // A listener of that status may have closed the client.
      if (signal.aborted) break
      const { error, isTaken, onlineFor } = await this.#connection(tokens, signal)
      if (signal.aborted) break
      // One that ends before the client is up to date, as where the network is slow, says nothing of the next one.
      if (isTaken) refused = null
      if (onlineFor >= STABLE) failures = 0
      failures++
      const verdict = verdictOn(error)
      if (verdict.isTakenOver) this.#clientId = this.#newClientId()
      if (verdict.why === 'unauthorized') {
        const wasRefused = refused !== null
        refused ??= verdict.signOut
        if (wasRefused || !tokens.mayRenew) {
          this.#status.set({ state: 'signedOut', why: refused, error: verdict.error })
          break
        }
        tokens.refused()
        // The next token is shown at once, unless connections fail again and again.
        if (failures === 1) continue
      }
      await this.#waitAfter(verdict, failures, signal)
    }
    stopHints()
  }

  /** One connection, from its login to its end. Never rejects. */
  async #connection(tokens: Tokens, signal: Signal): Promise<Outcome> {
    const { open, sync, message } = this.#options
    const scope = new Scope(signal)
    let isTaken = false
    let onlineSince = 0
    try {
      const login = await tokens.login(this.#clientId, scope.signal)
      this.#wire = await open(login, { message, ended: (error) => scope.end(error) }, scope.signal)
      const wire = this.#wire
      isTaken = true
      // What is still written when the connection has ended is no news of the next one.
      const progress = (roomsDone: number): void => {
        if (!scope.signal.aborted) this.#status.set({ state: 'syncing', roomsDone })
      }
      progress(0)
      const renewing = this.#keepRenewed(wire, tokens, scope.signal)
      await scope.race(Promise.race([renewing, sync(wire, { signal: scope.signal, progress })]))
      onlineSince = this.#env.now()
      this.#status.set({ state: 'online', since: onlineSince })
      return await scope.race(renewing)
    } catch (error) {
      return { error, isTaken, onlineFor: onlineSince && this.#env.now() - onlineSince }
    } finally {
      scope.end(new ChatError('offline', 'the connection has ended'))
      await this.#wire?.close()
      this.#wire = null
    }
  }

  /** Renews the login ahead of its end. Rejects when the connection has to end because of it; until then it goes on. */
  async #keepRenewed(wire: Wire, tokens: Tokens, signal: Signal): Promise<never> {
    for (let earliest = 0; ; ) {
      mustLast(signal)
      const rest = Math.max(tokens.renewAt, earliest) - this.#env.now()
      if (rest > 0) {
        await sleep(this.#env, Math.min(rest, LONGEST_TIMER), signal)
        continue
      }
      try {
        await wire.renew(await tokens.renew(signal))
      } catch (error) {
        if (error instanceof WireError || !tokens.mayRenew) throw error
        earliest = this.#env.now() + RENEW_AGAIN
      }
    }
  }

  async #waitAfter({ why, error }: Verdict, failures: number, signal: Signal): Promise<void> {
    // `unauthorized`: tokens are refused again and again, which is for the broker to change.
    const reason = why === 'unauthorized' ? 'server' : why
    const delay = connectDelay(reason, failures, error, this.#env.random())
    const wait = new Scope(signal)
    this.#wake = () => wait.end(null)
    this.#status.set({ state: 'waiting', why: reason, retryAt: this.#env.now() + delay, error })
    await sleep(this.#env, delay, wait.signal)
    this.#wake = null
    wait.end(null)
  }

  /** The network may be back, or lost. */
  #hinted(): void {
    const now = this.#env.now()
    // Either way: the clock may have been set back.
    if (Math.abs(now - this.#lastHint) < HINTS_APART) return
    this.#lastHint = now
    const { current } = this.#status
    if (current.state === 'waiting' && current.why !== 'busy') this.retryNow()
    // Whoever awaits the end of the connection is told.
    this.#wire?.check(CHECK).catch(() => {})
  }

  #newClientId(): string {
    return `${this.#options.device}-${Math.floor(this.#env.random() * 36 ** 8).toString(36)}`
  }
}

/** Rejects with a `ChatError` if that cannot be any more, or `signal` is aborted. */
export function becomesOnline(status: Live<Status>, signal?: Signal): Promise<void> {
  const scope = new Scope(signal)
  const online = new Promise<void>((resolve, reject) => {
    const look = (now: Status): void => {
      if (now.state === 'online') resolve()
      else if (now.state === 'signedOut') reject(now.error)
      else if (now.state === 'closed') reject(new ChatError('closed', 'the client was closed'))
    }
    onAbort(scope.signal, status.subscribe(look))
    look(status.current)
  })
  return scope.race(online).finally(() => scope.end(null))
}
