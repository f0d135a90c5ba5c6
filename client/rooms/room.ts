/** One room, as an application works with it. */
import type { Live } from '../base/live.js'
import { LiveValue } from '../base/live.js'
import type { Engine } from '../engine/engine.js'
import type { RoomState } from '../engine/room-state.js'
import type { Reading } from './reading.js'
import { Timeline, type TimelineOptions } from './timeline.js'

export type RoomInfo = RoomState['info']

/** Cheap: nothing is asked for, and the room need not exist. */
export class Room {
  readonly id: string
  readonly #engine: Engine
  readonly #reading: Reading
  readonly #info: LiveValue<RoomInfo | null>

  constructor(id: string, engine: Engine, reading: Reading) {
    this.id = id
    this.#engine = engine
    this.#reading = reading
    const { replica } = engine
    this.#info = new LiveValue<RoomInfo | null>(replica.rooms.get(id)?.info ?? null)
    replica.subscribe((rooms) => {
      if (rooms.has(id)) this.#info.set(replica.rooms.get(id)?.info ?? null)
    })
  }

  /** Null: the user is not in it, or it is not known yet. */
  get info(): Live<RoomInfo | null> {
    return this.#info
  }

  /** A window over its messages, until `dispose`. */
  timeline(options: TimelineOptions = {}): Timeline {
    return new Timeline(this.#engine, this.id, options)
  }

  /** The user has read up to this message; left out: all of them. It is shown at once, and sent soon. */
  read(seq?: number): void {
    const newest = seq ?? this.#engine.replica.rooms.get(this.id)?.seq
    if (newest !== undefined) this.#reading.read(this.id, newest)
  }
}
