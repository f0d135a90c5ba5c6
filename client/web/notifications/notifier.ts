/**
 * Notifications of the system, by one tab of the browser. Of what, the broker says: it counts the messages that notify, by the settings of the user
 * and of the room, so that all apps of the user agree.
 */
import type { CommandResult } from '../../../schemas/commands.js'
import type { Chat, ChatEvents, RoomSummary } from '../../index.js'
import { isQuiet, quietHours } from '../state/notifying.js'
import { removeNotifications, removeRead, showNotification } from './shown.js'
import { ended, isWatched, watch } from './watched.js'

type Message = ChatEvents['message']
type Counts = CommandResult<'unread'>['rooms'][number]

/** Ms for which messages and what is read are gathered, so that many messages of a room are one notification. */
const GATHER = 700
/** Rooms that are told of at most when a connection is there again; the others are in the list. */
const MOST_MISSED = 20
/** So many messages that notify, or more: the broker counts no further. */
const MOST_COUNTED = 100

/** Until `end`. */
export function startNotifier(user: string, chat: Chat, end: AbortSignal): void {
  watch(user, end)
  const follow = async (): Promise<void> => {
    const notifier = new Notifier(user, chat)
    await ended(end)
    await notifier.stop()
  }
  // The others wait for its turn; whoever logs out while waiting has none.
  navigator.locks.request(`topictalk-notifier:${user}`, { signal: end }, follow).catch(() => {})
}

/** What was known of a room at the last look. */
interface Known {
  /** The seq of its newest message then. */
  readonly head: number
  readonly read: number
  /** How many messages since `read` notify. */
  readonly notify: number
}

class Notifier {
  readonly #user: string
  readonly #chat: Chat
  readonly #stops: readonly (() => void)[]
  /** The newest message of each room, of those that came since the last look. */
  readonly #gathered = new Map<string, Message>()
  /** By room; what was never unread is missing. */
  readonly #known = new Map<string, Known>()
  /** It is known what was unread at the beginning. */
  #isBegun = false
  #timer: ReturnType<typeof setTimeout> | null = null

  constructor(user: string, chat: Chat) {
    this.#user = user
    this.#chat = chat
    this.#stops = [
      chat.on('message', this.#hear),
      chat.rooms.subscribe(this.#lookSoon),
      chat.status.subscribe(({ state }) => {
        if (state === 'online') this.#connected()
      }),
    ]
    if (chat.status.current.state === 'online') this.#connected()
  }

  /** Nothing of the user stays on the screen. */
  async stop(): Promise<void> {
    for (const stop of this.#stops) stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    await removeNotifications()
  }

  /** What was unread before is not told; what came without a connection is. */
  #connected(): void {
    if (this.#isBegun) this.#addMissed()
    // Without an answer the next connection asks again.
    else this.#lookAround().catch(() => {})
  }

  async #lookAround(): Promise<void> {
    const { rooms } = await this.#chat.ask.unread({ limit: 1000 })
    for (const counts of rooms) if (counts.notify && !this.#known.has(counts.room)) this.#know(counts)
    this.#isBegun = true
  }

  #addMissed(): void {
    const unread = this.#chat.rooms.current.filter(({ unread }) => unread > 0).slice(0, MOST_MISSED)
    for (const { last } of unread) if (last && !('gone' in last)) this.#hear(last)
  }

  readonly #hear = (message: Message): void => {
    if (message.from === this.#user) return
    this.#gathered.set(message.room, message)
    this.#lookSoon()
  }

  readonly #lookSoon = (): void => {
    this.#timer ??= setTimeout(this.#look, GATHER)
  }

  readonly #look = (): void => {
    this.#timer = null
    const messages = new Map(this.#gathered)
    this.#gathered.clear()
    // Without an answer, as when the connection is lost, nothing is told: what is unread is counted in the list.
    for (const message of messages.values()) this.#tellOf(message).catch(() => {})
    const rooms = this.#chat.rooms.current
    for (const summary of rooms) if (!messages.has(summary.room)) this.#follow(summary).catch(() => {})
    removeRead(rooms).catch(() => {})
  }

  /** What was read, here or elsewhere, is told no more, and what is left is counted anew: the next message is one more than that. */
  async #follow({ room, read }: RoomSummary): Promise<void> {
    const known = this.#known.get(room)
    if (!known || known.read === read) return
    this.#known.delete(room)
    if (known.notify === 0) return
    const now = await this.#count(room)
    if (now && !this.#gathered.has(room)) this.#know(now)
  }

  async #tellOf(message: Message): Promise<void> {
    const { room, seq } = message
    const now = await this.#count(room)
    if (!now || now.read >= seq) return
    const before = this.#known.get(room)
    const { notify } = this.#know({ ...now, head: seq })
    const isNew = !before || seq > before.head
    const isMore = notify >= MOST_COUNTED || notify > (before?.read === now.read ? before.notify : 0)
    if (!isNew || !isMore || isQuiet(quietHours.peek(), new Date()) || (await isWatched(this.#user, room))) return
    await showNotification(this.#user, this.#chat, message)
  }

  async #count(room: string): Promise<Counts | undefined> {
    return (await this.#chat.ask.unread({ room })).rooms[0]
  }

  #know({ room, head, read, notify = 0 }: Counts): Known {
    const known = { head, read, notify }
    this.#known.set(room, known)
    return known
  }
}
