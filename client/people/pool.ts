/** Values by key, such as who is typing in each room: each is followed while somebody looks at it. */
import { type Live, LiveValue } from '../base/live.js'
import type { Stop } from '../base/platform.js'
import type { Chores } from '../engine/chores.js'
import type { Link, Looker } from './link.js'

/** Values that are kept; of more, those that nobody looks at are dropped. */
const MOST = 1000

export abstract class Pool<T> implements Looker {
  protected readonly link: Link
  readonly #initial: T
  readonly #lives = new Map<string, WatchedLive<T>>()
  readonly #asking: Chores

  /** `initial`: of what is not known. */
  constructor(link: Link, initial: T) {
    this.link = link
    this.#initial = initial
    this.#asking = link.chores(async (key) => {
      if (this.watched(key)) await this.ask(key)
    })
    link.add(this)
  }

  /** The same one each time, as long as somebody subscribes to it. */
  get(key: string): Live<T> {
    const known = this.#lives.get(key)
    if (known) return known
    if (this.#lives.size >= MOST)
      for (const [one, { isWatched }] of this.#lives) if (!isWatched) this.#lives.delete(one)
    let stop: Stop
    const unwatched = (): T => this.known(key) ?? this.#initial
    const live = new WatchedLive(unwatched(), (isWatched) => {
      if (!isWatched) return stop()
      const other = this.#lives.get(key) ?? live
      if (other !== live) {
        // One that was dropped is back, and another one has its place.
        const unfollow = other.subscribe((value) => live.set(value))
        live.set(other.current)
        stop = () => {
          unfollow()
          live.set(unwatched())
        }
        return
      }
      this.#lives.set(key, live)
      stop = this.begin(key)
    })
    this.#lives.set(key, live)
    return live
  }

  /** The value that somebody looks at; undefined: nobody does. */
  watched(key: string): LiveValue<T> | undefined {
    const live = this.#lives.get(key)
    return live?.isWatched ? live : undefined
  }

  /** Asks for it, as long as somebody looks. */
  want(key: string): void {
    this.#asking.add(key)
  }

  up(): void {
    for (const key of this.#lives.keys()) if (this.watched(key)) this.renew(key)
  }

  forget(): void {
    for (const live of this.#lives.values()) live.set(this.#initial)
  }

  protected put(key: string, value: T): void {
    this.#lives.get(key)?.set(value)
  }

  /** What is known while nobody looks. */
  protected known(_key: string): T | undefined {
    return undefined
  }

  /** Somebody looks; returns what is to be done when nobody does any more. */
  protected begin(key: string): Stop {
    this.renew(key)
    return () => {}
  }

  /** It may have changed while nobody looked, or there was no connection. */
  protected renew(key: string): void {
    this.want(key)
  }

  /** Asks for it, and puts it. Rejects with a `ChatError`. */
  protected async ask(_key: string): Promise<void> {}
}

/** Knows whether somebody subscribes to it. */
class WatchedLive<T> extends LiveValue<T> {
  #watchers = 0
  readonly #changed: (isWatched: boolean) => void

  constructor(value: T, changed: (isWatched: boolean) => void) {
    super(value)
    this.#changed = changed
  }

  get isWatched(): boolean {
    return this.#watchers > 0
  }

  override subscribe(listener: (value: T) => void): Stop {
    let stop: Stop | null = super.subscribe(listener)
    if (++this.#watchers === 1) this.#changed(true)
    return () => {
      stop?.()
      if (stop && --this.#watchers === 0) this.#changed(false)
      stop = null
    }
  }
}
