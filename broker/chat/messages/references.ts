/** Checks what a message refers to: mentioned users, the message it replies to, its thread, the target of a change. */
import { Refusal } from '../../../schemas/errors.js'
import { isDirectRoom, isUserId } from '../../../schemas/ids.js'
import { CHANGE_TYPES, MENTION_ROOM, type MessageInput } from '../../../schemas/message.js'
import type { LogEntry } from '../../store/logs.js'
import type { Store } from '../../store/store.js'
import type { Actor } from '../model/actor.js'
import { hiddenFrom, logs } from '../model/views.js'
import type { RoomRules } from '../rooms/room-rules.js'

export class References {
  readonly #store: Store
  readonly #rules: RoomRules

  constructor(store: Store, rules: RoomRules) {
    this.#store = store
    this.#rules = rules
  }

  /** Checks `@user`, and `@room` for moderators only. @throws Refusal */
  checkMentions(actor: Actor, room: string, { mentions = [] }: MessageInput): void {
    for (const mention of mentions) {
      if (mention.toLowerCase() === MENTION_ROOM) {
        if (!isDirectRoom(room) && !this.#rules.mayModerate(actor, room, 'mentionRoom'))
          throw new Refusal('forbidden', `only who moderates ${room} mentions ${MENTION_ROOM}`, { field: 'mentions' })
      } else if (!mention.startsWith('@') || !isUserId(mention.slice(1))) {
        throw new Refusal('bad_request', `${JSON.stringify(mention)} is neither @user nor ${MENTION_ROOM}`, {
          field: 'mentions',
        })
      }
    }
  }

  /** Checks `replyTo` and `thread`. @throws Refusal */
  async check(actor: Actor, room: string, { replyTo, thread }: MessageInput): Promise<void> {
    if (replyTo !== undefined) await this.find(actor, room, replyTo, 'replyTo')
    if (thread === undefined) return
    const { message } = await this.find(actor, room, thread, 'thread')
    if (message?.thread !== undefined)
      throw new Refusal('bad_request', `message ${thread} is itself in a thread: ${message.thread}`, {
        field: 'thread',
      })
  }

  /** Finds the message that `field` names, if the actor may see it. `message` is null if it was deleted or expired. @throws Refusal */
  async find(
    actor: Actor,
    room: string,
    seq: number,
    field: 'target' | 'replyTo' | 'thread' | 'seq' | 'forward.seq',
  ): Promise<{ entry: LogEntry; message: MessageInput | null }> {
    const log = logs.messages(room)
    const { head } = await this.#store.log.open(log)
    if (seq > head || seq <= this.#hidden(actor, room))
      throw new Refusal('not_found', `there is no message ${seq} in ${room}`, { field })
    const [entry] = await this.#store.log.read(log, seq - 1, 1, 1, 'shown')
    if (entry?.seq !== seq) throw new Refusal('not_found', `message ${seq} is not kept any more`, { field })
    if (entry.gone) return { entry, message: null }
    const message = JSON.parse(entry.payload.toString('utf8')) as MessageInput
    if (!CHANGE_TYPES.has(message.type!)) return { entry, message }
    const hint = `${seq} is of type ${message.type}; the message it is about is ${message.target}`
    throw new Refusal('bad_request', hint, { field })
  }

  #hidden(actor: Actor, room: string): number {
    const member = this.#store.directory.member(room, actor.principal.user)
    return member ? hiddenFrom(member) : 0
  }
}
