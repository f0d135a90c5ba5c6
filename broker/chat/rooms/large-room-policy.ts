/**
 * What is not sent in large rooms: presence, typing and receipts of every member to every other grow with the square of the number of
 * members.
 */
import type { Thinned } from '../../../schemas/commands/parts.js'
import type { DirectoryStore } from '../../store/directory.js'

export interface LargeRoomOptions {
  /** Rooms with more members get no presence, and typing without user names. */
  readonly thinAbove: number
  /** Rooms with more members get no receipts. */
  readonly receipts: number
}

export class LargeRoomPolicy {
  readonly #directory: Pick<DirectoryStore, 'members'>
  readonly #limits: Record<Thinned, number>

  constructor(directory: Pick<DirectoryStore, 'members'>, { thinAbove, receipts }: LargeRoomOptions) {
    this.#directory = directory
    this.#limits = { presence: thinAbove, typing: thinAbove, receipts }
  }

  suppresses(room: string, kind: Thinned): boolean {
    return this.#directory.members(room).size > this.#limits[kind]
  }

  /** All kinds that are suppressed at the current size of the room. */
  of(room: string): Thinned[] {
    return (Object.keys(this.#limits) as Thinned[]).filter((kind) => this.suppresses(room, kind))
  }
}
