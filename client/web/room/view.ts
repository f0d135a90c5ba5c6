/** A room, or one thread of it, as it is shown: what its rows and its composer share. */
import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Item, Room } from '../../index.js'
import { type About, aboutOf } from '../state/about.js'
import { navigate, pathTo } from '../state/router.js'

export class View {
  readonly room: Room
  /** The message that began the thread; null: it is the room. */
  readonly thread: number | null
  /** Who is logged in. */
  readonly me: string
  /** What the timeline shows. */
  readonly items = signal<readonly Item[]>([])
  /** The seq of a message that was asked for and is not here; null: there is none. */
  readonly missed = signal<number | null>(null)
  /** The message of the thread that was asked for last; another object each time. */
  readonly asked = signal<{ readonly seq: number } | null>(null)
  /** What the composer is about. */
  readonly about: Signal<About | null>
  /** What the timeline shows of messages that are in the room, by seq. */
  readonly bySeq: ReadonlySignal<ReadonlyMap<number, Item>>

  constructor(room: Room, me: string, thread: number | null = null) {
    this.room = room
    this.me = me
    this.thread = thread
    this.about = aboutOf(me, room.id, thread)
    this.bySeq = computed(() => {
      const inRoom = this.items.value.filter((item) => item.kind !== 'gap' && item.message.seq > 0)
      return new Map(inRoom.map((item) => [(item as Exclude<Item, { kind: 'gap' }>).message.seq, item]))
    })
  }

  /** Tells its composer from those of other rooms and threads. */
  get place(): string {
    return this.thread === null ? this.room.id : `${this.room.id}/${this.thread}`
  }

  /** Moderators change what others wrote, and pin. */
  get isModerator(): boolean {
    return ['owner', 'admin', 'moderator'].includes(this.room.info.current?.role ?? '')
  }

  /** Goes to a message: in a thread within that; in the room «back» leads to where the reader was. */
  show(seq: number): void {
    if (this.thread === null) this.showInRoom(seq)
    else this.asked.value = { seq }
  }

  showInRoom(seq: number): void {
    navigate(pathTo('message', { room: this.room.id, seq }))
  }
}

const Context = createContext<View | null>(null)

export const ViewProvider = Context.Provider

/** Of everything in a room. */
export function useView(): View {
  const view = useContext(Context)
  if (!view) throw new Error('no room is shown')
  return view
}
