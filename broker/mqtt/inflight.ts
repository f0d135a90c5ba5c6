import type { FlightOwner } from '../following/feeds.js'
import type { QoS } from '../store/qos.js'
import type { SavedInflight } from '../store/sessions.js'
import { LazyMap } from '../util/lazy.js'

/** Packet ids there are: 1 to 65535. */
const IDS = 65_535
/** Free ids are listed when so few are left, and no longer when they are twice as many. */
const SCARCE = 1024

/** A packet under way to the client [MQTT-4.3]. */
export interface Flight {
  packetId: number
  owner: FlightOwner
  seq: number
  qos: QoS
  /** QoS 2: PUBREC came, PUBCOMP is awaited. */
  released: boolean
}

/** The packets under way: at most `limit` at a time; a packet id is free again when its flow has ended [MQTT-2.3.1-4]. */
export class Inflight {
  readonly #flights = new LazyMap<number, Flight>()
  readonly #limit: number
  #lastId = 0
  /** The ids that are free, in the order to use them, while they are so few that looking for one would take long; else null. */
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

  /** The next one that is free: few of those that are looked at are taken, unless nearly all are. */
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

  /** It leaves only now, after others that began later: what is sent again goes in the order it left in [MQTT-4.6.0-1]. */
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

  /** Ends the flights of an owner that may not finish: their ids stay taken only where the QoS 2 handshake still runs. */
  forget(owner: FlightOwner): void {
    this.entrust(owner, NOBODY)
  }

  /** The flights of one owner are another's. */
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

/** Owns what was sent for a filter that is gone: it may still be acknowledged, or sent again after a reconnect [MQTT-3.10.4-3]. */
export function farewell(source: string): FlightOwner {
  return { source, acknowledged() {} }
}

/** Owns the flights whose message is in no log and no queue, or is gone: the handshake completes, nobody is told. */
export const NOBODY: FlightOwner = { source: null, acknowledged() {} }
