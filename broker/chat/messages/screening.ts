/**
 * What looks at every chat message before it is written: filters, policies, an outside judge. Asked once the sender may write, whatever
 * the door, edits included. A retry (`cid`) of a message that was taken is answered as before, whatever is said of it now.
 */
import type { Actor } from '../model/actor.js'
import type { CheckedMessage } from '../model/message.js'

export interface Verdict {
  /** What goes on in its place (see `rewritten` in chat/model/message.ts). */
  readonly message?: CheckedMessage
  /** Why those who moderate should look at it once it is taken; shown to them alone. */
  readonly report?: string
}

export interface Screen {
  /**
   * Nothing: it goes on as it is. Refuses by throwing, or rejecting with, a `Refusal`. Without a promise where there is nothing to wait for;
   * whoever waits has a deadline of its own.
   */
  screen(actor: Actor, room: string, message: CheckedMessage): Verdict | undefined | Promise<Verdict | undefined>
}

/** Screens, one after another: each sees what those before it made of the message. */
export class Screening {
  readonly #screens: readonly Screen[]

  constructor(screens: readonly Screen[]) {
    this.#screens = screens
  }

  /** Undefined, and nothing spent, where no screen has anything to say. */
  screen(actor: Actor, room: string, message: CheckedMessage): Verdict | undefined | Promise<Verdict | undefined> {
    let verdict: Verdict | undefined
    for (let i = 0; i < this.#screens.length; i++) {
      const next = this.#screens[i]!.screen(actor, room, verdict?.message ?? message)
      if (next instanceof Promise) return this.#goOn(i + 1, actor, room, message, verdict, next)
      verdict = both(verdict, next)
    }
    return verdict
  }

  async #goOn(
    from: number,
    actor: Actor,
    room: string,
    message: CheckedMessage,
    before: Verdict | undefined,
    waiting: Promise<Verdict | undefined>,
  ): Promise<Verdict | undefined> {
    let verdict = both(before, await waiting)
    for (const screen of this.#screens.slice(from))
      verdict = both(verdict, await screen.screen(actor, room, verdict?.message ?? message))
    return verdict
  }
}

/** The later message counts, and the first report. */
function both(before: Verdict | undefined, next: Verdict | undefined): Verdict | undefined {
  return before && next ? { ...next, ...before, ...(next.message ? { message: next.message } : {}) } : (next ?? before)
}
