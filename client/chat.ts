/** A client of the broker that stays connected by itself. */

import { ChatError } from './base/chat-error.js'
import type { Live } from './base/live.js'
import { type Env, onAbort, type PlatformSignal, type Socket } from './base/platform.js'
import { Scope } from './base/scope.js'
import { becomesOnline, Connection } from './connection/connection.js'
import type { Credentials } from './connection/credentials.js'
import { socketUrl } from './connection/socket-url.js'
import type { Status } from './connection/status.js'
import { CALL_TIMEOUT, type Call } from './requests/calls.js'
import { type Methods, methods } from './requests/methods.js'
import { WireCalls } from './requests/wire-calls.js'
import { mqttOverWebSocket } from './wire/mqtt/mqtt-wire.js'

export interface ChatOptions {
  /** Of the broker, such as `https://chat.example.com`; or of its WebSocket, such as `wss://chat.example.com/mqtt`. */
  readonly url: string
  readonly auth: Credentials
  /** Begins the client id, by which operators tell sessions apart: letters, digits, `-`, `_`, 1 to 40 of them. */
  readonly device?: string
}

/** What a client needs of the platform. */
export interface ChatPlatform extends Env {
  /** Makes a WebSocket of the subprotocol `mqtt`, which begins to connect by itself. */
  socket(url: string): Socket
}

const DEVICE = /^[\w-]{1,40}$/

export class Chat {
  readonly #connection: Connection
  readonly #calls: WireCalls
  readonly #platform: ChatPlatform
  /**
   * Every command of the broker. While the client connects, requests wait for that, within their `timeout`; they are never sent twice. Each
   * rejects with a `ChatError`.
   */
  readonly ask: Methods

  /**
   * Does not connect yet.
   * @throws ChatError `bad_request`: an option is not valid
   */
  constructor({ url, auth, device = 'sdk' }: ChatOptions, platform: ChatPlatform) {
    const at = socketUrl(url)
    if (!DEVICE.test(device))
      throw new ChatError('bad_request', 'device: 1 to 40 letters, digits, - and _', { field: 'device' })
    this.#platform = platform
    this.#calls = new WireCalls(platform)
    this.#connection = new Connection({
      open: mqttOverWebSocket({ socket: () => platform.socket(at), clock: platform }),
      credentials: auth,
      device,
      env: platform,
      message: (message) => void this.#calls.take(message),
      sync: async (wire, { signal }) => {
        onAbort(signal, () => this.#calls.ended())
        await this.#calls.begin(wire, signal)
      },
    })
    this.ask = methods(this.#call)
  }

  get status(): Live<Status> {
    return this.#connection.status
  }

  /** Who is logged in, as the broker says; null: there is no connection. */
  get user(): string | null {
    return this.#calls.user
  }

  /**
   * Connects, and stays connected until `close`; a second call changes nothing. Resolves when the client is online. Rejects with a `ChatError`
   * when it is signed out or closed before that, or `signal` is aborted, which ends the waiting and not the connection.
   */
  connect(options: { readonly signal?: PlatformSignal } = {}): Promise<void> {
    return this.#connection.connect(options)
  }

  /** If the client waits for its next attempt, that is made now. */
  retryNow(): void {
    this.#connection.retryNow()
  }

  /** Resolves when nothing of the connection is left: no socket, no timer. After that `connect` may be called again. */
  close(): Promise<void> {
    return this.#connection.close()
  }

  readonly #call: Call = async (name, params, route, { signal, timeout = CALL_TIMEOUT } = {}) => {
    const platform = this.#platform
    const began = platform.now()
    if (this.status.current.state === 'idle') throw new ChatError('offline', 'not connected: call connect() first')
    const scope = new Scope(signal)
    const late = (): void => scope.end(new ChatError('offline', `there was no connection within ${timeout} ms`))
    const stopTimer = platform.timer(timeout, late)
    try {
      await scope.race(becomesOnline(this.status, scope.signal))
    } finally {
      stopTimer()
      scope.end(null)
    }
    const rest = Math.max(0, timeout - (platform.now() - began))
    return this.#calls.call(name, params, route, { ...(signal && { signal }), timeout: rest })
  }
}
