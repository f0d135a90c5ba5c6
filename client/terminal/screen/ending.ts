/** The end that the user wants. What would be lost is told first. */
import type { Chat, Outgoing } from '../../node/index.js'
import { within } from '../waiting.js'

/** Ms to wait for what was typed before the end. */
const LAST_ANSWERS = 5_000

export interface EndingDeps {
  readonly chat: Pick<Chat, 'outbox' | 'status'>
  /** What was not sent is there the next time. */
  isKept(): boolean
  readonly over: AbortController
  say(text: string): void
}

export class Ending {
  readonly #deps: EndingDeps
  #isWarned = false
  #isUnderWay = false
  /** Aborted when the user waits no more. */
  readonly #atOnce = new AbortController()

  constructor(deps: EndingDeps) {
    this.#deps = deps
  }

  /** Whoever asks a second time does not wait. */
  async quit(): Promise<void> {
    const { over } = this.#deps
    if (this.#isUnderWay || this.#isWarned || over.signal.aborted) {
      this.#atOnce.abort()
      return over.abort()
    }
    this.#isUnderWay = true
    const lost = await this.#lost()
    this.#isUnderWay = false
    if (lost === 0 || over.signal.aborted) return over.abort()
    this.#isWarned = true
    this.#deps.say(`not sent yet, and lost at the end: ${lost}; /quit again ends all the same`)
  }

  /** The user goes on: the next time it is told again. */
  goOn(): void {
    this.#isWarned = false
  }

  /** Waits for what may still be sent: a connection that is just beginning may take it. Resolves with the number of messages that were not. */
  async settled(): Promise<number> {
    const { chat } = this.#deps
    if (chat.status.current.state !== 'waiting') await within(LAST_ANSWERS, chat.outbox, isSettled, this.#atOnce.signal)
    return chat.outbox.current.length
  }

  async #lost(): Promise<number> {
    return this.#deps.isKept() ? 0 : this.settled()
  }
}

/** What was refused waits for the user alone. */
function isSettled(outbox: readonly Outgoing[]): boolean {
  return outbox.every(({ state }) => state.current.at === 'failed')
}
