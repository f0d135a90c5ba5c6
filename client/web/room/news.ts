/** From where on a room has messages that its reader has not seen yet: as it was when it was opened, and after each time without a connection. */
import { signal } from '@preact/signals'
import type { Chat } from '../../index.js'

export class News {
  /** The seq of the first of them; null: there is none, or it is not known yet. */
  readonly from = signal<number | null>(null)
  /** It is known what was missed. Before that nothing is read: what is shown is what the device had. */
  readonly isKnown = signal(false)
  readonly #chat: Chat
  readonly #room: string
  readonly #stops: (() => void)[]
  #unread = 0

  constructor(chat: Chat, room: string) {
    this.#chat = chat
    this.#room = room
    this.#stops = [chat.rooms.subscribe(this.#look), chat.status.subscribe(this.#look)]
    this.#look()
  }

  dispose(): void {
    for (const stop of this.#stops) stop()
  }

  /** Reading does not move it, nor does what comes while somebody looks. */
  readonly #look = (): void => {
    const summary = this.#chat.rooms.current.find(({ room }) => room === this.#room)
    if (!summary) return
    const { read, unread } = summary
    const isOnline = this.#chat.status.current.state === 'online'
    const isMissed = !isOnline && unread > this.#unread
    if (!this.isKnown.peek() || isMissed) this.from.value = unread > 0 ? read + 1 : null
    this.#unread = unread
    if (isOnline) this.isKnown.value = true
  }
}
