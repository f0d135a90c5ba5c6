/** The chat on a whole screen: messages that scroll, the rooms beside them, a status line, and the line being typed. */
import type { Key } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import { isDirectRoom } from '../../../schemas/ids.js'
import { type Chat, type Drafts, draftsOf, type RoomSummary } from '../../node/index.js'
import { type ConnectionOptions, clientFor, filesHindrance, reasonOf } from '../connection.js'
import type { Desk, Progress, Where } from '../desk.js'
import { Names } from '../names.js'
import { printable } from '../printable.js'
import { enter, isEntered, nameOf, roomIdOf } from '../rooms.js'
import { tellInvitations, tellStorage } from '../tellings.js'
import { act } from './actions.js'
import { Composer } from './composer.js'
import { Departures } from './departures.js'
import { Ending } from './ending.js'
import { Entries } from './entries.js'
import type { Picture } from './frame.js'
import type { Action } from './keys.js'
import { layoutOf } from './layout.js'
import { Painter } from './painter.js'
import { pictureOf } from './picture.js'
import { RoomNumbers } from './room-numbers.js'
import { RoomView } from './room-view.js'
import type { Style } from './style.js'
import { Terminal } from './terminal.js'

export interface ScreenChatOptions extends ConnectionOptions {
  /** A room, or `@user` for a direct conversation. */
  readonly room: string
  readonly input: ReadStream
  readonly output: WriteStream
  readonly style: Style
  /** Mentions ring the bell. */
  readonly bell: boolean
}

/** Chats until the user quits. Resolves with the number of messages that were not sent, and whether they are there the next time. Rejects with an error if the login is over. */
export async function screenChat(options: ScreenChatOptions): Promise<{ unsent: number; isKept: boolean }> {
  const chat = clientFor(options)
  const drafts = draftsOf(chat)
  const screen = new ScreenChat(chat, drafts, options)
  try {
    return { unsent: await screen.run(), isKept: isKept(chat, options) }
  } finally {
    screen.close()
    await drafts.dispose()
    await chat.close()
  }
}

function isKept({ storageError }: Chat, { store }: ScreenChatOptions): boolean {
  return store !== undefined && storageError.current === null
}

class ScreenChat {
  readonly chat: Chat
  readonly me: string
  readonly #options: ScreenChatOptions
  readonly #terminal: Terminal
  readonly #painter: Painter
  readonly #composer: Composer
  readonly #entries: Entries
  readonly #ending: Ending
  readonly #stops: (() => void)[]
  readonly #over = new AbortController()
  readonly #numbers: RoomNumbers
  readonly #names: Names
  #view: RoomView
  #mentions = 0
  /** Of what is under way; null: nothing is. */
  #progress: Progress | null = null
  #fault: Error | null = null

  constructor(chat: Chat, drafts: Drafts, options: ScreenChatOptions) {
    this.chat = chat
    this.me = options.user
    this.#options = options
    this.#numbers = new RoomNumbers(chat)
    this.#names = new Names(chat, this.me)
    this.#painter = new Painter({ terminal: () => this.#terminal, picture: () => this.#picture() })
    const place = { room: roomIdOf(options.room, this.me) ?? options.room, thread: null }
    this.#composer = new Composer(
      {
        entered: (line, target) => this.#entered(line, target),
        typing: () => this.#view.room.setTyping(),
        changed: () => this.#changed(),
      },
      drafts,
      place,
    )
    this.#entries = new Entries({
      composer: this.#composer,
      view: () => this.#view,
      desk: (mayShow) => this.#desk(mayShow),
      say: (text) => this.#say(text),
    })
    this.#ending = new Ending({
      ...{ chat, isKept: () => isKept(chat, options), over: this.#over },
      say: (text) => this.#say(text),
    })
    this.#terminal = new Terminal(options.input, options.output, {
      key: (text, key) => this.#pressed(text, key),
      lost: () => this.#painter.redraw(),
      closed: () => this.#over.abort(),
      farewell: () => this.#painter.farewell(),
    })
    this.#view = this.#viewOf(place.room, place.thread)
    this.#stops = [
      chat.status.subscribe(() => this.#statusChanged()),
      chat.rooms.subscribe((rooms) => this.#roomsChanged(rooms)),
      this.#followOutbox(),
      tellInvitations(chat, this.me, (text) => this.#tell(text)),
      tellStorage(chat, (text) => this.#tell(text)),
    ]
  }

  /** Resolves with the number of messages that were not sent. */
  async run(): Promise<number> {
    this.#terminal.open()
    this.#painter.redraw()
    this.#say('/help lists what there is to type; Tab completes')
    void this.#begin()
    const { signal } = this.#over
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    if (this.#fault) throw this.#fault
    return this.#ending.settled()
  }

  /** A second call does nothing. */
  close(): void {
    for (const stop of this.#stops) stop()
    this.#painter.close()
    this.#view.end()
    this.#composer.close()
    this.#terminal.close()
  }

  /** Of a line: it is about the room that is open now, also if another one is later. */
  #desk(mayShow: () => boolean): Desk {
    const { chat, me } = this
    const { room, thread, items } = this.#view
    return {
      ...{ chat, me, room, thread, items, botCommands: this.#names.botCommands(room.id) },
      filesHindrance: filesHindrance(this.#options),
      say: (text) => this.#say(text),
      progress: (one) => this.#tellProgress(one),
      open: (id, where = {}) => this.#open(id, where, mayShow),
      showEarlier: () => this.#page(-1),
      quit: () => void this.#ending.quit(),
    }
  }

  #say(text: string): void {
    this.#view.say(text)
    this.#changed()
  }

  #tell(text: string): void {
    this.#view.tell(text)
    this.#changed()
  }

  #tellProgress(progress: Progress | null): void {
    this.#progress = progress
    this.#changed()
  }

  async #open(room: string, { thread = null, at }: Where, mayShow: () => boolean): Promise<void> {
    if (!isEntered(this.chat, room)) await enter(this.chat, room, this.me)
    if (mayShow()) {
      this.#show(room, thread)
      if (at !== undefined) await this.#lookAt(at)
      return
    }
    const number = this.#numbers.of(room)
    const name = nameOf(room, this.me)
    this.#say(`${name} is ready: ${number !== null && number < 10 ? `Alt-${number}` : `/join ${name}`} opens it`)
  }

  #show(room: string, thread: number | null = null): void {
    const { id } = this.#view.room
    if (room === id && thread === this.#view.thread) return
    this.#composer.open({ room, thread })
    this.#view.end()
    this.#view = this.#viewOf(room, thread)
    this.#changed()
    void this.#names.learn(room)
  }

  async #lookAt(seq: number): Promise<void> {
    await this.#view.lookAt(seq, this.#rowsOptions, this.#layout.region)
    this.#changed()
  }

  async #begin(): Promise<void> {
    try {
      await this.chat.connect()
      await enter(this.chat, this.#view.room.id, this.me)
      await this.#names.learn(this.#view.room.id)
    } catch (error) {
      if (!this.#over.signal.aborted) this.#say(printable((error as Error).message))
    }
  }

  #viewOf(room: string, thread: number | null): RoomView {
    const read = this.chat.rooms.current.find((one) => one.room === room)?.read ?? 0
    return new RoomView(this.chat.room(room), thread, read, () => this.#changed())
  }

  #statusChanged(): void {
    const status = this.chat.status.current
    if (status.state === 'signedOut') {
      this.#fault = new Error(reasonOf(status.error))
      this.#over.abort()
    }
    this.#changed()
  }

  #roomsChanged(rooms: readonly RoomSummary[]): void {
    const { id } = this.#view.room
    const wasIn = this.#numbers.of(id) !== null
    this.#numbers.update()
    if (wasIn && this.#numbers.of(id) === null && !isDirectRoom(id)) this.#tell(`you are in ${id} no more`)
    const mentions = rooms.reduce((sum, one) => sum + one.mentions, 0)
    if (mentions > this.#mentions && this.#options.bell) this.#terminal.write('\x07')
    this.#mentions = mentions
    this.#changed()
  }

  /** Who sends a message sees it. */
  #followOutbox(): () => void {
    const departures = new Departures({
      me: this.me,
      shows: (outgoing) => this.#view.shows(outgoing),
      began: () => void this.#view.follow().catch(() => {}),
      changed: () => this.#changed(),
      say: (text) => this.#tell(text),
    })
    return this.chat.outbox.subscribe((outbox) => {
      if (outbox.length === 0) this.#ending.goOn()
      departures.watch(outbox)
    })
  }

  #pressed(text: string | undefined, key: Key): void {
    const action = this.#composer.pressed(text, key)
    if (action) this.#act(action).catch((error: Error) => this.#say(printable(error.message)))
    this.#changed()
  }

  async #act(action: Action): Promise<void> {
    await act(action, {
      ...{ composer: this.#composer, ending: this.#ending, names: this.#names, numbers: this.#numbers },
      ...{ painter: this.#painter, terminal: this.#terminal, view: this.#view },
      show: (room) => this.#show(room),
      page: (direction) => this.#page(direction),
    })
    this.#changed()
  }

  #entered(line: string, target: number | null): void {
    if (line.trim() !== '/quit') this.#ending.goOn()
    void this.#entries.enter(line, target).then(() => this.#changed())
  }

  async #page(direction: -1 | 1): Promise<void> {
    await this.#view.page(direction, this.#rowsOptions, this.#layout.region)
    this.#changed()
  }

  #changed(): void {
    this.#painter.changed()
  }

  /** Who has the newest messages before them has read them. */
  #seen(): void {
    const { thread, room, isEarlier } = this.#view
    if (!isEarlier) room.read(undefined, thread === null ? {} : { thread })
  }

  #picture(): Picture {
    const picture = pictureOf({
      ...this.#rowsOptions,
      layout: this.#layout,
      view: this.#view,
      composer: this.#composer,
      rooms: this.#numbers.summaries,
      status: this.chat.status.current,
      progress: this.#progress,
    })
    // What is gone may have brought the newest messages before the user.
    this.#seen()
    return picture
  }

  get #layout() {
    return layoutOf(this.#terminal.size)
  }

  get #rowsOptions() {
    const isOnline = this.chat.status.current.state === 'online'
    return { style: this.#options.style, me: this.me, isOnline, width: this.#layout.text }
  }
}
