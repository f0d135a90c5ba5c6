/** A chat of lines: each message is one line out, nothing is ever drawn over. For pipes, dumb terminals and screen readers. */
import { directMembers } from '../../schemas/ids.js'
import { type Chat, ChatError, type Item, type Outgoing, type Room, type Status } from '../node/index.js'
import { obey } from './commands.js'
import { type Completion, complete } from './completion.js'
import { type ConnectionOptions, clientFor, filesHindrance, firstConnection, reasonOf } from './connection.js'
import { type Desk, outgoingText, type Progress, type Where } from './desk.js'
import { type Input, parseInput } from './input.js'
import { LineFeeds } from './line-feeds.js'
import { messagesAt } from './line-pages.js'
import { type Message, messageLine } from './lines.js'
import { Names } from './names.js'
import { type News, newsLine } from './news.js'
import { printable } from './printable.js'
import { Quarters } from './quarters.js'
import { enter, nameOf, roomIdOf } from './rooms.js'
import { tellInvitations, tellStorage } from './tellings.js'
import { emptied, within } from './waiting.js'

export interface LineChatOptions extends ConnectionOptions {
  /** A room, or `@user` for a direct conversation. */
  readonly room: string
  readonly lines: AsyncIterable<string>
  /** Somebody reads: what is printed counts as read. */
  readonly isRead?: boolean
  /** Told once what Tab makes of a line up to the cursor. */
  completing?(complete: (line: string) => Completion | null): void
  /** Prints a line of chat. */
  print(line: string): void
  /** Prints a status line: connection, refusals, answers to commands. */
  printStatus(line: string): void
}

/** Messages that are shown of a room when it is opened. */
const SHOWN = 20
/** Messages on their way; beyond it input waits. */
const MOST_OUTGOING = 64
/** Ms. */
const ANY_TIME = 2 ** 31 - 1
const ECHO_TIMEOUT = 2_000
/** For something of what is on its way to move. */
const LAST_ANSWERS_TIMEOUT = 30_000

/** Chats until the input ends or the user quits. Resolves with true if every line was accepted. Rejects with an error that says why there is no chat. */
export async function lineChat(options: LineChatOptions): Promise<boolean> {
  const chat = clientFor(options)
  try {
    await firstConnection(chat, options.url)
    const lines = new LineChat(chat, options)
    try {
      return await lines.run()
    } finally {
      lines.stop()
    }
  } finally {
    await chat.close()
  }
}

class LineChat implements Desk {
  readonly chat: Chat
  readonly me: string
  readonly filesHindrance: string | null
  readonly #options: LineChatOptions
  readonly #say: (line: string) => void
  readonly #feeds: LineFeeds
  readonly #names: Names
  readonly #stops: (() => void)[]
  readonly #handled = new WeakSet<Outgoing>()
  /** Of what was sent, the last seq by room: its echo is awaited before the end. */
  readonly #sent = new Map<string, number>()
  /** Aborted when the chat is over: the user quits, or the login is. */
  readonly #over = new AbortController()
  #fault: Error | null = null
  /** Lines that were not accepted, here or by the broker. */
  #refused = 0
  #open: string
  #thread: number | null = null
  /** Of the file that is being saved; null: none is. */
  #saving: Quarters | null = null
  #stopMembers: () => void = () => {}
  #wasOnline = true
  /** Tells `#echoed` of what was printed. */
  #printed: () => void = () => {}

  constructor(chat: Chat, options: LineChatOptions) {
    this.chat = chat
    this.me = options.user
    this.filesHindrance = filesHindrance(options)
    this.#options = options
    this.#say = options.printStatus
    this.#open = roomIdOf(options.room, this.me) ?? options.room
    this.#names = new Names(chat, this.me)
    this.#feeds = new LineFeeds(chat, (room, news) => this.#print(room, news))
    this.#stops = [
      chat.status.subscribe((status) => this.#statusChanged(status)),
      chat.outbox.subscribe((outbox) => outbox.forEach((one) => void this.#watch(one))),
      chat.rooms.subscribe((rooms) => this.#feeds.update(rooms, this.#open)),
      tellStorage(chat, (text) => this.say(text)),
    ]
    options.completing?.((line) => complete(line, line.length, this.#names.candidates(this.room)))
    // What waits for a person is nothing to a pipe.
    if (options.isRead) this.#stops.push(tellInvitations(chat, this.me, (text) => this.say(text)))
  }

  get room(): Room {
    return this.chat.room(this.#open)
  }

  get items(): readonly Item[] {
    return this.#feeds.of(this.#open)?.items ?? []
  }

  get thread(): number | null {
    return this.#thread
  }

  get botCommands(): readonly string[] {
    return this.#names.botCommands(this.#open)
  }

  async run(): Promise<boolean> {
    for (const outgoing of this.chat.outbox.current) void this.#watch(outgoing)
    await this.open(this.#open)
    await this.#obeyLines()
    if (this.#fault) throw this.#fault
    return this.#waitForAnswers()
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.#stopMembers()
    this.#feeds.close()
  }

  progress(one: Progress | null): void {
    if (one) (this.#saving ??= this.#quarters()).at(one.what, one.done, one.total)
    else this.#saving = null
  }

  say(text: string): void {
    for (const line of text.split('\n')) this.#say(line)
  }

  /** Replies are printed whatever thread is open: it says where a line goes. */
  async open(room: string, { thread = null, at }: Where = {}): Promise<void> {
    await enter(this.chat, room, this.me)
    const shown = thread ?? at
    const messages = shown === undefined ? [] : await messagesAt(this.chat, room, { thread, at })
    if (room !== this.#open || thread !== this.#thread)
      this.say(`(${nameOf(room, this.me)}${thread === null ? '' : ` #${thread}`})`)
    const isFollowed = room === this.#open && this.#feeds.of(room)?.isBegun === true
    this.#thread = thread
    if (!isFollowed) await this.#follow(room, shown === undefined ? SHOWN : 0)
    this.#printPage(messages)
  }

  async #follow(room: string, count: number): Promise<void> {
    this.#feeds.end(this.#open)
    this.#open = room
    await this.#feeds.add(room).begin(count, this.#over.signal)
    if (this.#options.isRead) this.#learnNames()
  }

  /** So that Tab knows them. */
  #learnNames(): void {
    this.#stopMembers()
    this.#stopMembers = this.room.members.subscribe(() => {})
    void this.#names.learn(this.#open)
  }

  async showEarlier(count: number): Promise<void> {
    const items = (await this.#feeds.of(this.#open)?.earlier(count)) ?? []
    this.#printPage(items.flatMap((item) => (item.kind === 'message' ? [item.message] : [])))
  }

  #printPage(messages: readonly Message[]): void {
    const { items } = this
    for (const message of messages) this.#options.print(messageLine(message, { numbered: true, items }))
  }

  quit(): void {
    this.#over.abort()
  }

  #quarters(): Quarters {
    return new Quarters((text) => this.say(text))
  }

  async #obeyLines(): Promise<void> {
    const lines = this.#options.lines[Symbol.asyncIterator]()
    const { signal } = this.#over
    const over = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null)))
    while (!signal.aborted) {
      const line = await Promise.race([lines.next(), over])
      if (!line || line.done) return
      const input = parseInput(line.value)
      const isDone = await this.#obey(input)
      if (isDone && input.kind !== 'command' && this.chat.status.current.state !== 'online')
        this.say('(offline; this will be sent)')
      await within(ANY_TIME, this.chat.outbox, (outbox) => outbox.length < MOST_OUTGOING, signal)
    }
  }

  /** It waits while the outbox is full. Resolves with false if it was refused. */
  async #obey(input: Input): Promise<boolean> {
    const { outbox } = this.chat
    const { signal } = this.#over
    try {
      await obey(this, input)
      return true
    } catch (error) {
      const { length } = outbox.current
      if (isFull(error) && length > 0 && !signal.aborted) {
        await within(ANY_TIME, outbox, (now) => now.length < length, signal)
        return this.#obey(input)
      }
      this.#refused++
      this.say(printable((error as Error).message))
      return false
    }
  }

  /** Until all is sent, and was printed as others see it. */
  async #waitForAnswers(): Promise<boolean> {
    await emptied(LAST_ANSWERS_TIMEOUT, this.chat.outbox)
    const unanswered = this.chat.outbox.current.length
    if (unanswered > 0) this.say(`lines that were not answered: ${unanswered}`)
    await this.#echoed()
    return unanswered === 0 && this.#refused === 0
  }

  async #echoed(): Promise<void> {
    const shown = [...this.#sent].filter(([room]) => room === this.#open || directMembers(room))
    const isEchoed = (): boolean => shown.every(([room, seq]) => this.#feeds.told(room) >= seq)
    if (isEchoed()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ECHO_TIMEOUT)
      this.#printed = () => {
        if (!isEchoed()) return
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #print(room: string, news: readonly News[]): void {
    const items = this.#feeds.of(room)?.items ?? []
    for (const one of news) {
      const line = newsLine(one, items)
      if (one.kind === 'message') this.#options.print(line)
      else if (room === this.#open) this.say(line)
    }
    if (this.#options.isRead) this.chat.room(room).read()
    this.#printed()
  }

  async #watch(outgoing: Outgoing): Promise<void> {
    if (this.#handled.has(outgoing)) return
    this.#handled.add(outgoing)
    const quarters = this.#quarters()
    const stop = outgoing.state.subscribe((state) => {
      if (state.at === 'uploading') quarters.at(`sending ${outgoingText(outgoing)}`, state.done, state.total)
    })
    try {
      const { room, seq } = await outgoing.sent
      // A message that changes another one has no line of its own.
      if (outgoing.input.target !== undefined || seq === 0) return
      this.#sent.set(room, Math.max(seq, this.#sent.get(room) ?? 0))
      if (room !== this.#open && !directMembers(room)) this.say(`sent to ${room}: ${outgoingText(outgoing)}`)
    } catch (error) {
      const { at } = outgoing.state.current
      if (at !== 'failed') return
      this.#refused++
      this.say(`not sent: ${printable((error as Error).message)} (${outgoingText(outgoing)})`)
      await outgoing.cancel().catch(() => {})
    } finally {
      stop()
    }
  }

  #statusChanged(status: Status): void {
    if (status.state === 'signedOut') {
      this.#fault = new Error(reasonOf(status.error))
      this.#over.abort()
    } else if (status.state === 'online') {
      if (!this.#wasOnline) this.say('(connected again)')
      this.#wasOnline = true
    } else if (this.#wasOnline && status.state !== 'closed') {
      this.#wasOnline = false
      this.say('(connection lost; trying again)')
    }
  }
}

/** What is sent leaves room for more. */
function isFull(error: unknown): boolean {
  return error instanceof ChatError && error.code === 'storage'
}
