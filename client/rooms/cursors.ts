import type { Replica } from '../engine/replica.js'
import type { RoomState } from '../engine/room-state.js'
import type { Change } from '../store/store.js'
import type { OwnedStore } from '../store/user-store.js'

/** As kept in the table `meta`, as `['cursor', name, room]`. */
export interface Cursor {
  /** Of the last message that was done with. */
  readonly seq: number
  /** When the room was created that it is of. */
  readonly created: number
}

/** How far a program has come in each room, kept on the device under a name. */
export class Cursors {
  readonly #name: string
  readonly #store: OwnedStore
  readonly #rooms: Replica['rooms']
  readonly #known: Map<string, Cursor>

  static async read(name: string, store: OwnedStore, rooms: Replica['rooms']): Promise<Cursors> {
    const rows = await store.range('meta', { prefix: ['cursor', name] })
    return new Cursors(name, store, rooms, new Map(rows.map(({ key, value }) => [key[2] as string, value as Cursor])))
  }

  private constructor(name: string, store: OwnedStore, rooms: Replica['rooms'], known: Map<string, Cursor>) {
    this.#name = name
    this.#store = store
    this.#rooms = rooms
    this.#known = known
  }

  /** Whether there are rooms that were not seen before. */
  get hasNew(): boolean {
    return this.#new.length > 0
  }

  /**
   * Rooms that are new begin where the user joined them, or has read up to by now: what is read of them later on another device counts as little as in
   * other rooms. Resolves, as `move` does.
   */
  async begin(): Promise<void> {
    const begun = this.#new.map(({ room, read, created }) => [room, { seq: read, created }] as const)
    if (begun.length > 0) await this.#put(begun)
  }

  /** Rooms in which there is more. */
  get behind(): string[] {
    return [...this.#rooms.values()].flatMap(({ room, seq }) =>
      this.#known.has(room) && seq > this.of(room) ? [room] : [],
    )
  }

  of(room: string): number {
    const cursor = this.#known.get(room)
    // One that was made anew begins anew.
    return cursor && cursor.created === this.#rooms.get(room)?.created ? cursor.seq : 0
  }

  /** Resolves when that survives the end of the program. Rejects with a `ChatError` `storage`. */
  move(room: string, cursor: Cursor): Promise<void> {
    return this.#put([[room, cursor]])
  }

  get #new(): RoomState[] {
    return [...this.#rooms.values()].filter(({ room }) => !this.#known.has(room))
  }

  async #put(cursors: readonly (readonly [room: string, cursor: Cursor])[]): Promise<void> {
    for (const [room, cursor] of cursors) this.#known.set(room, cursor)
    await this.#store.write(
      cursors.map(([room, value]): Change => ({ put: 'meta', key: ['cursor', this.#name, room], value })),
    )
  }
}
