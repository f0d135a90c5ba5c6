import type { Refusal } from '../../../schemas/errors.js'
import type { Bus } from '../../store/bus.js'
import type { Actor } from './actor.js'
import type { Signal } from './signals.js'

/** Result of a send. */
export interface SendResult {
  id: string
  room: string
  /** 0: the message was a bot command, which has no number in the room. */
  seq: number
  ts: number
  /** Set if a bot took the message as a command. */
  command?: { bot: string; name: string; owner: string }
}

/** Publishes replies on `users/{me}/replies` (DESIGN §2, Results). `re` is the request's id or the message's cid. */
export class Replies {
  readonly #bus: Bus<Signal>

  constructor(bus: Bus<Signal>) {
    this.#bus = bus
  }

  /** `result`: JSON text. */
  ok(to: Actor, re: string | number | null, method: string, result: string): void {
    this.#send(to, `{"re":${JSON.stringify(re)},"method":${JSON.stringify(method)},"ok":true,"result":${result}}`)
  }

  /** `topic`: given for a refused send without cid. */
  refused(to: Actor, re: string | number | null, method: string, refusal: Refusal, topic?: string): void {
    const body = { re, method, ok: false, ...(topic === undefined ? {} : { topic }), error: refusal.body() }
    this.#send(to, JSON.stringify(body))
  }

  /** The asking session is connected here. */
  #send({ principal, sessionId, answer, silent }: Actor, json: string): void {
    const { user, anonymous } = principal
    if (anonymous || silent) return
    const payload = Buffer.from(json, 'utf8')
    const reply: Signal = { kind: 'reply', user, sessionId, payload, answer: answer ?? null }
    if (sessionId === null) this.#bus.send(reply)
    else this.#bus.sendHere(reply)
  }
}
