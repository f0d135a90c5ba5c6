import type { WireListener } from '../wire.js'
import type { PublishPacket } from './decode.js'
import { Malformed, protocolError } from './malformed.js'
import { Reason } from './reason-codes.js'

interface Unacknowledged {
  readonly packetId: number
  isTaken: boolean
}

/** Hands messages to the listener, and acknowledges those of QoS 1 in the order in which they came [MQTT5-4.6.0-2]. */
export class Inbox {
  readonly #listener: Pick<WireListener, 'message'>
  readonly #receiveMaximum: number
  readonly #acknowledge: (packetId: number) => void
  readonly #failed: (cause: unknown) => void
  readonly #unacknowledged: Unacknowledged[] = []

  constructor(
    listener: Pick<WireListener, 'message'>,
    receiveMaximum: number,
    acknowledge: (packetId: number) => void,
    failed: (cause: unknown) => void,
  ) {
    this.#listener = listener
    this.#receiveMaximum = receiveMaximum
    this.#acknowledge = acknowledge
    this.#failed = failed
  }

  /** Throws `Malformed` if the broker sends more than it may. */
  take({ topic, payload, qos, retain, properties, packetId }: PublishPacket): void {
    const entry = qos > 0 ? this.#expect(packetId) : null
    const taken = (): void => {
      if (entry) this.#acknowledgeUpTo(entry)
    }
    try {
      const taking = this.#listener.message({ topic, payload, qos, retain, properties })
      if (taking) taking.then(taken, this.#failed)
      else taken()
    } catch (cause) {
      this.#failed(cause)
    }
  }

  #expect(packetId: number): Unacknowledged {
    if (this.#unacknowledged.length >= this.#receiveMaximum)
      throw new Malformed(Reason.receiveMaximumExceeded, `more than ${this.#receiveMaximum} messages without PUBACK`)
    if (this.#unacknowledged.some((one) => one.packetId === packetId))
      throw protocolError(`packet identifier ${packetId} was used for two messages`)
    const entry = { packetId, isTaken: false }
    this.#unacknowledged.push(entry)
    return entry
  }

  #acknowledgeUpTo(entry: Unacknowledged): void {
    entry.isTaken = true
    while (this.#unacknowledged[0]?.isTaken) this.#acknowledge(this.#unacknowledged.shift()!.packetId)
  }
}
