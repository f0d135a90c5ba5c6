/** Timelines of the rooms that were shown last. Who comes back sees their messages at once: to read them from the device takes longer than to show them. */
import type { Chat, Timeline } from '../../index.js'
import { ofChat } from '../state/of-chat.js'

/** Each reads its window again when something happens in its room. */
const MOST = 5
/** Items of one. Who comes back does not wait until more than that are shown. */
const MOST_ITEMS = 120

export class KeptTimelines {
  readonly #chat: Chat
  /** By room; the one that was left last comes last. */
  readonly #kept = new Map<string, Timeline>()

  constructor(chat: Chat) {
    this.#chat = chat
  }

  /** From now on it is the caller's; null: there is none that shows what a reader who comes back begins with. */
  take(room: string): Timeline | null {
    const timeline = this.#kept.get(room)
    this.#kept.delete(room)
    if (timeline && this.#isOfUse(room, timeline)) return timeline
    timeline?.dispose()
    return null
  }

  /** It is not shown any more. */
  keep(room: string, timeline: Timeline): void {
    this.#kept.get(room)?.dispose()
    this.#kept.delete(room)
    if (!this.#isOfUse(room, timeline)) return timeline.dispose()
    this.#kept.set(room, timeline)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size <= MOST) return
    this.#kept.get(oldest!)!.dispose()
    this.#kept.delete(oldest!)
  }

  /** It has all from where the reader left off. */
  #isOfUse(room: string, { items: { current: items }, state: { current: state } }: Timeline): boolean {
    const [first] = items
    const summary = this.#chat.rooms.current.find((one) => one.room === room)
    if (!summary || !first || first.kind === 'gap' || items.length > MOST_ITEMS) return false
    if (state.newer !== 'end' || items.some(({ kind }) => kind === 'gap')) return false
    return state.older === 'end' || first.message.seq <= summary.read
  }
}

export const keptTimelines = ofChat((chat) => new KeptTimelines(chat))
