/** The rooms beside the messages. Pure. */
import type { RoomSummary } from '../../node/index.js'
import { marksText, nameOf } from '../rooms.js'
import type { Layout } from './layout.js'
import type { Style } from './style.js'
import { cut, padded } from './text.js'

/** `room`: the one that is open. */
export interface RoomList {
  /** In the order of their numbers. */
  readonly rooms: readonly RoomSummary[]
  readonly room: string
  readonly me: string
  readonly layout: Layout
  readonly style: Style
}

/** Those that fit beside the messages, the open one among them. */
export function roomsBeside({ rooms, room, layout }: Omit<RoomList, 'me' | 'style'>): readonly RoomSummary[] {
  const first = firstBeside({ rooms, room, layout })
  return layout.side === 0 ? [] : rooms.slice(first, first + layout.region)
}

/** A text for each row, with the line between them and the messages. */
export function sideOf(list: RoomList): string[] {
  const { room, layout, style } = list
  if (layout.side === 0) return []
  const first = firstBeside(list)
  return Array.from({ length: layout.region }, (_, i) => {
    const one = list.rooms[first + i]
    const text = one ? entryOf(one, first + i + 1, list) : ''
    // What was there is erased before: after the last column that would be the end of the text.
    return `\x1b[K${style.dim(style.signs.vertical)}${one?.room === room ? style.bold(text) : text}`
  })
}

function firstBeside({ rooms, room, layout }: Omit<RoomList, 'me' | 'style'>): number {
  return Math.max(0, rooms.findIndex((one) => one.room === room) + 1 - layout.region)
}

/** Of a long name that is cut which leaves what is unread its place. */
function entryOf(summary: RoomSummary, number: number, { room, me, layout: { side }, style }: RoomList): string {
  const head = `${summary.room === room ? '>' : ' '}${number < 10 ? number : ' '} `
  const marks = marksText(summary)
  const tail = marks === '' ? '' : ` ${marks}`
  const { more } = style.signs
  return padded(head + cut(nameOf(summary.room, me), side - head.length - tail.length, more) + tail, side, more)
}
