/** Forwards: messages with the present content of another message, and its author. */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom } from '../../../schemas/ids.js'
import type { Forwarded, MessageInput, MessageOutput } from '../../../schemas/message.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import { applyEdit } from '../history/folded.js'
import { readState } from '../history/message-state.js'
import type { Actor } from '../model/actor.js'
import { type CheckedMessage, type Content, forwarded } from '../model/message.js'
import { logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'
import type { References } from './references.js'

export interface ForwardingDeps {
  readonly store: Pick<Store, 'directory' | 'log' | 'notes'>
  readonly rules: RoomRules
  readonly references: References
}

export class Forwarding {
  readonly #deps: ForwardingDeps

  constructor(deps: ForwardingDeps) {
    this.#deps = deps
  }

  /**
   * Fills a forward into room `to` with the content of its source, which the actor must be able to read. It expires no later than the
   * source. @throws Refusal
   */
  async fill(actor: Actor, to: string, message: CheckedMessage, { room, seq }: Forward): Promise<CheckedMessage> {
    const from = this.#readable(actor, room)
    const { entry, message: origin } = await this.#deps.references.find(actor, from, seq, 'forward.seq')
    if (!origin) throw new Refusal('not_found', `message ${seq} is gone`, { field: 'forward.seq' })
    const content = contentFields(await this.#presentContent(from, entry, origin))
    const source = (origin as MessageOutput).forwarded ?? this.#source(from, to, entry)
    return forwarded(message, content, source, limitedTtl(entry, message.ttl))
  }

  #readable(actor: Actor, room: string): string {
    try {
      return this.#deps.rules.requireMember(actor, this.#deps.rules.resolve(actor, room)).room
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      throw new Refusal(error.code, error.message, { field: 'forward.room' })
    }
  }

  /** The content of the source after its last edit. */
  async #presentContent(room: string, { seq }: LogEntry, origin: MessageInput): Promise<MessageInput> {
    const log = logs.messages(room)
    const state = readState(await this.#deps.store.notes.get(log, 'state', seq))
    if (state.edits === 0) return origin
    const [edit] = await this.#deps.store.log.read(log, state.edited - 1, 1, 1)
    if (edit?.seq === state.edited) applyEdit(origin, JSON.parse(edit.payload.toString('utf8')))
    return origin
  }

  /**
   * Author and time of the source. Room and seq are included only if all receivers may know of the room: a public room, or the room
   * forwarded into.
   */
  #source(room: string, to: string, { seq, from, ts }: LogEntry): Forwarded {
    const known = !isDirectRoom(room) && this.#deps.store.directory.room(room)?.access === 'public'
    return { from, ts, ...(known || room === to ? { room, seq } : {}) }
  }
}

/** The content fields of a message. */
function contentFields({ type, text, attachments, data }: MessageInput): Content & Pick<MessageInput, 'type'> {
  return {
    ...(type === undefined ? {} : { type }),
    ...(text === undefined ? {} : { text }),
    ...(attachments === undefined ? {} : { attachments }),
    ...(data === undefined ? {} : { data }),
  }
}

type Forward = NonNullable<MessageInput['forward']>

/** The ttl in seconds, at most the remaining life of the source. */
function limitedTtl({ extra }: LogEntry, ttl: number | null): number | null {
  const end = extra?.expiresAt ?? 0
  if (end === 0) return ttl
  return Math.min(ttl ?? Number.POSITIVE_INFINITY, Math.max(0, end - Date.now()) / 1000)
}

/** Whether the entry is a forward of something that `user` wrote. */
export function isForwardOf({ payload }: Pick<LogEntry, 'payload'>, user: string): boolean {
  if (!payload.includes('"forwarded":')) return false
  return (JSON.parse(payload.toString('utf8')) as MessageOutput).forwarded?.from === user
}
