import type { FlightOwner } from '../following/feeds.js'
import type { PacketsInFlight } from '../following/inflight-records.js'
import type { QoS } from '../store/qos.js'
import type { EndedInflight, InflightChange, SavedInflight } from '../store/sessions.js'
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
  /** It is among those that were saved last. */
  saved: boolean
  /** It began or changed since. */
  unsaved: boolean
}

/** The in-flight window: at most `limit` packets; a packet id is free again when its flow has ended [MQTT-2.3.1-4]. */
export class Inflight implements PacketsInFlight {
  readonly #flights = new LazyMap<number, Flight>()
  readonly #limit: number
  #lastId = 0
  /** The free ids, in the order of use, while they are so few that searching for one would take long; else null. */
  #spare: number[] | null = null
  /** The one sent last, or to be sent. */
  #newest = 0
  /** Those that were saved, and have ended since. */
  #ended: number[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  get capacity(): number {
    return this.#limit - this.#flights.size
  }

  start(owner: FlightOwner, seq: number, qos: QoS): Flight {
    const packetId = this.#freeId()
    const flight = { packetId, owner, seq, qos, released: false, saved: false, unsaved: true }
    this.#flights.set(packetId, flight)
    this.#newest = packetId
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
  resume(owner: FlightOwner, { packetId, seq, qos, released }: SavedInflight): Flight {
    const flight = { packetId, owner, seq, qos, released, saved: false, unsaved: true }
    this.#flights.set(packetId, flight)
    return flight
  }

  get(packetId: number): Flight | undefined {
    return this.#flights.get(packetId)
  }

  /**
   * Packets that began together are sent only now, perhaps after others that began later: resending follows the order of sending
   * [MQTT-4.6.0-1].
   */
  leave(packetIds: readonly number[]): void {
    if (packetIds.at(-1) === this.#newest) return
    for (const packetId of packetIds) {
      const flight = this.#flights.get(packetId)
      if (!flight) continue
      this.#remove(flight)
      this.#flights.set(packetId, flight)
      this.#newest = packetId
      flight.saved = false
      flight.unsaved = true
    }
  }

  has(source: string, seq: number): boolean {
    for (const flight of this.#flights.values()) if (flight.seq === seq && flight.owner.source === source) return true
    return false
  }

  /** PUBREC came. */
  release(flight: Flight): void {
    flight.released = true
    flight.unsaved = true
  }

  end(flight: Flight): void {
    if (!this.#remove(flight) || !this.#spare) return
    this.#spare.push(flight.packetId)
    if (this.#spare.length > 2 * SCARCE) this.#spare = null
  }

  #remove({ packetId, saved }: Flight): boolean {
    if (saved) this.#ended.push(packetId)
    return this.#flights.delete(packetId)
  }

  /** The messages of an owner may not be delivered any more: their ids stay in use until the handshakes complete, and nobody is told. */
  forget(owner: FlightOwner): void {
    this.entrust(owner, NO_OWNER)
  }

  /** The packets of an owner that were not sent are none. */
  cancel(owner: FlightOwner): void {
    for (const flight of [...this.#flights.values()]) if (flight.owner === owner) this.end(flight)
  }

  /** The packets of one owner become another's. */
  entrust(owner: FlightOwner, to: FlightOwner): void {
    for (const flight of this.#flights.values()) {
      if (flight.owner !== owner) continue
      flight.owner = to
      flight.unsaved = true
    }
  }

  // --- as they are saved ------------------------------------------------------------------------------------------------------------

  /** Owners that wait to hear that their packet is stored. */
  unstored(): FlightOwner[] {
    const owners: FlightOwner[] = []
    for (const { owner } of this.#flights.values())
      if (owner.source !== null && owner.isStored === false) owners.push(owner)
    return owners
  }

  get count(): number {
    return this.#flights.size
  }

  all(): SavedInflight[] {
    const list: SavedInflight[] = []
    this.#ended = []
    for (const flight of this.#flights.values()) {
      const packet = asSaved(flight)
      if (packet) list.push(packet)
      flight.saved = packet !== null
      flight.unsaved = false
    }
    return list
  }

  /** Those that ended come first: their ids may be in use again. */
  changes(most: number): InflightChange[] | null {
    if (this.#ended.length > most) return null
    const changes: InflightChange[] = this.#ended.map(ended)
    for (const flight of this.#flights.values()) {
      if (!flight.unsaved) continue
      const packet = asSaved(flight)
      if (packet || flight.saved) changes.push(packet ?? ended(flight.packetId))
      if (changes.length > most) return null
      flight.saved = packet !== null
      flight.unsaved = false
    }
    this.#ended = []
    return changes
  }
}

/** Null: it is not to be known after a reconnect. */
function asSaved({ packetId, owner, seq, qos, released }: Flight): SavedInflight | null {
  if (owner.source !== null) return { packetId, source: owner.source, seq, qos, released }
  return released ? { packetId, source: '', seq: 0, qos, released } : null
}

function ended(packetId: number): EndedInflight {
  return { packetId, source: '', seq: 0, ended: true }
}

/** Owner of what was sent for a filter that was removed: it may still be acknowledged, or sent again after a reconnect [MQTT-3.10.4-3]. */
export function detachedOwner(source: string): FlightOwner {
  return { source, acknowledged() {} }
}

/** Owner of packets whose message is in no log and no queue, or no longer there: the handshake completes, and nobody is told. */
export const NO_OWNER: FlightOwner = { source: null, acknowledged() {} }
