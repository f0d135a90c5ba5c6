import type { FlightOwner } from '../following/feeds.js'
import type { QoS } from '../store/qos.js'
import type { SavedInflight } from '../store/sessions.js'
import { LazyMap } from '../util/lazy.js'

/** Packet ids there are: 1 to 65535. */
const IDS = 65_535
/** When so few ids are free, they are kept in a list; above twice as many the list is dropped. */
const SCARCE = 1024

/** A QoS 1 or 2 packet in flight to the client [MQTT-4.3]. */
export interface Flight {
  packetId: number
  owner: FlightOwner
  seq: number
  qos: QoS
  /** QoS 2: PUBREC came, PUBCOMP is awaited. */
  released: boolean
}

/** The in-flight window: at most `limit` packets; a packet id is free again when its flow has ended [MQTT-2.3.1-4]. */
export class Inflight {
  readonly #flights = new LazyMap<number, Flight>()
  readonly #limit: number
  #lastId = 0
  /** The free ids, in the order of use, while they are so few that searching for one would take long; else null. */
  #spare: number[] | null = null

  constructor(limit: number) {
    this.#limit = limit
  }

  get capacity(): number {
    return this.#limit - this.#flights.size
  }

  start(owner: FlightOwner, seq: number, qos: QoS): Flight {
    const packetId = this.#freeId()
    const flight = { packetId, owner, seq, qos, released: false }
    this.#flights.set(packetId, flight)
    return flight
  }

  /** Searched from the last one on: unless nearly all ids are taken, that is short. */
  #freeId(): number {
    if (IDS - this.#flights.size <= SCARCE) this.#spare ??= this.#freeIds()
    const spare = this.#spare?.shift()
    if (spare !== undefined) return spare
    let packetId = this.#lastId
    do packetId = packetId === IDS ? 1 : packetId + 1
    while (this.#flights.has(packetId))
    this.#lastId = packetId
    return packetId
  }

  #freeIds(): number[] {
    const free: number[] = []
    for (let offset = 0; offset < IDS; offset++) {
      const packetId = ((this.#lastId + offset) % IDS) + 1
      if (!this.#flights.has(packetId)) free.push(packetId)
    }
    return free
  }

  /** A packet from before the reconnect, under its original id. */
  resume(owner: FlightOwner, saved: SavedInflight): Flight {
    const flight = { packetId: saved.packetId, owner, seq: saved.seq, qos: saved.qos, released: saved.released }
    this.#flights.set(saved.packetId, flight)
    return flight
  }

  get(packetId: number): Flight | undefined {
    return this.#flights.get(packetId)
  }

  /** The packet is sent only now, after others that began later: resending follows the order of sending [MQTT-4.6.0-1]. */
  leaves(packetId: number): void {
    const flight = this.#flights.get(packetId)
    if (!flight) return
    this.#flights.delete(packetId)
    this.#flights.set(packetId, flight)
  }

  end(flight: Flight): void {
    if (!this.#flights.delete(flight.packetId) || !this.#spare) return
    this.#spare.push(flight.packetId)
    if (this.#spare.length > 2 * SCARCE) this.#spare = null
  }

  /** The messages of an owner may not be delivered any more: their ids stay in use until the handshakes complete, and nobody is told. */
  forget(owner: FlightOwner): void {
    this.entrust(owner, NO_OWNER)
  }

  /** The packets of one owner become another's. */
  entrust(owner: FlightOwner, to: FlightOwner): void {
    for (const flight of this.#flights.values()) {
      if (flight.owner === owner) flight.owner = to
    }
  }

  saved(): SavedInflight[] {
    const list: SavedInflight[] = []
    for (const { packetId, owner, seq, qos, released } of this.#flights.values()) {
      if (owner.source !== null) list.push({ packetId, source: owner.source, seq, qos, released })
      else if (released) list.push({ packetId, source: '', seq: 0, qos, released })
    }
    return list
  }
}

/** Owner of what was sent for a filter that was removed: it may still be acknowledged, or sent again after a reconnect [MQTT-3.10.4-3]. */
export function detachedOwner(source: string): FlightOwner {
  return { source, acknowledged() {} }
}

/** Owner of packets whose message is in no log and no queue, or no longer there: the handshake completes, and nobody is told. */
export const NO_OWNER: FlightOwner = { source: null, acknowledged() {} }
