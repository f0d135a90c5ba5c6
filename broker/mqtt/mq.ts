/**
 * The emitter behind `broker.mq`, by the contract of mqemitter. Sessions do not listen here (they have the hub); plugins, and Aedes itself,
 * do. A listener that never calls back delays nobody: messages are handed to every listener at once, and no message waits for another.
 */
import { TopicTrie } from '../store/topic-trie.js'
import { callPlugin, type PluginFailed } from './plugin-calls.js'

export interface MqMessage {
  topic: string
  [key: string]: unknown
}

export type MqListener = (this: Mq, message: never, done: () => void) => void
type Done = (error?: Error | null) => void

export interface MqOptions {
  separator?: string
  wildcardOne?: string
  wildcardSome?: string
  matchEmptyLevels?: boolean
}

interface Registration {
  notify: MqListener
}

export class Mq {
  closed = false
  /** Messages handed out and not yet called back by every listener. */
  current = 0
  /** Messages waiting: none ever does. */
  readonly length = 0
  /** Part of the contract; nothing is limited by it. */
  readonly concurrency = 0

  readonly #trie = new TopicTrie<Registration>({ reserved: () => false })
  readonly #registrations = new Map<string, Registration[]>()
  readonly #options: Required<MqOptions>
  readonly #failed: PluginFailed

  /** `failed`: told of what a listener throws or rejects with. Without it, that goes to whoever emits. */
  constructor(
    { separator = '/', wildcardOne = '+', wildcardSome = '#', matchEmptyLevels = true }: MqOptions = {},
    failed: PluginFailed = rethrow,
  ) {
    this.#failed = failed
    this.#options = { separator, wildcardOne, wildcardSome, matchEmptyLevels }
  }

  on(topic: string, notify: MqListener, done?: () => void): this {
    const filter = this.#translate(topic, true)
    const registration = { notify }
    const known = this.#registrations.get(filter)
    if (known) known.push(registration)
    else this.#registrations.set(filter, [registration])
    this.#trie.add(filter, registration)
    if (done) setImmediate(done)
    return this
  }

  removeListener(topic: string, notify: MqListener, done?: () => void): this {
    const filter = this.#translate(topic, true)
    setImmediate(() => {
      const known = this.#registrations.get(filter) ?? []
      const at = known.findIndex((registration) => registration.notify === notify)
      if (at >= 0) this.#trie.remove(filter, known.splice(at, 1)[0]!)
      if (known.length === 0) this.#registrations.delete(filter)
      done?.()
    })
    return this
  }

  removeAllListeners(topic: string, done?: () => void): this {
    const filter = this.#translate(topic, true)
    for (const registration of this.#registrations.get(filter) ?? []) this.#trie.remove(filter, registration)
    this.#registrations.delete(filter)
    if (done) setImmediate(done)
    return this
  }

  /** Whether anyone would hear a message on the topic. */
  hears(topic: string): boolean {
    return this.#trie.match(topic).length > 0
  }

  emit(message: MqMessage, done: Done = () => {}): this {
    if (this.closed) {
      done(new Error('mqemitter is closed'))
      return this
    }
    const listeners = this.#match(message.topic)
    if (listeners.length === 0) {
      done(null)
      return this
    }
    this.current++
    let waiting = listeners.length
    const heard = (): void => {
      if (--waiting > 0) return
      this.current--
      done(null)
    }
    for (const { notify } of listeners) {
      const done = once(heard)
      const failed = (error: unknown): void => {
        done()
        this.#failed(error)
      }
      callPlugin(() => notify.call(this, message as never, done), failed)
    }
    return this
  }

  close(done: () => void): this {
    this.closed = true
    setImmediate(done)
    return this
  }

  #match(topic: string): readonly Registration[] {
    const translated = this.#translate(topic, false)
    const listeners = this.#trie.match(translated)
    if (this.#options.matchEmptyLevels || !translated.split('/').includes('')) return listeners
    // A single-level wildcard does not take an empty level here: only filters that name it do.
    const exact = new Set<Registration>()
    for (const [filter, registrations] of this.#registrations) {
      if (takesEmptyLevels(filter, translated)) for (const registration of registrations) exact.add(registration)
    }
    return listeners.filter((listener) => exact.has(listener))
  }

  #translate(topic: string, isFilter: boolean): string {
    const { separator, wildcardOne, wildcardSome } = this.#options
    if (separator === '/' && wildcardOne === '+' && wildcardSome === '#') return topic
    const levels = topic.split(separator)
    if (!isFilter) return levels.join('/')
    return levels.map((level) => (level === wildcardOne ? '+' : level === wildcardSome ? '#' : level)).join('/')
  }
}

function takesEmptyLevels(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  return filter.split('/').every((level, index) => level !== '+' || levels[index] !== '')
}

function rethrow(error: unknown): never {
  throw error
}

/** Listeners of others may call back twice. */
function once(run: () => void): () => void {
  let ran = false
  return () => {
    if (ran) return
    ran = true
    run()
  }
}
