/** The shapes of load. A cell is a shape at a QoS over a transport: some rooms, some members in each. */
import type { Qos, Transport } from './wire.js'

export interface Cell {
  readonly name: string
  readonly rooms: number
  readonly members: number
  /** The first members of a room, who publish. */
  readonly speakers: number
  /** Only the last member of a room subscribes; all do otherwise. */
  readonly onlyLastListens: boolean
  readonly qos: Qos
  readonly transport: Transport
  /** Messages of a speaker under way at a time: the next one is published when the room's last member has received one. */
  readonly window: number
  readonly payloadBytes: number
  /** Where the rooms of this process begin. */
  readonly firstRoom: number
}

/** Bytes of a published payload: a JSON message. */
export const PAYLOAD_BYTES = 64

export const TRANSPORT_NAMES = { tcp: 'TCP', ws: 'WebSocket' } as const

const DEFAULTS = { speakers: 1, onlyLastListens: false, window: 8, payloadBytes: PAYLOAD_BYTES, firstRoom: 0 }

export type Shape = Pick<Cell, 'rooms' | 'members'> & Partial<Cell> & { readonly name: string }

/** A shape at both QoS, over both transports. */
export function cellsOf(shapes: readonly Shape[]): Cell[] {
  return (['tcp', 'ws'] as const).flatMap((transport) =>
    shapes.flatMap((shape) =>
      ([0, 1] as const).map((qos) => ({
        ...DEFAULTS,
        ...shape,
        name: `${shape.name} QoS ${qos} ${TRANSPORT_NAMES[transport]}`,
        qos,
        transport,
      })),
    ),
  )
}

export function topicOf(room: number): string {
  return `rooms/room-${room}/messages`
}

/** The user behind a member of a room; all are different people. */
export function userOf(cell: Pick<Cell, 'members'>, room: number, member: number): string {
  return userName(room * cell.members + member)
}

export function userName(index: number): string {
  return `user-${index}`
}

export function userNames(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, i) => userName(first + i))
}

/** All users of a cell. */
export function usersOf({ rooms, members, firstRoom }: Cell): string[] {
  return userNames(rooms * members, firstRoom * members)
}
