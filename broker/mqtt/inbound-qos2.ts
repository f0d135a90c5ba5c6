import { LazyMap, LazySet } from '../util/lazy.js'

/** `before`: from an earlier connection. `taken`: its PUBREC was not sent yet. */
type Step = 'before' | 'taken' | 'answered'

/**
 * The packet ids of a client's QoS 2 publishes, from PUBLISH to PUBREL [MQTT-4.3.3]. Before MQTT 5 there is no receive
 * maximum, and some MQTT 5 clients ignore it when they send what they gathered offline. So PUBLISHes beyond the bound are accepted too (the
 * PUBRELs can only arrive behind what the client has already written), and their PUBRECs are withheld until other exchanges have had their
 * PUBREL. The messages are in the store by then; only packet ids wait, at most 65,535.
 */
export class InboundQos2 {
  readonly #bound: number
  readonly #steps = new LazyMap<number, Step>()
  readonly #withheld = new LazySet<number>()
  /** Iterates over the withheld ids, in the order of their publishes. */
  #line: Iterator<number> | null = null
  #answered = 0
  /** Those that came on this connection [MQTT5-4.9]. */
  current = 0

  /** `bound`: as many may await their PUBREL. */
  constructor(bound: number) {
    this.#bound = bound
  }

  has(packetId: number): boolean {
    return this.#steps.has(packetId)
  }

  isWithheld(packetId: number): boolean {
    return this.#withheld.has(packetId)
  }

  resume(packetId: number): void {
    this.#steps.set(packetId, 'before')
  }

  /** A PUBLISH came. False: its message was taken before. */
  take(packetId: number): boolean {
    const step = this.#steps.get(packetId)
    if (step === undefined || step === 'before') {
      this.#steps.set(packetId, 'taken')
      this.current++
    }
    return step === undefined
  }

  /** Whether its PUBREC may be sent now; else `next` returns the id later. */
  answer(packetId: number): boolean {
    // In another state: a repeated PUBLISH, or its PUBREL came meanwhile.
    if (this.#steps.get(packetId) !== 'taken') return true
    if (this.#answered >= this.#bound || this.#withheld.size > 0) {
      this.#withheld.add(packetId)
      return false
    }
    this.#answer(packetId)
    return true
  }

  /** The exchange ended. False: the id is unknown. */
  end(packetId: number): boolean {
    const step = this.#steps.get(packetId)
    if (step === undefined) return false
    this.#steps.delete(packetId)
    this.#withheld.delete(packetId)
    if (step !== 'before') this.current--
    if (step === 'answered') this.#answered--
    return true
  }

  /** The next id whose withheld PUBREC may be sent now, in the order of the publishes [MQTT-4.6.0-3]. */
  next(): number | undefined {
    if (this.#answered >= this.#bound || this.#withheld.size === 0) return undefined
    const packetId = this.#first()
    this.#withheld.delete(packetId)
    this.#answer(packetId)
    return packetId
  }

  #answer(packetId: number): void {
    this.#steps.set(packetId, 'answered')
    this.#answered++
  }

  /** One iterator for all calls: a new one would pass over all deleted entries again. */
  #first(): number {
    const next = this.#line?.next()
    if (next && !next.done) return next.value
    this.#line = this.#withheld[Symbol.iterator]()
    return this.#line.next().value as number
  }
}
