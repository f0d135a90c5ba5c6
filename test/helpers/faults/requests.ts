/** Requests of a client and their replies, which are not stored: one whose reply does not come has no outcome that anybody knows. */
import type { Packet } from 'mqtt-packet'

/** Ms after which a reply counts as lost. */
const PATIENCE = 5000

export interface Reply {
  readonly re: string
  readonly ok: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the result of any command
  readonly result?: any
  readonly error?: { readonly code: string; readonly message: string }
}

export class Requests {
  readonly #user: string
  readonly #waiting = new Map<string, (reply: Reply | null) => void>()
  #count = 0
  #transmit: ((packet: Packet) => void) | null = null

  constructor(user: string) {
    this.#user = user
  }

  /** To be called when the replies are subscribed to. */
  connected(transmit: (packet: Packet) => void): void {
    this.#transmit = transmit
  }

  disconnected(): void {
    this.#transmit = null
    for (const resolve of this.#waiting.values()) resolve(null)
    this.#waiting.clear()
  }

  /** Null: it is not known what became of it. */
  ask(method: string, params: object): Promise<Reply | null> {
    const transmit = this.#transmit
    if (!transmit) return Promise.resolve(null)
    const id = `request ${++this.#count}`
    const payload = JSON.stringify({ id, ...params })
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting.get(id)?.(null), PATIENCE)
      this.#waiting.set(id, (reply) => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(reply)
      })
      transmit({
        cmd: 'publish',
        topic: `users/${this.#user}/requests/${method}`,
        ...{ payload, qos: 0, retain: false, dup: false },
      })
    })
  }

  take(reply: Reply): void {
    this.#waiting.get(reply.re)?.(reply)
  }
}
