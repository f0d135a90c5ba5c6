/** What the screen is to show. */
import type { RoomSummary, Status } from '../../node/index.js'
import type { Progress } from '../desk.js'
import { percentText } from '../lines.js'
import { excerpt } from '../printable.js'
import { nameOf, summaryText } from '../rooms.js'
import type { Composer } from './composer.js'
import type { Picture } from './frame.js'
import type { Layout } from './layout.js'
import { roomsBeside, sideOf } from './room-list.js'
import type { RoomView } from './room-view.js'
import { statusLine } from './status.js'
import type { Style } from './style.js'

export interface Scene {
  readonly layout: Layout
  readonly style: Style
  readonly me: string
  readonly isOnline: boolean
  readonly status: Status
  readonly view: RoomView
  readonly composer: Composer
  /** What is under way; null: nothing is. */
  readonly progress: Progress | null
  /** In the order of their numbers. */
  readonly rooms: readonly RoomSummary[]
}

/** Characters of a topic. */
const TOPIC = 80
/** Characters of what Tab has found. */
const CHOICE = 120

export function pictureOf(scene: Scene): Picture {
  const { layout, style, view, composer, me, isOnline } = scene
  const input = composer.row(placeOf(scene), layout.columns, style.signs.newline)
  return {
    layout,
    rows: view.visible({ width: layout.text, style, me, isOnline }, layout.region),
    side: sideOf({ ...scene, room: view.room.id }),
    status: statusOf(scene),
    input: input.text,
    cursor: input.column,
  }
}

function statusOf(scene: Scene): string {
  const { layout, rooms, view, composer, progress, me, style, status } = scene
  const { room } = view
  const beside = roomsBeside({ rooms, layout, room: room.id })
  const elsewhere = rooms.filter((one) => one.room !== room.id && !beside.includes(one))
  const parts = {
    place: placeOf(scene),
    topic: excerpt(room.info.current?.topic ?? '', TOPIC),
    status,
    typing: room.typing.current,
    receipt: view.receipt,
    progress: progress ? `${progress.what}, ${percentText(progress.done, progress.total)}` : '',
    isEarlier: view.isEarlier,
    others: elsewhere.filter((one) => one.unread + one.mentions > 0).map((one) => summaryText(one, me)),
    hint: composer.choices.map((choice) => excerpt(choice, CHOICE)).join(' '),
  }
  return statusLine(parts, layout.columns, style)
}

function placeOf({ view, me }: Scene): string {
  const name = nameOf(view.room.id, me)
  return view.thread === null ? name : `${name} #${view.thread}`
}
