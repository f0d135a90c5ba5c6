/** What an app of React Native has: its globals and no others, on an engine without what Hermes does not have. */
import vm from 'node:vm'
import { build } from 'esbuild'
import { WebSocket } from 'ws'
import type * as Sdk from '../../client/react-native/index.js'

/** Of pages and Node: an app that touches them fails. */
const ABSENT = [
  ...['document', 'location', 'localStorage', 'indexedDB', 'addEventListener', 'BroadcastChannel', 'Worker', 'history'],
  ...['process', 'Buffer', 'require', 'module', 'TextDecoder', 'structuredClone', 'ReadableStream'],
]

/** Of the language: what Hermes got late, or does not have. */
const LATE = `
  const remove = (from, ...names) => { for (const name of names) delete from?.[name] }
  remove(Array, 'fromAsync')
  remove(Array.prototype, 'toSorted', 'toSpliced', 'toReversed', 'with', 'findLast', 'findLastIndex', 'group')
  remove(Object, 'groupBy')
  remove(Map, 'groupBy')
  remove(Promise, 'withResolvers', 'try')
  remove(String.prototype, 'isWellFormed', 'toWellFormed')
  remove(Set.prototype, 'union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom')
  remove(globalThis, 'SharedArrayBuffer', 'Atomics', 'Iterator', 'WebAssembly')
`

/** As React Native has it: nothing but what is set and called here. */
class PhoneWebSocket {
  static made = 0
  binaryType = 'blob'
  onopen: ((event: object) => void) | null = null
  onmessage: ((event: object) => void) | null = null
  onclose: ((event: object) => void) | null = null
  onerror: ((event: object) => void) | null = null
  readonly #socket: WebSocket

  constructor(url: string, protocol: string) {
    PhoneWebSocket.made++
    this.#socket = new WebSocket(url, protocol)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => this.onopen?.({ type: 'open' })
    this.#socket.onmessage = ({ data }) => this.onmessage?.({ type: 'message', data })
    this.#socket.onclose = ({ code, reason }) => this.onclose?.({ type: 'close', code, reason })
    this.#socket.onerror = ({ message }) => this.onerror?.({ type: 'error', message })
  }

  send(bytes: ArrayBufferView): void {
    if (this.binaryType !== 'arraybuffer') throw new Error('binary messages would come as Blob')
    this.#socket.send(bytes)
  }

  close(): void {
    this.#socket.close()
  }
}

/** `AbortController` of React Native: a signal has no more than this. */
class PhoneAbortController {
  readonly signal = new PhoneSignal()

  abort(): void {
    this.signal.abort()
  }
}

class PhoneSignal {
  aborted = false
  readonly #listeners = new Set<() => void>()

  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.add(listener)
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.delete(listener)
  }

  abort(): void {
    if (this.aborted) return
    this.aborted = true
    for (const listener of [...this.#listeners]) listener()
  }
}

export class Phone {
  readonly sdk: typeof Sdk
  currentState = 'active'
  readonly #appListeners = new Set<(state: string) => void>()
  readonly #netListeners = new Set<(state: { type: string; isConnected: boolean }) => void>()
  readonly #timers = new Set<NodeJS.Timeout>()

  /** Loads the SDK as an app does: as one bundle. */
  static async start(): Promise<Phone> {
    const contents = `export * from './dist/client/react-native/index.js'`
    const stdin = { contents, resolveDir: '.' }
    const bundled = await build({
      stdin,
      bundle: true,
      format: 'iife',
      globalName: 'sdk',
      platform: 'neutral',
      write: false,
    })
    return new Phone(bundled.outputFiles[0]!.text)
  }

  private constructor(source: string) {
    const globals: Record<string, unknown> = {
      console,
      queueMicrotask,
      TextEncoder,
      fetch,
      performance,
      WebSocket: PhoneWebSocket,
      AbortController: PhoneAbortController,
      navigator: { product: 'ReactNative' },
      setTimeout: (act: () => void, ms: number) => this.#setTimeout(act, ms),
      clearTimeout: (timer: NodeJS.Timeout) => {
        clearTimeout(timer)
        this.#timers.delete(timer)
      },
    }
    for (const name of ABSENT)
      Object.defineProperty(globals, name, {
        get: () => {
          throw new Error(`an app has no ${name}`)
        },
      })
    const context = vm.createContext(globals)
    vm.runInContext(LATE, context)
    this.sdk = vm.runInContext(`${source}; sdk`, context) as typeof Sdk
  }

  /** As `react-native` exports it. */
  readonly AppState = ((phone: Phone): Sdk.AppStateLike => ({
    get currentState() {
      return phone.currentState
    },
    addEventListener: (_type, listener) => {
      phone.#appListeners.add(listener)
      return { remove: () => phone.#appListeners.delete(listener) }
    },
  }))(this)

  readonly NetInfo: Sdk.NetInfoLike = {
    addEventListener: (listener) => {
      this.#netListeners.add(listener)
      return () => void this.#netListeners.delete(listener)
    },
  }

  /** WebSockets that were made by all apps. */
  get sockets(): number {
    return PhoneWebSocket.made
  }

  /** Timers and listeners of the app. */
  get left(): number {
    return this.#timers.size + this.#appListeners.size + this.#netListeners.size
  }

  turn(state: 'active' | 'inactive' | 'background'): void {
    this.currentState = state
    for (const listener of this.#appListeners) listener(state)
  }

  connectBy(type: string): void {
    for (const listener of this.#netListeners) listener({ type, isConnected: type !== 'none' })
  }

  #setTimeout(act: () => void, ms: number): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
    return timer
  }
}
