import { LazyMap, LazySet } from '../util/lazy.js'

/** `before`: of an earlier connection. `taken`: its PUBREC has not left yet. */
type Step = 'before' | 'taken' | 'answered'

/**
 * The packet ids of a client's QoS 2 publishes, from PUBLISH to PUBREL [MQTT-4.3.3]. A client before MQTT 5 cannot be told how many
 * may be under way, and some of MQTT 5 send what gathered while they were away whatever they are told: more than the bound are taken like
 * any, for their PUBRELs can only come behind what the client has written already, and their PUBRECs are withheld until others have had
 * their PUBREL. The messages are in the store by then. What waits is packet ids, and of these MQTT has 65,535.
 */
export class Incoming {
  readonly #bound: number
  readonly #steps = new LazyMap<number, Step>()
  readonly #withheld = new LazySet<number>()
  /** Where the walk over the withheld ids is, in the order of their publishes. */
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

  /** Whether its PUBREC may leave now; else `next` says when. */
  answer(packetId: number): boolean {
    // Another: it is sent again, or its PUBREL came meanwhile.
    if (this.#steps.get(packetId) !== 'taken') return true
    if (this.#answered >= this.#bound || this.#withheld.size > 0) {
      this.#withheld.add(packetId)
      return false
    }
    this.#answer(packetId)
    return true
  }

  /** Its flow is over. False: nobody knows it. */
  end(packetId: number): boolean {
    const step = this.#steps.get(packetId)
    if (step === undefined) return false
    this.#steps.delete(packetId)
    this.#withheld.delete(packetId)
    if (step !== 'before') this.current--
    if (step === 'answered') this.#answered--
    return true
  }

  /** The next id whose PUBREC was withheld and may leave now, in the order of the publishes [MQTT-4.6.0-3]. */
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

  /** One iterator for all calls: a new one would first pass over the entries that were deleted before, each time. */
  #first(): number {
    const next = this.#line?.next()
    if (next && !next.done) return next.value
    this.#line = this.#withheld[Symbol.iterator]()
    return this.#line.next().value as number
  }
}
