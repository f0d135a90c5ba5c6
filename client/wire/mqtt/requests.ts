import { type Bytes, onAbort, type Signal, type Stop } from '../../base/platform.js'
import { type Properties, WireError } from '../wire.js'
import { protocolError } from './malformed.js'

/** The packet that answers. */
type AnswerType = 'puback' | 'suback' | 'unsuback'

export interface Reply {
  readonly reasons: readonly number[]
  readonly properties: Properties
}

export interface Request {
  readonly answer: AnswerType
  /** Reason codes that the answer has to have. */
  readonly count: number
  /** Throws a `WireError` if there is no such packet. */
  encode(packetId: number): Bytes
}

interface Waiting extends Request {
  resolve(reply: Reply): void
  reject(error: unknown): void
  forget: Stop
}

const MAX_PACKET_ID = 0xffff

/**
 * What was asked of the broker and is not answered: by packet id, and publishes that wait until it takes more (its Receive Maximum,
 * [MQTT5-4.9.0-2]). An id is free again when its answer is there, also if nobody waits for that any more.
 */
export class Requests {
  readonly #most: number
  readonly #send: (packet: Bytes) => void
  readonly #sent = new Map<number, Waiting>()
  /** Publishes that were not sent yet, the oldest first. */
  #held: Waiting[] = []
  /** Publishes that the broker still takes. */
  #quota = 0
  #lastId = 0

  /** `most`: requests that may wait for an answer. `send` throws a `WireError` when it does not take the packet. */
  constructor(most: number, send: (packet: Bytes) => void) {
    this.#most = most
    this.#send = send
  }

  /** The broker's Receive Maximum. */
  allow(publishes: number): void {
    this.#quota = publishes
  }

  ask(request: Request, signal?: Signal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(false))
      if (this.#sent.size + this.#held.length >= this.#most)
        return reject(new WireError('rejected', `${this.#most} requests wait for their answers already`))
      const waiting: Waiting = { ...request, resolve, reject, forget: () => {} }
      if (signal) waiting.forget = onAbort(signal, () => this.#giveUp(waiting))
      if (request.answer === 'puback' && this.#quota === 0) this.#held.push(waiting)
      else this.#sendNow(waiting)
    })
  }

  /** Throws `Malformed` if nothing of this kind was asked. */
  answered(answer: AnswerType, packetId: number, reply: Reply): void {
    const waiting = this.#sent.get(packetId)
    if (waiting?.answer !== answer) throw protocolError(`${answer} of packet identifier ${packetId}, which awaits none`)
    if (waiting.count !== reply.reasons.length)
      throw protocolError(`${answer} has ${reply.reasons.length} reason codes`)
    this.#sent.delete(packetId)
    waiting.forget()
    waiting.resolve(reply)
    if (answer !== 'puback') return
    this.#quota++
    while (this.#quota > 0 && this.#held.length > 0) this.#sendNow(this.#held.shift()!)
  }

  /** The connection has ended. */
  end(error: WireError): void {
    const all = [...this.#sent.values(), ...this.#held]
    this.#sent.clear()
    this.#held = []
    for (const waiting of all) {
      waiting.forget()
      waiting.reject(error)
    }
  }

  #sendNow(waiting: Waiting): void {
    const id = this.#freeId()
    try {
      this.#send(waiting.encode(id))
    } catch (error) {
      waiting.forget()
      waiting.reject(error)
      return
    }
    this.#sent.set(id, waiting)
    if (waiting.answer === 'puback') this.#quota--
  }

  #giveUp(waiting: Waiting): void {
    waiting.forget()
    const held = this.#held.indexOf(waiting)
    if (held >= 0) this.#held.splice(held, 1)
    waiting.reject(aborted(held < 0))
  }

  /** There is one, as fewer requests than ids may wait. */
  #freeId(): number {
    do this.#lastId = (this.#lastId % MAX_PACKET_ID) + 1
    while (this.#sent.has(this.#lastId))
    return this.#lastId
  }
}

function aborted(sent: boolean): WireError {
  return new WireError('aborted', sent ? 'given up after it was sent: it may have been carried out' : 'given up unsent')
}
