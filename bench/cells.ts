/** The shapes of load. A cell is a shape at a QoS: some rooms, some members in each, of whom the first one speaks. */
export interface Cell {
  readonly name: string
  readonly rooms: number
  readonly members: number
  readonly qos: 0 | 1
  /** Messages of a room under way at a time: the next one is published when the room's last member has received one. */
  readonly window: number
}

export const CELLS: readonly Cell[] = ([0, 1] as const).flatMap((qos) => [
  { name: `fan-out QoS ${qos}`, rooms: 1, members: 500, qos, window: 8 },
  { name: `pairs QoS ${qos}`, rooms: 200, members: 2, qos, window: 8 },
])

/** Bytes of a published payload: a JSON message. */
export const PAYLOAD_BYTES = 64

export const PAYLOAD = `{"text":"${'x'.repeat(PAYLOAD_BYTES - '{"text":""}'.length)}"}`

export function topicOf(room: number): string {
  return `rooms/room-${room}/messages`
}

/** The user behind a member of a room; all are different people. */
export function userOf(cell: Pick<Cell, 'members'>, room: number, member: number): string {
  return `user-${room * cell.members + member}`
}
