/** What large rooms are spared: what every member would be told of every other grows with the square of their number. */
import type { Thinned } from '../../../schemas/commands/parts.js'
import type { DirectoryStore } from '../../store/directory.js'

export interface LargeRoomOptions {
  /** Rooms of more members are told of neither presence nor, by name, of typing. */
  readonly thinAbove: number
  /** Rooms of more members are told of no receipts. */
  readonly receipts: number
}

export class LargeRoomPolicy {
  readonly #directory: Pick<DirectoryStore, 'members'>
  readonly #limits: Record<Thinned, number>

  constructor(directory: Pick<DirectoryStore, 'members'>, { thinAbove, receipts }: LargeRoomOptions) {
    this.#directory = directory
    this.#limits = { presence: thinAbove, typing: thinAbove, receipts }
  }

  thins(room: string, kind: Thinned): boolean {
    return this.#directory.members(room).size > this.#limits[kind]
  }

  /** All that is thinned in a room of the size it has now. */
  of(room: string): Thinned[] {
    return (Object.keys(this.#limits) as Thinned[]).filter((kind) => this.thins(room, kind))
  }
}
