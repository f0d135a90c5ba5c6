/** The numbers of rooms, by which keys open them: in the order of the first list, then as they came. */
import type { Chat, RoomSummary } from '../../node/index.js'

export class RoomNumbers {
  readonly #chat: Pick<Chat, 'rooms'>
  #order: readonly string[] = []

  constructor(chat: Pick<Chat, 'rooms'>) {
    this.#chat = chat
  }

  /** In the order of their numbers. */
  get summaries(): RoomSummary[] {
    const rooms = new Map(this.#chat.rooms.current.map((one) => [one.room, one]))
    return this.#order.flatMap((room) => rooms.get(room) ?? [])
  }

  /** Those that have left give their number to the next one. */
  update(): void {
    const rooms = this.#chat.rooms.current.map(({ room }) => room)
    const order = this.#order.filter((room) => rooms.includes(room))
    this.#order = [...order, ...rooms.filter((room) => !order.includes(room))]
  }

  /** From 1; null: it has none. */
  of(room: string): number | null {
    const index = this.#order.indexOf(room)
    return index < 0 ? null : index + 1
  }

  /** Undefined: no room has it. */
  at(number: number): string | undefined {
    return this.#order[number - 1]
  }

  /** The room `by` places further on; after the last one comes the first. */
  beside(room: string, by: -1 | 1): string | undefined {
    const { length } = this.#order
    return this.#order[(this.#order.indexOf(room) + by + length) % length]
  }
}
