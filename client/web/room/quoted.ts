/** Messages that are answered: from the timeline if it shows them, as they are now; else asked for, those of a room at once. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { LoggedMessage } from '../../../schemas/commands/shown-message.js'
import type { Chat } from '../../index.js'
import { ofChat } from '../state/of-chat.js'

/** Null: it is not known yet; `missing`: there is no such message any more. */
export type Quoted = LoggedMessage | 'missing' | null

/** Those that are remembered. */
const MOST = 300
/** Those that the broker gives at once. */
const PAGE = 50

interface Known {
  readonly room: string
  readonly seq: number
  readonly quoted: Signal<Quoted>
  isShown: boolean
}

export class QuotedMessages {
  readonly #chat: Chat
  /** By room and seq; what was looked at last comes last. */
  readonly #known = new Map<string, Known>()
  /** What is about to be asked for, by room. */
  readonly #wanted = new Map<string, Set<number>>()

  /** As long as the client. */
  constructor(chat: Chat) {
    this.#chat = chat
    chat.on('change', ({ room, target, type }) => {
      const key = `${room}/${target}`
      const known = this.#known.get(key)
      if (known && (type === 'edit' || type === 'delete')) this.#renew(key, known)
    })
    chat.status.subscribe(({ state }) => {
      // What has become of them without a connection is not told.
      if (state === 'online') for (const [key, known] of this.#known) this.#renew(key, known)
    })
  }

  /** It is asked for when it is shown. */
  of(room: string, seq: number): ReadonlySignal<Quoted> {
    const key = `${room}/${seq}`
    const known = this.#known.get(key) ?? this.#make(room, seq)
    this.#known.delete(key)
    this.#known.set(key, known)
    if (this.#known.size > MOST) this.#known.delete(this.#known.keys().next().value!)
    return known.quoted
  }

  #make(room: string, seq: number): Known {
    const quoted = signal<Quoted>(null, {
      watched: () => {
        made.isShown = true
        if (quoted.peek() === null) this.#want(room, seq)
      },
      unwatched: () => {
        made.isShown = false
      },
    })
    const made: Known = { room, seq, quoted, isShown: false }
    return made
  }

  #renew(key: string, { room, seq, isShown }: Known): void {
    if (isShown) this.#want(room, seq)
    else this.#known.delete(key)
  }

  #want(room: string, seq: number): void {
    const before = this.#wanted.get(room)
    if (before) return void before.add(seq)
    const wanted = new Set([seq])
    this.#wanted.set(room, wanted)
    queueMicrotask(() => {
      this.#wanted.delete(room)
      // Those without an answer are asked for with the next connection, or when they are shown again.
      if (this.#chat.status.current.state === 'online') this.#ask(room, [...wanted]).catch(() => {})
    })
  }

  async #ask(room: string, seqs: readonly number[]): Promise<void> {
    for (let left = seqs; left.length > 0; ) {
      const asked = left.slice(0, PAGE)
      const { messages, more } = await this.#chat.ask.history({ room, view: 'folded', seqs: asked })
      const found = new Map(messages.map((message) => [message.seq, message]))
      // A page of long messages may not have all of them.
      const answered = asked.filter((seq) => found.has(seq) || !more || found.size === 0)
      for (const seq of answered) {
        const known = this.#known.get(`${room}/${seq}`)
        if (known) known.quoted.value = found.get(seq) ?? 'missing'
      }
      left = left.filter((seq) => !answered.includes(seq))
    }
  }
}

export const quotedMessages = ofChat((chat) => new QuotedMessages(chat))
