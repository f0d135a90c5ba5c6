import type { Refusal } from '../../../schemas/errors.js'
import type { Bus } from '../../store/bus.js'
import type { Actor } from './actor.js'
import type { Signal } from './signals.js'

/** What a send resulted in. */
export interface SendResult {
  id: string
  room: string
  /** 0: a command, which has no number in the room. */
  seq: number
  ts: number
  /** What took it in place of the room. */
  command?: { bot: string; name: string; owner: string }
}

/** Answers on `users/{me}/replies` (DESIGN §2, Results). `re` is the request's id or the message's cid. */
export class Replies {
  readonly #bus: Bus<Signal>

  constructor(bus: Bus<Signal>) {
    this.#bus = bus
  }

  /** `result` is JSON text. */
  ok(to: Actor, re: string | number | null, method: string, result: string): void {
    this.#send(to, `{"re":${JSON.stringify(re)},"method":${JSON.stringify(method)},"ok":true,"result":${result}}`)
  }

  /** `topic` names a refused send that had no cid. */
  refused(to: Actor, re: string | number | null, method: string, refusal: Refusal, topic?: string): void {
    const body = { re, method, ok: false, ...(topic === undefined ? {} : { topic }), error: refusal.body() }
    this.#send(to, JSON.stringify(body))
  }

  #send(to: Actor, json: string): void {
    if (to.principal.anonymous || to.silent) return
    this.#bus.send({
      kind: 'reply',
      user: to.principal.user,
      sessionId: to.sessionId,
      payload: Buffer.from(json, 'utf8'),
      answer: to.answer ?? null,
    })
  }
}
