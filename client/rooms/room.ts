/** One room, as an application works with it. */

import type { CommandParams, CommandResult } from '../../schemas/commands.js'
import type { Live } from '../base/live.js'
import { LiveValue } from '../base/live.js'
import type { Engine } from '../engine/engine.js'
import type { RoomState } from '../engine/room-state.js'
import type { Outgoing, SendInput, SendOptions } from '../outbox/outgoing.js'
import type { Members, People } from '../people/port.js'
import type { Receipts } from '../people/receipts.js'
import type { Signs } from '../people/signs.js'
import type { Methods } from '../requests/methods.js'
import type { Core } from './core.js'
import type { Reading } from './reading.js'
import { type Pending, Timeline, type TimelineOptions } from './timeline.js'

export type RoomInfo = RoomState['info']

/** What an edit puts in place of the content of a message. */
export type Content = Pick<SendInput, 'text' | 'attachments' | 'data' | 'mentions'>

/** A message: its seq, or its `cid` as long as it is on its way. */
export type Target = number | string

export interface RoomDeps {
  readonly engine: Engine
  readonly reading: Reading
  readonly signs: Signs
  /** Throws a `ChatError` if the client was made without. */
  people(): People
  readonly pending: Pending
  readonly core: Core
  readonly ask: Methods
  send(room: string, message: string | SendInput, options?: SendOptions): Outgoing
}

/**
 * Cheap: nothing is asked for, and the room need not exist. What is sent to it waits in the outbox, as with `chat.send`, which says what is
 * thrown; what returns a promise needs a connection, and rejects with a `ChatError`.
 */
export class Room {
  readonly id: string
  readonly #deps: RoomDeps
  readonly #info: LiveValue<RoomInfo | null>

  constructor(id: string, deps: RoomDeps) {
    this.id = id
    this.#deps = deps
    const { replica } = deps.engine
    this.#info = new LiveValue<RoomInfo | null>(replica.rooms.get(id)?.info ?? null)
    replica.subscribe((rooms) => {
      if (rooms.has(id)) this.#info.set(replica.rooms.get(id)?.info ?? null)
    })
  }

  /** For functions such as `messagesOf`. */
  get core(): Core {
    return this.#deps.core
  }

  /** Null: the user is not in it, or it is not known yet. */
  get info(): Live<RoomInfo | null> {
    return this.#info
  }

  /**
   * Who is typing, other users alone, while somebody subscribes to it: by user id, in the order in which they began, 20 at most. Empty in large
   * rooms, where the broker tells no names.
   */
  get typing(): Live<readonly string[]> {
    return this.#deps.signs.typing.get(this.id)
  }

  /** How far the others have come, asked for while somebody subscribes to it. In large rooms it is not known. */
  get receipts(): Live<Receipts> {
    return this.#deps.signs.receipts.get(this.id)
  }

  /** The members: the first 100 of them are asked for while somebody subscribes to it. */
  get members(): Live<Members> {
    return this.#deps.people().members(this.id)
  }

  /** Resolves when up to 100 more are in `members`. Rejects with a `ChatError` if they cannot be asked for. */
  moreMembers(): Promise<void> {
    return this.#deps.people().moreMembers(this.id)
  }

  /**
   * Tells the others that the user is typing, or not any more. To be called with each key: it is sent at most every 4 s, and ends by itself 5 s
   * after the last call, or when a message is sent to the room. Without a connection nothing happens.
   */
  setTyping(isTyping = true): void {
    this.#deps.signs.ownTyping.set(this.id, isTyping)
  }

  /** A window over its messages, until `dispose`. */
  timeline(options: TimelineOptions = {}): Timeline {
    return new Timeline(this.#deps.engine, this.#deps.pending, this.id, options)
  }

  send(message: string | SendInput, options?: SendOptions): Outgoing {
    return this.#deps.send(this.id, message, options)
  }

  /** Answers a message, which the answer refers to. */
  reply(seq: number, message: string | SendInput, options?: SendOptions): Outgoing {
    return this.send({ ...inputOf(message), replyTo: seq }, options)
  }

  edit(target: Target, content: string | Content): Outgoing {
    return this.send({ ...inputOf(content), type: 'edit', target })
  }

  /** Deletes a message. */
  remove(target: Target): Outgoing {
    return this.send({ type: 'delete', target })
  }

  react(target: Target, emoji: string, isOn = true): Outgoing {
    return this.send({ type: 'reaction', target, data: { emoji, ...(isOn ? {} : { remove: true }) } })
  }

  pin(target: Target, isOn = true): Outgoing {
    return this.send({ type: isOn ? 'pin' : 'unpin', target })
  }

  /** Sends a message of this room to another one: a room id, `dm:{a}:{b}`, or `@user`. */
  forward(seq: number, to: string): Outgoing {
    return this.#deps.send(to, { forward: { room: this.id, seq } })
  }

  /**
   * The user has read up to this message; left out: all of them. It is shown at once, and sent soon. `thread`: only in the thread that this
   * message began.
   */
  read(seq?: number, { thread }: { readonly thread?: number } = {}): void {
    const newest = seq ?? this.#deps.engine.replica.rooms.get(this.id)?.seq
    if (newest !== undefined) this.#deps.reading.read(this.id, newest, thread)
  }

  /** This message and those after it count as unread, until they are read again. */
  async markUnread(seq: number): Promise<void> {
    await this.#deps.reading.settle(this.id)
    await this.#deps.ask.markUnread({ room: this.id, seq })
  }

  /** `link`: one that lets its holder in. */
  join(link?: string): Promise<CommandResult<'rooms.join'>> {
    return this.#deps.ask.rooms.join({ room: this.id, ...(link === undefined ? {} : { link }) })
  }

  async leave(): Promise<void> {
    await this.#deps.ask.rooms.leave({ room: this.id })
  }

  /** Changes the user's own settings for the room; resolves with all of them. */
  settings(changes: Omit<CommandParams<'rooms.settings'>, 'room'>): Promise<CommandResult<'rooms.settings'>> {
    return this.#deps.ask.rooms.settings({ ...changes, room: this.id })
  }
}

export function inputOf(message: string | SendInput): SendInput {
  return typeof message === 'string' ? { text: message } : message
}
