/** Messages of a share group that no member has: they were assigned, and returned, or nobody could take them. To the pump of the group they are a feed. */
import { type LaggingFeed, type LogFeed, type Progress, type QueueFeed, READ_ENTRIES } from '../../following/feeds.js'

/** While more than this wait, nothing new is read. */
const MOST = READ_ENTRIES

/** `blocked`: no member can take it now. */
type AssignAnew = (feed: LogFeed | QueueFeed, seq: number) => Promise<'sent' | 'blocked'>

export class ReturnedMessages implements LaggingFeed {
  readonly source = null
  lagging = false
  readonly #canAssign: () => boolean
  readonly #assign: AssignAnew
  #messages: { feed: LogFeed | QueueFeed; seq: number }[] = []

  constructor(canAssign: () => boolean, assign: AssignAnew) {
    this.#canAssign = canAssign
    this.#assign = assign
  }

  get areTooMany(): boolean {
    return this.#messages.length > MOST
  }

  /** One that was tried before and could not be taken goes before those that came after it. */
  add(feed: LogFeed | QueueFeed, seq: number): void {
    const before = this.#messages.findLastIndex((one) => one.feed !== feed || one.seq < seq)
    this.#messages.splice(before + 1, 0, { feed, seq })
  }

  forget(from: LogFeed | string): void {
    this.#messages = this.#messages.filter(({ feed }) => feed !== from)
  }

  clear(): void {
    this.#messages = []
  }

  async advance(): Promise<Progress> {
    if (this.#messages.length === 0) {
      this.lagging = false
      return 'done'
    }
    if (!this.#canAssign()) return 'blocked'
    const { feed, seq } = this.#messages.shift()!
    return this.#assign(feed, seq)
  }

  acknowledged(): void {}
}
