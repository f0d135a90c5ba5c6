/** A second implementation of the SDK's port to the broker: the test decides how each login and each connection ends. */
import {
  type Answer,
  type Login,
  type OpenWire,
  type Properties,
  type Wire,
  WireError,
  type WireErrorKind,
  type WireListener,
} from '../../client/wire/wire.js'

export function wireError(kind: WireErrorKind, reason: number | null = null, properties: Properties = {}): WireError {
  return new WireError(kind, `${kind} ${reason ?? ''}`, { reason, properties })
}

export class ScriptedWires {
  /** Each login, in order. */
  readonly logins: Login[] = []
  /** Ends of the next logins; when there is none, a login succeeds. `null`: it succeeds; `never`: it gets no answer. */
  readonly script: (WireError | null | 'never')[] = []
  readonly wires: ScriptedWire[] = []
  /** Connections that are open, or being opened, at present; and at most. */
  open = 0
  mostOpen = 0

  get last(): ScriptedWire {
    return this.wires.at(-1)!
  }

  readonly opener: OpenWire = async (login, listener, signal) => {
    this.logins.push(login)
    this.mostOpen = Math.max(this.mostOpen, ++this.open)
    const end = this.script.shift() ?? null
    try {
      if (end === 'never')
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(wireError('aborted'))))
      if (end instanceof WireError) throw end
      if (signal.aborted) throw wireError('aborted')
    } catch (error) {
      this.open--
      throw error
    }
    const wire = new ScriptedWire(listener, () => this.open--)
    this.wires.push(wire)
    return wire
  }
}

export class ScriptedWire implements Wire {
  readonly properties = {}
  readonly renewals: string[] = []
  checks = 0
  /** The end of the next renewal; null: it succeeds. */
  renewal: WireError | null = null
  #isOver = false
  readonly #listener: WireListener
  readonly #left: () => void
  #isClosed = false

  constructor(listener: WireListener, left: () => void) {
    this.#listener = listener
    this.#left = left
  }

  get closed(): boolean {
    return this.#isClosed
  }

  ends(error: WireError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#listener.ended(error)
  }

  async subscribe(): Promise<number[]> {
    return []
  }

  async unsubscribe(): Promise<number[]> {
    return []
  }

  async publish(): Promise<Answer> {
    return { reason: 0, properties: {} }
  }

  async renew(token: string): Promise<void> {
    this.renewals.push(token)
    if (!this.renewal) return
    this.ends(this.renewal)
    throw this.renewal
  }

  async check(): Promise<void> {
    this.checks++
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isOver = this.#isClosed = true
    this.#left()
  }
}
