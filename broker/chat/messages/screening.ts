/**
 * Screens check every chat message before it is written: filters, policies, the moderation webhook. They run after authorisation, for every
 * transport, and for edits too. A retry (`cid`) of an accepted message returns the first result, whatever the screens say now.
 */
import type { Actor } from '../model/actor.js'
import type { CheckedMessage } from '../model/message.js'

export interface Verdict {
  /** The message to write instead (see `rewritten` in chat/model/message.ts). */
  readonly message?: CheckedMessage
  /** Set to report the accepted message to moderators, with this reason, which only they see. */
  readonly report?: string
}

export interface Screen {
  /**
   * Returns undefined to accept the message unchanged. @throws Refusal to refuse it (or rejects with one). Returns a promise only if it has
   * to wait; a screen that waits has its own deadline.
   */
  screen(actor: Actor, room: string, message: CheckedMessage): Verdict | undefined | Promise<Verdict | undefined>
}

/** Runs screens in order: each sees the message as the ones before it left it. */
export class Screening {
  readonly #screens: readonly Screen[]

  constructor(screens: readonly Screen[]) {
    this.#screens = screens
  }

  /** Undefined if no screen has anything to say; this costs no allocation. */
  screen(actor: Actor, room: string, message: CheckedMessage): Verdict | undefined | Promise<Verdict | undefined> {
    let verdict: Verdict | undefined
    for (let i = 0; i < this.#screens.length; i++) {
      const next = this.#screens[i]!.screen(actor, room, verdict?.message ?? message)
      if (next instanceof Promise) return this.#continueAsync(i + 1, actor, room, message, verdict, next)
      verdict = merged(verdict, next)
    }
    return verdict
  }

  async #continueAsync(
    from: number,
    actor: Actor,
    room: string,
    message: CheckedMessage,
    before: Verdict | undefined,
    waiting: Promise<Verdict | undefined>,
  ): Promise<Verdict | undefined> {
    let verdict = merged(before, await waiting)
    for (const screen of this.#screens.slice(from))
      verdict = merged(verdict, await screen.screen(actor, room, verdict?.message ?? message))
    return verdict
  }
}

/** The later message wins, and the first report. */
function merged(before: Verdict | undefined, next: Verdict | undefined): Verdict | undefined {
  return before && next ? { ...next, ...before, ...(next.message ? { message: next.message } : {}) } : (next ?? before)
}
