/** The life of an app: in the background it has no connection for long, in the foreground it has one at once. */
import { ChatError } from '../base/chat-error.js'
import type { Socket, Stop } from '../base/platform.js'
import { timer } from '../requests/timer.js'

/** `AppState` of React Native, as far as it is used. */
export interface AppStateLike {
  readonly currentState: string
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void }
}

/** `@react-native-community/netinfo`, as far as it is used. */
export interface NetInfoLike {
  addEventListener(listener: (state: { readonly type: string; readonly isConnected: boolean | null }) => void): Stop
}

export interface LifecycleParts {
  readonly AppState: AppStateLike
  readonly NetInfo?: NetInfoLike
}

export class Lifecycle {
  readonly #parts: LifecycleParts
  readonly #grace: number
  /** The present one. */
  #socket: Socket | null = null
  #isAway = false

  /** `grace`: ms for which the connection stays when the app is in the background. */
  constructor(parts: LifecycleParts, grace: number) {
    this.#parts = parts
    this.#grace = grace
  }

  /** See `Env.hints`. */
  hints(listener: () => void): Stop {
    const { AppState, NetInfo } = this.#parts
    let stopTimer: Stop = () => {}
    const turned = (state: string): void => {
      stopTimer()
      if (state === 'background') stopTimer = timer(this.#grace, () => this.#leave())
      if (state !== 'active') return
      this.#isAway = false
      listener()
    }
    const app = AppState.addEventListener('change', turned)
    // The app may have been started in the background.
    if (AppState.currentState === 'background') turned('background')
    let network: string | null = null
    const stopNetwork = NetInfo?.addEventListener(({ type, isConnected }) => {
      // What it says first is how things are.
      const isOther = network !== null && type !== network
      network = type
      if (isOther && isConnected && !this.#isAway) listener()
    })
    return () => {
      stopTimer()
      app.remove()
      stopNetwork?.()
      this.#isAway = false
    }
  }

  /** @throws ChatError `offline`: the app is in the background */
  open(make: () => Socket): Socket {
    if (this.#isAway) throw new ChatError('offline', 'the app is in the background')
    return (this.#socket = make())
  }

  /** A phone that sleeps runs its timers when it wakes. */
  #leave(): void {
    if (this.#parts.AppState.currentState === 'active') return
    this.#isAway = true
    this.#socket?.close()
    this.#socket = null
  }
}
