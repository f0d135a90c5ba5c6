import type { QoS, SavedInflight } from '../store/store.js'

/** Whoever sent a packet and wants to hear that it arrived. */
export interface FlightOwner {
  /** Names the cursor in the saved state; null: not worth saving (direct messages of this connection). */
  readonly source: string | null
  /** The packet with this number is done (PUBACK, or PUBCOMP). */
  acknowledged(seq: number): void
}

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
  readonly #flights = new Map<number, Flight>()
  readonly #limit: number
  #lastId = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get room(): number {
    return this.#limit - this.#flights.size
  }

  start(owner: FlightOwner, seq: number, qos: QoS): Flight {
    let packetId = this.#lastId
    do packetId = packetId === 65535 ? 1 : packetId + 1
    while (this.#flights.has(packetId))
    this.#lastId = packetId
    const flight = { packetId, owner, seq, qos, released: false }
    this.#flights.set(packetId, flight)
    return flight
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

  end(flight: Flight): void {
    this.#flights.delete(flight.packetId)
  }

  /** Ends the flights of an owner that may not finish: their ids stay taken only where the QoS 2 handshake still runs. */
  forget(owner: FlightOwner): void {
    for (const flight of this.#flights.values()) {
      if (flight.owner === owner) flight.owner = NOBODY
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

/** Owns the flights whose message is gone: the handshake completes, nobody is told. */
export const NOBODY: FlightOwner = { source: null, acknowledged() {} }
